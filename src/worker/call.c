#include "worker/call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "conf/settings.h"
#include "shm/directory.h"
#include "shm/seat.h"
#include "shm/segment.h"
#include "wire/receipt.h"
#include "worker/client.h"
#include "worker/durable.h"
#include "worker/context.h"
#include "worker/front.h"
#include "worker/moderate.h"
#include "worker/park.h"
#include "worker/portal.h"
#include "worker/receipt.h"
#include "worker/screen.h"
#include "worker/translated.h"

/* Calls and buffers kept for the next ones. */
#define SPARE_CALLS_MAX 512
#define SPARE_BYTES_MAX 16384
#define UPSTREAM_HEAD_MAX_BYTES 16384
/* What follows the bytes that a slow client may leave in the buffer: frames
 * that the filter or the receipt held, an error event. */
#define RELAY_EXTRA_BYTES (2 * WIRE_FILTER_HOLD_BYTES + \
	2 * WIRE_RECEIPT_HOLD_BYTES + WIRE_ERROR_BODY_BYTES)

/*
 * A buffer of the last call is used again by the next one, scrubbed: the
 * allocator is not asked for every call, and no body outlives its call.
 */
static void
recycle(struct buf *b)
{
	size_t limit = b->limit;

	if (b->data == NULL)
		return;
	if (b->cap > SPARE_BYTES_MAX) {
		buf_free(b);
		return;
	}
	bytes_scrub(b->data, b->cap);
	b->start = b->len = 0;
	b->limit = limit;
}

/*
 * RFC 9562, version 7: 48 bits of milliseconds, then randomness.  Ids of one
 * millisecond aren't ordered; nothing needs that.
 */
static void
make_id(struct call *call, struct wall_time now)
{
	struct worker *w = call->worker;
	uint8_t *id = call->record.request_id;
	uint64_t ms = (uint64_t)(now.us / 1000);

	if (w->random_left < 10) {
		bytes_random(w->random, sizeof(w->random));
		w->random_left = sizeof(w->random);
	}
	w->random_left -= 10;
	for (int i = 0; i < 6; i++)
		id[i] = (uint8_t)(ms >> (40 - 8 * i));
	memcpy(id + 6, w->random + w->random_left, 10);
	id[6] = (uint8_t)(0x70 | (id[6] & 0x0f));
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
	record_id_format(id, call->id);
}

/*
 * All but its buffers, which the next call uses, and the meter, splice, filter
 * and form, which are begun when used: a name of a model is the client's text,
 * too.
 */
static void
clear(struct call *call)
{
	struct buf body = call->body, relay = call->relay;
	struct buf head = call->upstream_head;

	bytes_scrub(call, offsetof(struct call, meter));
	call->body = body;
	call->relay = relay;
	call->upstream_head = head;
}

static struct call *
take_spare(struct worker *worker)
{
	const struct settings *s = worker->settings;
	struct call *call = worker->free_calls;

	if (call != NULL) {
		worker->free_calls = call->next;
		worker->free_call_count--;
		call->next = NULL;
		return call;
	}
	call = malloc(sizeof(*call));
	if (call == NULL)
		return NULL;
	buf_init(&call->body, s->max_body_bytes);
	buf_init(&call->relay, s->relay_buffer_bytes + RELAY_EXTRA_BYTES);
	buf_init(&call->upstream_head, UPSTREAM_HEAD_MAX_BYTES);
	clear(call);
	return call;
}

/* What of any call is not recorded of who made it. */
static uint32_t
minimised(const struct settings *s)
{
	static const uint32_t address[] = {
		[KEEP_ADDRESS_FULL] = 0,
		[KEEP_ADDRESS_NETWORK] = RECORD_ADDRESS_NETWORK,
		[KEEP_ADDRESS_NONE] = RECORD_ADDRESS_NONE
	};

	return address[s->record_address] |
	    (s->record_user_agent == KEEP_AGENT_OFF ? RECORD_AGENT_NONE : 0);
}

struct call *
call_begin(struct worker *worker, struct client *client)
{
	struct call *call = take_spare(worker);
	struct wall_time now = clock_wall();

	if (call == NULL)
		return NULL;
	call->worker = worker;
	call->client = client;
	call->hold = HOLD_NONE;
	call->account = ACCOUNT_NONE;
	call->started = loop_now(worker->loop);
	call->record.started_us = now.us;
	call->record.node = (uint16_t)shm_gauge(worker->shm, SHM_GAUGE_NODE);
	memcpy(call->record.address, client->address,
	    sizeof(call->record.address));
	call->record.flags = minimised(worker->settings);
	make_id(call, now);
	assert(client->call == NULL);
	client->call = call;
	call->next = worker->calls;
	if (call->next != NULL)
		call->next->prev = call;
	worker->calls = call;
	worker->call_count++;
	seat_add(worker->shm, worker->seat, SEAT_STREAMS, 1);
	return call;
}

void
call_release(struct call *call)
{
	struct worker *worker = call->worker;

	if (call->client != NULL || call->exchange != NULL || call->lent)
		return;
	moderate_forget(call);
	attempt_over(call);
	/* Nobody may forget the money. */
	assert(call->hold == HOLD_NONE);
	durable_forget(call);
	park_forget(call);
	translated_forget(call);
	portal_forget(call);
	screen_free(call);
	receipt_forget(call);
	recycle(&call->body);
	recycle(&call->relay);
	recycle(&call->upstream_head);
	if (call->route != NULL && call->route->body == WIRE_BODY_FORM)
		bytes_scrub(&call->form, sizeof(call->form));
	if (call->filtered)
		bytes_scrub(&call->filter, sizeof(call->filter));
	if (call->metered)
		bytes_scrub(&call->meter, sizeof(call->meter));
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		worker->calls = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	worker->call_count--;
	seat_add(worker->shm, worker->seat, SEAT_STREAMS, -1);
	if (worker->free_call_count >= SPARE_CALLS_MAX) {
		buf_free(&call->body);
		buf_free(&call->relay);
		buf_free(&call->upstream_head);
		free(call);
		return;
	}
	clear(call);
	call->next = worker->free_calls;
	worker->free_calls = call;
	worker->free_call_count++;
}

void
call_free_all(struct worker *worker)
{
	struct call *call;

	while ((call = worker->free_calls) != NULL) {
		worker->free_calls = call->next;
		buf_free(&call->body);
		buf_free(&call->relay);
		buf_free(&call->upstream_head);
		free(call);
	}
	worker->free_call_count = 0;
}

void
call_refuse(struct call *call, enum wire_error error)
{
	call_refuse_about(call, error, NULL);
}

void
call_refuse_about(struct call *call, enum wire_error error,
    const char *param)
{
	assert(call->answer == ANSWER_NONE && error != WIRE_ERROR_NONE);
	call->error = error;
	call->answer = ANSWER_ERROR;
	call->param[0] = '\0';
	if (param != NULL) {
		size_t n = strnlen(param, sizeof(call->param) - 1);

		memmove(call->param, param, n);
		call->param[n] = '\0';
	}
}

struct mono_time
call_now(const struct call *call)
{
	return loop_now(call->worker->loop);
}

void
call_wake(struct call *call)
{
	if (call->client != NULL)
		front_wake(call->client);
}

void
call_forget_request(struct call *call)
{
	recycle(&call->body);
	recycle(&call->upstream_head);
	translated_forget_body(call);
}

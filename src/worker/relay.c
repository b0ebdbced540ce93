#include "worker/relay.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "base/log.h"
#include "base/loop.h"
#include "conf/settings.h"
#include "shm/seat.h"
#include "upstream/exchange.h"
#include "worker/admit.h"
#include "worker/answers.h"
#include "worker/attempt.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/front.h"
#include "worker/receipt.h"
#include "worker/relay_end.h"
#include "worker/screen.h"
#include "worker/settle.h"
#include "worker/translated.h"

/* Of an error answer that we replaced: read on, to keep the connection. */
#define WASTE_MAX_BYTES 65536
/* Warnings about upstreams are this far apart. */
#define WARN_EVERY_MS 10000

void
relay_warn(struct call *call, const char *what, const char *name)
{
	struct worker *worker = call->worker;
	struct mono_time now = loop_now(worker->loop);

	if (now.ns < worker->may_warn.ns)
		return;
	worker->may_warn = mono_add_ms(now, WARN_EVERY_MS);
	log_warning("%s channel_id=%llu %s", what,
	    (unsigned long long)call->record.channel_id, name);
}

static void
answer_flows(struct call *call)
{
	if (call->answer == ANSWER_NONE) {
		call->answer = ANSWER_FLOW;
		call->state = CALL_ANSWERING;
		attempt_commit(call);
	}
}

static void
on_sent(void *arg)
{
	struct call *call = arg;
	int64_t ms = mono_diff_ms(loop_now(call->worker->loop), call->started);

	call->record.queue_ms = ms > 0 ? (uint32_t)ms : 0;
	if (exchange_retried(call->exchange))
		call->record.flags |= RECORD_RETRIED;
	attempt_sent(call);
}

/* What the meter, or the translation, can't read must not pass. */
static void
refuse_answer(struct call *call)
{
	attempt_note_failure(call, UPSTREAM_BAD_HEAD);
	if (attempt_again(call))
		return;
	exchange_cancel(&call->exchange);
	attempt_over(call);
	call->upstream_over = true;
	relay_fail(call, WIRE_ERROR_UPSTREAM);
}

static void
replace_status(struct call *call, enum wire_error error,
    const struct response_head *head)
{
	if (head->retry_after_ms > 0)
		call->retry_after_s = (uint32_t)
		    ((head->retry_after_ms + 999) / 1000);
	call->recorded_error = WIRE_ERROR_UPSTREAM_STATUS;
	if (error == WIRE_ERROR_UPSTREAM_REFUSED)
		relay_warn(call, "an upstream refuses the operator",
		    "hint=check the channel's credential and balance there");
	relay_fail(call, error);
}

static void
keep_head(struct call *call, int status, const struct response_head *head)
{
	const char *type = response_head_get(head, RESPONSE_CONTENT_TYPE);

	call->status = status;
	snprintf(call->content_type, sizeof(call->content_type), "%s",
	    type != NULL ? type : "application/json");
	call->has_length = response_head_body(head, false) ==
	    RESPONSE_BODY_LENGTH;
	call->length = head->content_length;
}

/* Audio, and transcripts in other forms than JSON. */
static bool
may_be_opaque(enum wire_route route)
{
	return route == WIRE_ROUTE_SPEECH ||
	    route == WIRE_ROUTE_TRANSCRIPTIONS ||
	    route == WIRE_ROUTE_TRANSLATIONS;
}

static void
on_head(void *arg, int status, const struct response_head *head)
{
	struct call *call = arg;
	enum wire_error error;

	call->record.upstream_status = (uint16_t)status;
	call->upstream_ok = status >= 200 && status <= 299;
	attempt_note_status(call, status, head);
	if (call->state == CALL_DRAINING && !call->upstream_ok)
		return;
	if (!call->upstream_ok) {
		seat_add(call->worker->shm, call->worker->seat,
		    SEAT_UPSTREAM_FAILED, 1);
		error = relay_status_error(status);
		if (error != WIRE_ERROR_NONE) {
			if (attempt_again(call))
				return;
			replace_status(call, error, head);
			return;
		}
		call->recorded_error = WIRE_ERROR_UPSTREAM_STATUS;
	}
	if (head->coding != RESPONSE_CODING_IDENTITY) {
		refuse_answer(call);
		return;
	}
	keep_head(call, status, head);
	if (call->translated != NULL &&
	    !translated_head(call, head->is_event_stream)) {
		refuse_answer(call);
		return;
	}
	if (!call->upstream_ok)
		return;
	call->events = head->is_event_stream;
	/* Without events it is an array, whose elements come one by one. */
	screen_free(call);
	call->screens = call->events || head->is_json;
	call->streamed = call->events ||
	    call->upstream_route->route == WIRE_ROUTE_STREAM_GENERATE;
	if (!call->events)
		call->filtered = false;
	/* Frames may be kept from it, and a cut may add one. */
	if (call->streamed)
		call->has_length = false;
	call->metered = true;
	wire_meter_init(&call->meter, call->upstream_route->route,
	    call->events);
	receipt_begin(call);
	if (may_be_opaque(call->route->route) && !call->events &&
	    !head->is_json)
		wire_meter_opaque(&call->meter);
}

/* The buffer is larger than what is ever taken into it by what the filter may
 * have kept and one error event: it can't be short of room, only memory. */
static void
append(struct call *call, const char *p, size_t len)
{
	if (!buf_append(&call->relay, p, len))
		call->broken = true;
}

static void
append_filtered(struct call *call, const char *p, size_t len)
{
	struct span out;
	size_t used;

	while (len > 0) {
		wire_filter_feed(&call->filter, p, len, &used, &out);
		append(call, out.p, out.len);
		p += used;
		len -= used;
	}
}

/* False: it can't be translated. */
static bool
pass_on(struct call *call, const char *p, size_t len)
{
	size_t before = call->relay.len;

	if (call->translated != NULL) {
		if (!translated_feed(call, p, len))
			return false;
	} else if (call->filtered)
		append_filtered(call, p, len);
	else
		append(call, p, len);
	receipt_pass(call, before);
	return true;
}

static size_t
room(const struct call *call)
{
	size_t limit = call->worker->settings->relay_buffer_bytes;

	return call->relay.len < limit ? limit - call->relay.len : 0;
}

static void
note_bytes(struct call *call, size_t n)
{
	if (call->record.answer_bytes == 0) {
		int64_t ms = mono_diff_ms(loop_now(call->worker->loop),
		    call->started);

		call->record.first_byte_ms = ms > 0 ? (uint32_t)ms : 0;
	}
	call->record.answer_bytes += n;
}

/* There is money for all that is in the buffer. */
static void
stream_goes_on(struct call *call)
{
	if (call->relay.len > 0)
		answer_flows(call);
	/* All but the stream's own end is known now, so the money comes
	 * before the bytes that complete the answer. */
	if (call->meter.finished) {
		settle_usage(call);
		receipt_give(call, false);
		if (call->relay.len > 0)
			answer_flows(call);
	} else
		settle_progress(call, call->answer == ANSWER_FLOW);
	call_wake(call);
}

/* What came stays in the buffer, behind what may be delivered. */
static void
withhold(struct call *call, size_t delivered, bool mid_event)
{
	call->waits = true;
	call->waits_mid_event = mid_event;
	call->withheld = call->relay.len - delivered;
}

void
relay_refilled(struct call *call)
{
	enum admit_more more;

	if (!call->waits)
		return;
	more = admit_extend(call, settle_output_tokens(call));
	if (more == ADMIT_PARKED)
		return;
	call->waits = false;
	if (more == ADMIT_NO_MONEY) {
		call->relay.len -= call->withheld;
		call->withheld = 0;
		if (call->translated != NULL && call->relay.len == 0 &&
		    call->delivered_bytes == 0)
			translated_unsay(call);
		relay_end_for_money(call, call->waits_mid_event);
		return;
	}
	call->withheld = 0;
	stream_goes_on(call);
	if (call->waits_ended)
		relay_end(call);
	else if (call->paused && call->exchange != NULL) {
		call->paused = false;
		exchange_resume(call->exchange);
	}
}

static size_t
stream_body(struct call *call, const char *p, size_t len)
{
	size_t n = room(call), delivered = call->relay.len;
	bool mid_event = wire_meter_frame_open(&call->meter);
	enum admit_more more = ADMIT_COVERED;

	if (n > len)
		n = len;
	if (call->waits)
		n = 0;
	call->paused = n < len;
	if (n == 0)
		return 0;
	note_bytes(call, n);
	wire_meter_feed(&call->meter, p, n);
	answers_note(call);
	if (call->answer == ANSWER_NONE && relay_only_an_error(call)) {
		/* 200, and then nothing but "overloaded". */
		attempt_note_failure(call, UPSTREAM_CUT);
		if (attempt_again(call))
			return len;
	} else
		attempt_answered(call);
	if (!call->settled)
		more = admit_extend(call, settle_output_tokens(call));
	if (more == ADMIT_NO_MONEY) {
		relay_end_for_money(call, mid_event);
		return len;
	}
	if (call->screens && !screen_answer(call, p, n)) {
		relay_end_blocked(call, mid_event);
		return len;
	}
	if (!pass_on(call, p, n)) {
		relay_end_untranslated(call);
		return len;
	}
	if (call->broken) {
		relay_end_broken(call);
		return len;
	}
	if (more == ADMIT_PARKED)
		withhold(call, delivered, mid_event);
	else
		stream_goes_on(call);
	return n;
}

static size_t
plain_body(struct call *call, const char *p, size_t len)
{
	size_t limit = call->worker->settings->relay_buffer_bytes;
	size_t n = room(call);

	if (n > len)
		n = len;
	call->paused = n < len;
	if (n > 0) {
		note_bytes(call, n);
		if (call->upstream_ok)
			attempt_answered(call);
		if (call->metered) {
			wire_meter_feed(&call->meter, p, n);
			answers_note(call);
		}
		if (call->screens && !screen_answer(call, p, n)) {
			relay_end_blocked(call, false);
			return len;
		}
		append(call, p, n);
	}
	if (call->broken) {
		relay_end_broken(call);
		return len;
	}
	/* Too long to wait for: it flows. */
	if (n < len || (call->has_length && call->length > limit))
		answer_flows(call);
	if (call->answer == ANSWER_FLOW) {
		settle_progress(call, true);
		call_wake(call);
	}
	return n;
}

/* It can't be translated before it is complete. */
static size_t
translated_body(struct call *call, const char *p, size_t len)
{
	note_bytes(call, len);
	if (call->upstream_ok)
		attempt_answered(call);
	if (call->metered)
		wire_meter_feed(&call->meter, p, len);
	if (call->screens && !screen_answer(call, p, len))
		relay_end_blocked(call, false);
	else if (!translated_collect(call, p, len))
		relay_end_untranslated(call);
	return len;
}

static size_t
waste_body(struct call *call, const char *p, size_t len, uint64_t max)
{
	call->drained_bytes += len;
	if (call->metered) {
		note_bytes(call, len);
		attempt_answered(call);
		wire_meter_feed(&call->meter, p, len);
		answers_note(call);
		settle_progress(call, true);
	}
	/* The customer has left, not his bill: money is held on for it. */
	if (call->state == CALL_DRAINING && call->streamed &&
	    !call->settled && call->upstream_ok &&
	    admit_extend(call, settle_output_tokens(call)) ==
	    ADMIT_NO_MONEY) {
		call->record.flags |= RECORD_CUT_SHORT;
		max = 0;
	}
	if (call->drained_bytes > max) {
		exchange_cancel(&call->exchange);
		attempt_over(call);
		relay_over(call);
	}
	return len;
}

static size_t
on_body(void *arg, const char *p, size_t len)
{
	struct call *call = arg;

	if (call->state == CALL_DRAINING)
		return waste_body(call, p, len,
		    call->worker->settings->drain_max_bytes);
	if (call->answer == ANSWER_ERROR)
		return waste_body(call, p, len, WASTE_MAX_BYTES);
	if (call->streamed)
		return stream_body(call, p, len);
	if (call->translated != NULL)
		return translated_body(call, p, len);
	return plain_body(call, p, len);
}

static void
on_end(void *arg)
{
	struct call *call = arg;

	call->exchange = NULL;
	if (call->upstream_ok && !call->attempt.noted)
		attempt_answered(call);
	attempt_over(call);
	if (call->state == CALL_DRAINING || call->answer == ANSWER_ERROR)
		relay_over(call);
	else if (call->waits)
		call->waits_ended = true;
	else if (call->screens && !screen_answer_end(call))
		relay_end_blocked(call, false);
	else if (call->translated != NULL && !call->streamed &&
	    !translated_whole(call))
		relay_end_untranslated(call);
	else
		relay_end(call);
}

static void
on_fail(void *arg, enum upstream_failure failure)
{
	struct call *call = arg;

	call->exchange = NULL;
	relay_stop_waiting(call);
	seat_add(call->worker->shm, call->worker->seat, SEAT_UPSTREAM_FAILED,
	    1);
	log_info("upstream failed channel_id=%llu failure=%s",
	    (unsigned long long)call->record.channel_id,
	    upstream_failure_name(failure));
	switch (failure) {
	case UPSTREAM_NO_ADDRESS:
	case UPSTREAM_CONNECT:
	case UPSTREAM_TIMEOUT_CONNECT:
	case UPSTREAM_TLS:
	case UPSTREAM_TLS_VERIFY:
	case UPSTREAM_PROXY:
		relay_warn(call, "an upstream cannot be reached",
		    upstream_failure_name(failure));
		break;
	case UPSTREAM_SEND:
	case UPSTREAM_TIMEOUT_FIRST_BYTE:
	case UPSTREAM_TIMEOUT_IDLE:
	case UPSTREAM_TIMEOUT_TOTAL:
	case UPSTREAM_CLOSED_BEFORE_HEAD:
	case UPSTREAM_BAD_HEAD:
	case UPSTREAM_BAD_FRAMING:
	case UPSTREAM_CUT:
	case UPSTREAM_MEMORY:
		break;
	}
	/* Once it is settled nothing was missing. */
	if (!call->settled)
		attempt_note_failure(call, failure);
	attempt_over(call);
	if (attempt_again(call))
		return;
	if (call->state == CALL_DRAINING || call->answer == ANSWER_ERROR) {
		if (!call->settled)
			call->record.flags |= RECORD_UPSTREAM_CUT;
		relay_over(call);
	} else
		relay_end_failed(call, failure);
}

static void
on_room(void *arg)
{
	call_wake(arg);
}

const struct exchange_handlers relay_handlers = {
	.on_room = on_room,
	.on_sent = on_sent,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
};

/* The last byte of a known length completes the answer: it waits for the
 * settlement.  Under strict durability it waits for the record as well, of
 * unknown length too, and what ends a stream's last event likewise. */
static size_t
available(const struct call *call)
{
	size_t n = call->relay.len - call->withheld;
	bool waits = call->awaits || (!call->upstream_over &&
	    !call->streamed &&
	    (call->has_length || call->worker->durable != NULL));

	return waits && n > 0 ? n - 1 : n;
}

ssize_t
relay_read(void *arg, uint64_t position, char *buf, size_t max)
{
	struct call *call = arg;
	struct worker *worker = call->worker;
	size_t n = available(call);

	(void)position;
	if (call->client == NULL || call->client->gone || call->unrecorded)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n > max)
		n = max;
	if (n > 0) {
		memcpy(buf, buf_head(&call->relay), n);
		buf_consume(&call->relay, n);
		call->delivered_bytes += n;
		seat_add(worker->shm, worker->seat, SEAT_BYTES_OUT,
		    (int64_t)n);
		/* It must go on taking, or be cut off. */
		client_enter(call->client, CLIENT_CALL,
		    worker->settings->idle_timeout_ms);
		if (call->paused && call->exchange != NULL && call->relay.len <=
		    worker->settings->relay_buffer_bytes / 2) {
			call->paused = false;
			exchange_resume(call->exchange);
		}
		return (ssize_t)n;
	}
	if (call->upstream_over && !call->awaits)
		return call->broken ? MHD_CONTENT_READER_END_WITH_ERROR :
		    MHD_CONTENT_READER_END_OF_STREAM;
	client_enter(call->client, CLIENT_CALL, 0);
	front_suspend(call->client);
	return 0;
}

#include "upstream/exchange.h"

#include <assert.h>
#include <stddef.h>

#include "upstream/client.h"
#include "upstream/connection.h"
#include "upstream/endpoint_state.h"
#include "upstream/exchange_state.h"
#include "upstream/pool.h"

struct deadline {
	struct mono_time due;
	enum upstream_failure failure;
};

static struct mono_time
now(const struct exchange *x)
{
	return loop_now(x->upstream->client->loop);
}

static int64_t
first_byte_ms(const struct exchange *x)
{
	int64_t usual_ms = x->upstream->timeouts.first_byte_ms;
	int64_t wanted_ms = x->request.first_token_ms;

	return wanted_ms > 0 && wanted_ms < usual_ms ? wanted_ms : usual_ms;
}

/* Of the phase that x is in, or of the whole, whichever comes first. */
static struct deadline
next_deadline(const struct exchange *x)
{
	const struct upstream_timeouts *t = &x->upstream->timeouts;
	struct deadline total, phase;

	total.due = mono_add_ms(x->started, t->total_ms);
	total.failure = UPSTREAM_TIMEOUT_TOTAL;
	if (x->connection->state != CONNECTION_OPEN) {
		phase.due = mono_add_ms(x->connecting, t->connect_ms);
		phase.failure = UPSTREAM_TIMEOUT_CONNECT;
	} else if (x->paused) {
		return total;
	} else if (x->sent && !x->head_done) {
		phase.due = mono_add_ms(x->sent_at, first_byte_ms(x));
		phase.failure = UPSTREAM_TIMEOUT_FIRST_BYTE;
	} else if (x->sent && !x->body_begun &&
	    x->request.first_token_ms > 0) {
		phase.due = mono_add_ms(x->sent_at, x->request.first_token_ms);
		phase.failure = UPSTREAM_TIMEOUT_FIRST_BYTE;
	} else {
		phase.due = mono_add_ms(x->progress, t->idle_ms);
		phase.failure = UPSTREAM_TIMEOUT_IDLE;
	}
	return phase.due.ns < total.due.ns ? phase : total;
}

/* Moves the timer only if it would fire too late. */
static void
watch_time(struct exchange *x)
{
	struct mono_time due = next_deadline(x).due;

	if (!loop_armed(&x->timer) || due.ns < x->timer.due.ns)
		loop_arm(x->upstream->client->loop, &x->timer, due);
}

static void
run_at(struct exchange *x, struct mono_time due)
{
	x->due_now = true;
	loop_arm(x->upstream->client->loop, &x->timer, due);
}

void
exchange_run_later(struct exchange *x)
{
	struct mono_time due = now(x);

	/* Not due before the clock has moved, that is, not in this turn. */
	due.ns++;
	run_at(x, due);
}

void
exchange_fail(struct exchange *x, enum upstream_failure failure)
{
	if (x->verdict != EXCHANGE_RUNS)
		return;
	x->verdict = EXCHANGE_FAILED;
	x->failure = failure;
}

/* False: x has failed, which nobody was told yet. */
static bool
connect_fresh(struct exchange *x)
{
	bool memory;

	x->connecting = x->progress = now(x);
	if (x->upstream->addresses == 0) {
		exchange_fail(x, UPSTREAM_NO_ADDRESS);
		return false;
	}
	x->connection = connection_open(x->upstream, x, &memory);
	if (x->connection == NULL) {
		exchange_fail(x, memory ? UPSTREAM_MEMORY : UPSTREAM_CONNECT);
		return false;
	}
	return true;
}

static bool
may_be_reused(const struct exchange *x)
{
	/* With the request half sent, or bytes that nobody asked for, the
	 * next answer couldn't be told from this one. */
	return x->sent && x->head.keep_alive &&
	    x->body_kind != RESPONSE_BODY_UNTIL_CLOSE &&
	    x->input.len == 0 && !x->connection->hung_up;
}

static void
destroy(struct exchange *x)
{
	struct upstream *up = x->upstream;
	struct upstream_client *client = up->client;

	loop_disarm(client->loop, &x->timer);
	buf_free(&x->more);
	client_buffer_put(client, &x->buffer);
	client_exchange_put(client, x);
	endpoint_leave(up);
}

static void
retry(struct exchange *x)
{
	connection_close(&x->connection);
	x->upstream->client->stats.retried++;
	x->verdict = EXCHANGE_RUNS;
	x->retried = true;
	x->reused = false;
	x->piece = 0;
	x->piece_offset = 0;
	x->sent = false;
	x->busy = false;
	if (connect_fresh(x))
		watch_time(x);
	else
		exchange_abort(x, x->failure);
}

/* The last thing on every way out of the loop: acts on the verdict. */
static void
conclude(struct exchange *x)
{
	switch (x->verdict) {
	case EXCHANGE_RUNS:
		x->busy = false;
		watch_time(x);
		return;
	case EXCHANGE_AGAIN:
		retry(x);
		return;
	case EXCHANGE_ENDED:
		/* First, so that what the handler starts can have it. */
		if (may_be_reused(x))
			pool_give(&x->connection);
		else
			connection_close(&x->connection);
		x->handlers->on_end(x->arg);
		break;
	case EXCHANGE_FAILED:
		connection_close(&x->connection);
		x->upstream->client->stats.failures++;
		x->paused = false;
		x->handlers->on_fail(x->arg, x->failure);
		break;
	case EXCHANGE_CANCELLED:
		connection_close(&x->connection);
		break;
	}
	destroy(x);
}

void
exchange_abort(struct exchange *x, enum upstream_failure failure)
{
	assert(!x->busy);
	x->busy = true;
	x->verdict = EXCHANGE_FAILED;
	x->failure = failure;
	conclude(x);
}

static void
shake_hands(struct exchange *x)
{
	switch (connection_handshake(x->connection)) {
	case CONNECTION_OK:
		x->progress = now(x);
		break;
	case CONNECTION_AGAIN:
		/* Only the handshake can have tried to write so far. */
		if (x->connection->send_broken)
			exchange_fail(x, UPSTREAM_TLS);
		break;
	case CONNECTION_EOF:
	case CONNECTION_BROKEN:
	case CONNECTION_TLS:
		exchange_fail(x, UPSTREAM_TLS);
		break;
	case CONNECTION_TLS_VERIFY:
		exchange_fail(x, UPSTREAM_TLS_VERIFY);
		break;
	case CONNECTION_PROXY:
		break;
	}
}

static void
ask_proxy(struct exchange *x)
{
	switch (connection_tunnel(x->connection)) {
	case CONNECTION_OK:
		x->progress = now(x);
		break;
	case CONNECTION_AGAIN:
		break;
	case CONNECTION_PROXY:
		exchange_fail(x, UPSTREAM_PROXY);
		break;
	case CONNECTION_EOF:
	case CONNECTION_BROKEN:
	case CONNECTION_TLS:
	case CONNECTION_TLS_VERIFY:
		exchange_fail(x, UPSTREAM_MEMORY);
		break;
	}
}

static void
tell_room(struct exchange *x)
{
	if (!x->full || x->more.len > EXCHANGE_WINDOW_BYTES / 2)
		return;
	x->full = false;
	x->handlers->on_room(x->arg);
}

void
exchange_run(struct exchange *x)
{
	assert(!x->busy);
	x->busy = true;
	if (x->verdict == EXCHANGE_RUNS &&
	    x->connection->state == CONNECTION_TUNNEL)
		ask_proxy(x);
	if (x->verdict == EXCHANGE_RUNS &&
	    x->connection->state == CONNECTION_HANDSHAKE)
		shake_hands(x);
	if (x->verdict == EXCHANGE_RUNS &&
	    x->connection->state == CONNECTION_OPEN) {
		if (!x->sent) {
			exchange_send(x);
			tell_room(x);
		}
		if (x->verdict == EXCHANGE_RUNS)
			exchange_receive(x);
	}
	conclude(x);
}

static void
fire(struct loop_timer *t)
{
	struct exchange *x = (struct exchange *)(void *)
	    ((char *)t - offsetof(struct exchange, timer));
	struct deadline deadline;
	bool run = x->due_now;

	x->due_now = false;
	if (x->verdict != EXCHANGE_RUNS) {
		exchange_run(x);
		return;
	}
	/* Also when there is work: an upstream that always has more to read
	 * must not keep its deadline from being seen. */
	deadline = next_deadline(x);
	if (deadline.due.ns <= now(x).ns)
		exchange_abort(x, deadline.failure);
	else if (run)
		exchange_run(x);
	else
		loop_arm(x->upstream->client->loop, t, deadline.due);
}

struct exchange *
exchange_start(struct upstream *upstream,
    const struct exchange_request *request,
    const struct exchange_handlers *handlers, void *arg)
{
	struct exchange *x = client_exchange_get(upstream->client);

	assert(request->spans <= EXCHANGE_BODY_SPANS);
	if (x == NULL)
		return NULL;
	endpoint_enter(upstream);
	upstream->client->stats.exchanges++;
	x->upstream = upstream;
	x->request = *request;
	x->handlers = handlers;
	x->arg = arg;
	x->timer.fire = fire;
	x->started = x->progress = now(x);
	if (request->since.ns != 0)
		x->started = request->since;
	response_head_init(&x->head);
	buf_init(&x->more, EXCHANGE_WINDOW_BYTES);
	x->connection = request->open ? NULL : pool_take(upstream, x);
	if (x->connection != NULL) {
		x->reused = true;
		exchange_send(x);
	} else {
		(void)connect_fresh(x);
	}
	if (x->verdict != EXCHANGE_RUNS ||
	    (x->reused && x->connection->send_broken))
		run_at(x, now(x));
	else
		watch_time(x);
	return x;
}

size_t
exchange_room(const struct exchange *x)
{
	return EXCHANGE_WINDOW_BYTES - x->more.len;
}

bool
exchange_append(struct exchange *x, const char *p, size_t len)
{
	assert(x->request.open && len <= exchange_room(x));
	if (!buf_append(&x->more, p, len))
		return false;
	x->full = x->more.len > EXCHANGE_WINDOW_BYTES / 2;
	x->progress = now(x);
	if (x->connection != NULL && x->connection->state == CONNECTION_OPEN)
		run_at(x, now(x));
	return true;
}

void
exchange_close(struct exchange *x)
{
	x->request.open = false;
	if (x->connection != NULL && x->connection->state == CONNECTION_OPEN)
		run_at(x, now(x));
}

void
exchange_resume(struct exchange *x)
{
	if (!x->paused)
		return;
	x->paused = false;
	x->progress = now(x);
	run_at(x, now(x));
}

void
exchange_cancel(struct exchange **exchange)
{
	struct exchange *x = *exchange;

	if (x == NULL)
		return;
	*exchange = NULL;
	x->verdict = EXCHANGE_CANCELLED;
	if (!x->busy)
		conclude(x);
}

bool
exchange_retried(const struct exchange *x)
{
	return x->retried;
}

bool
exchange_began_sending(const struct exchange *x)
{
	return x->began_sending;
}

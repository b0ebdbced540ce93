#include <assert.h>

#include "upstream/client.h"
#include "upstream/connection.h"
#include "upstream/endpoint_state.h"
#include "upstream/exchange_state.h"

/* Reads in one go; then the others have their turn. */
#define READS_PER_RUN 16

/* Handlers may cancel, so after each: does it still run? */
static bool
runs(const struct exchange *x)
{
	return x->verdict == EXCHANGE_RUNS;
}

static void
take_input(struct exchange *x, size_t n)
{
	x->input.p += n;
	x->input.len -= n;
}

static void
take_head(struct exchange *x)
{
	enum http_result result;
	size_t used;

	result = response_head_feed(&x->head, x->input.p, x->input.len, &used);
	take_input(x, used);
	if (result == HTTP_MORE)
		return;
	if (result == HTTP_BAD) {
		exchange_fail(x, x->head.bad_framing ?
		    UPSTREAM_BAD_FRAMING : UPSTREAM_BAD_HEAD);
		return;
	}
	x->head_done = true;
	x->body_kind = response_head_body(&x->head, x->request.is_head);
	switch (x->body_kind) {
	case RESPONSE_BODY_NONE:
		x->body_done = true;
		break;
	case RESPONSE_BODY_LENGTH:
		x->left_bytes = x->head.content_length;
		x->body_done = x->left_bytes == 0;
		break;
	case RESPONSE_BODY_CHUNKED:
		chunked_init(&x->chunked);
		break;
	case RESPONSE_BODY_UNTIL_CLOSE:
		break;
	}
	x->handlers->on_head(x->arg, x->head.status, &x->head);
}

static void
take_chunk(struct exchange *x)
{
	enum http_result result;
	size_t used;

	result = chunked_feed(&x->chunked, x->input.p, x->input.len, &used,
	    &x->payload);
	take_input(x, used);
	if (result == HTTP_DONE)
		x->body_done = true;
	else if (result == HTTP_BAD)
		exchange_fail(x, UPSTREAM_BAD_FRAMING);
}

static void
take_plain(struct exchange *x)
{
	size_t n = x->input.len;

	if (x->body_kind == RESPONSE_BODY_LENGTH) {
		if (n > x->left_bytes)
			n = (size_t)x->left_bytes;
		x->left_bytes -= n;
		x->body_done = x->left_bytes == 0;
	}
	x->payload = (struct span){ x->input.p, n };
	take_input(x, n);
}

static void
hand_on(struct exchange *x)
{
	size_t taken, len = x->payload.len;

	x->body_begun = true;
	taken = x->handlers->on_body(x->arg, x->payload.p, len);
	if (!runs(x))
		return;
	assert(taken <= len);
	x->payload.p += taken;
	x->payload.len -= taken;
	x->paused = taken < len;
}

/* Everything in the buffer, unless it pauses or is over. */
static void
digest(struct exchange *x)
{
	while (runs(x) && !x->paused) {
		if (x->payload.len > 0)
			hand_on(x);
		else if (x->body_done)
			x->verdict = EXCHANGE_ENDED;
		else if (x->input.len == 0)
			return;
		else if (!x->head_done)
			take_head(x);
		else if (x->body_kind == RESPONSE_BODY_CHUNKED)
			take_chunk(x);
		else
			take_plain(x);
	}
}

static void
connection_ended(struct exchange *x, bool properly)
{
	if (x->head_done) {
		if (x->body_kind == RESPONSE_BODY_UNTIL_CLOSE && properly)
			x->verdict = EXCHANGE_ENDED;
		else
			exchange_fail(x, UPSTREAM_CUT);
	} else if (!x->answered && x->reused) {
		/* Closed by the upstream while our request was on its way. */
		x->verdict = EXCHANGE_AGAIN;
	} else if (!x->answered && !x->sent) {
		exchange_fail(x, UPSTREAM_SEND);
	} else {
		exchange_fail(x, UPSTREAM_CLOSED_BEFORE_HEAD);
	}
}

/* False: nothing more to read now. */
static bool
read_some(struct exchange *x)
{
	struct upstream_client *client = x->upstream->client;
	size_t n;

	if (x->buffer == NULL)
		x->buffer = client_buffer_get(client);
	if (x->buffer == NULL) {
		exchange_fail(x, UPSTREAM_MEMORY);
		return false;
	}
	switch (connection_recv(x->connection, x->buffer->data, BUFFER_BYTES,
	    &n)) {
	case CONNECTION_OK:
		break;
	case CONNECTION_AGAIN:
		/* Then what hindered sending was no early answer. */
		if (x->connection->send_broken)
			connection_ended(x, false);
		return false;
	case CONNECTION_EOF:
		connection_ended(x, true);
		return false;
	case CONNECTION_BROKEN:
		connection_ended(x, false);
		return false;
	case CONNECTION_TLS:
	case CONNECTION_TLS_VERIFY:
	case CONNECTION_PROXY:
		exchange_fail(x, UPSTREAM_TLS);
		return false;
	}
	if (n > x->buffer->filled)
		x->buffer->filled = n;
	x->input = (struct span){ x->buffer->data, n };
	x->progress = loop_now(client->loop);
	x->answered = true;
	return true;
}

static void
tell_sent(struct exchange *x)
{
	if (!x->sent || x->told_sent || (x->reused && !x->answered))
		return;
	x->told_sent = true;
	if (x->handlers->on_sent != NULL)
		x->handlers->on_sent(x->arg);
}

void
exchange_receive(struct exchange *x)
{
	int reads = 0;

	tell_sent(x);
	digest(x);
	while (runs(x) && !x->paused) {
		if (reads++ == READS_PER_RUN) {
			exchange_run_later(x);
			break;
		}
		if (!read_some(x))
			break;
		tell_sent(x);
		digest(x);
	}
	if (x->payload.len == 0 && x->input.len == 0)
		client_buffer_put(x->upstream->client, &x->buffer);
}

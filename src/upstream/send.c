#include <assert.h>
#include <string.h>

#include "upstream/client.h"
#include "upstream/connection.h"
#include "upstream/endpoint_state.h"
#include "upstream/exchange_state.h"

/* The spans, and behind them what was appended, which is consumed. */
static struct span
piece_rest(const struct exchange *x, size_t i)
{
	struct span s;

	if (i > x->request.spans)
		return (struct span){ x->more.len > 0 ? buf_head(&x->more) :
		    NULL, x->more.len };
	s = i == 0 ? x->request.head : x->request.body[i - 1];
	if (i == x->piece) {
		s.p += x->piece_offset;
		s.len -= x->piece_offset;
	}
	return s;
}

static void
skip_empty(struct exchange *x)
{
	while (x->piece <= x->request.spans &&
	    piece_rest(x, x->piece).len == 0) {
		x->piece++;
		x->piece_offset = 0;
	}
	x->sent = x->piece > x->request.spans && x->more.len == 0 &&
	    !x->request.open;
}

static void
advance(struct exchange *x, size_t n)
{
	while (n > 0 && x->piece <= x->request.spans) {
		size_t rest = piece_rest(x, x->piece).len;

		if (n < rest) {
			x->piece_offset += n;
			n = 0;
			break;
		}
		n -= rest;
		x->piece++;
		x->piece_offset = 0;
	}
	buf_consume(&x->more, n);
	skip_empty(x);
}

/* What one sendmsg() gets. */
static size_t
gather_spans(const struct exchange *x, struct span *span)
{
	size_t spans = 0;

	for (size_t i = x->piece; i <= x->request.spans + 1; i++) {
		span[spans] = piece_rest(x, i);
		if (span[spans].len > 0)
			spans++;
	}
	return spans;
}

/*
 * What one TLS record gets: up to BUFFER_BYTES, copied together when a piece
 * is short and others follow, in place when not.  For the same position it is
 * always the same, or longer, as OpenSSL wants it when a write is repeated.
 */
static struct span
gather_record(const struct exchange *x, struct buffer *staging)
{
	struct span first = piece_rest(x, x->piece);

	if (first.len >= BUFFER_BYTES || x->piece > x->request.spans ||
	    (x->piece == x->request.spans && x->more.len == 0)) {
		if (first.len > BUFFER_BYTES)
			first.len = BUFFER_BYTES;
		return first;
	}
	for (size_t i = x->piece; i <= x->request.spans + 1; i++) {
		struct span s = piece_rest(x, i);
		size_t room = BUFFER_BYTES - staging->filled;

		if (s.len == 0)
			continue;
		if (s.len > room)
			s.len = room;
		memcpy(staging->data + staging->filled, s.p, s.len);
		staging->filled += s.len;
		if (staging->filled == BUFFER_BYTES)
			break;
	}
	return (struct span){ staging->data, staging->filled };
}

/* An open exchange may have nothing to send for now. */
static bool
has_some(const struct exchange *x)
{
	return x->piece <= x->request.spans || x->more.len > 0;
}

static enum connection_result
send_some(struct exchange *x, size_t *n_r)
{
	struct upstream_client *client = x->upstream->client;
	struct span span[EXCHANGE_BODY_SPANS + 2];
	enum connection_result result;
	struct buffer *staging;

	if (x->connection->ssl == NULL)
		return connection_send(x->connection, span,
		    gather_spans(x, span), n_r);
	*n_r = 0;
	staging = client_buffer_get(client);
	if (staging == NULL) {
		exchange_fail(x, UPSTREAM_MEMORY);
		return CONNECTION_AGAIN;
	}
	span[0] = gather_record(x, staging);
	result = connection_send(x->connection, span, 1, n_r);
	client_buffer_put(client, &staging);
	return result;
}

void
exchange_send(struct exchange *x)
{
	size_t n;

	skip_empty(x);
	while (!x->sent && has_some(x) && x->connection->writable &&
	    send_some(x, &n) == CONNECTION_OK) {
		x->began_sending = true;
		x->progress = loop_now(x->upstream->client->loop);
		advance(x, n);
	}
	x->sent_at = x->progress;
	/* A failure isn't one yet: receiving finds out if there is an answer
	 * that explains it. */
}

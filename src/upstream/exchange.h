/*
 * exchange.h: one request to an upstream and its answer.
 * Layer: upstream.  One thread, one loop; non-blocking.
 * Written by: the worker that starts it.
 *
 * No handler is ever called from within exchange_start(), exchange_resume() or
 * exchange_cancel(), only from the loop; any of these functions may be called
 * from within a handler.
 */
#ifndef UPSTREAM_EXCHANGE_H
#define UPSTREAM_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "http/response_head.h"
#include "upstream/failure.h"

struct exchange;
struct upstream;

#define EXCHANGE_BODY_SPANS	12

/*
 * The bytes that head and body point to are borrowed until on_sent, or the
 * exchange's end if on_sent never comes; the struct itself is copied.
 * Neither the head's framing nor the body's length is checked against it:
 * use request_head_render() with the sum of the spans.
 */
struct exchange_request {
	struct span head;
	struct span body[EXCHANGE_BODY_SPANS];
	size_t spans;
	bool is_head;			/* HEAD: the answer has no body */
	/* From the request sent to the first byte of the answer's body; 0: as
	 * long as the upstream's timeouts say. */
	int64_t first_token_ms;
	/* When the time for the whole began, if not now; ns 0: now. */
	struct mono_time since;
	bool open;			/* more follows by exchange_append() */
};

/* What an open exchange keeps of a body that the upstream is slow to take. */
#define EXCHANGE_WINDOW_BYTES	65536

/*
 * In order: on_head once, on_body any number of times, then on_end; or
 * on_fail at any place instead.  Exactly one of on_end and on_fail comes, once,
 * unless exchange_cancel() was called; with it the exchange is gone and the
 * pointer is void.  on_sent may be NULL; the others may not.
 */
struct exchange_handlers {
	/* The request's bytes are needed no longer, also not for a retry.
	 * Comes at most once; early answers may come before or without it. */
	void (*on_sent)(void *arg);

	/* head is borrowed until this exchange ends. */
	void (*on_head)(void *arg, int status,
	    const struct response_head *head);

	/*
	 * len > 0 bytes of payload, chunked framing removed, as they arrived,
	 * borrowed for the call.  Returns how many of them were taken.  With
	 * fewer than len the exchange is paused: the rest stays in the read
	 * buffer, nothing more is read, and idle and first-byte times stand
	 * still, until exchange_resume(); the rest then comes again.
	 */
	size_t (*on_body)(void *arg, const char *p, size_t len);

	/* The answer was complete by its own framing. */
	void (*on_end)(void *arg);

	void (*on_fail)(void *arg, enum upstream_failure failure);

	/* The window of an open exchange, more than half full before, isn't
	 * any more; may be NULL if none is open. */
	void (*on_room)(void *arg);
};

/*
 * Writes at once if a pooled connection is there, else connects.  handlers:
 * borrowed until the end.  NULL when memory is short; all other failures come
 * through on_fail.
 */
struct exchange *exchange_start(struct upstream *upstream,
	    const struct exchange_request *request,
	    const struct exchange_handlers *handlers, void *arg)
	    __attribute__((warn_unused_result));

/*
 * The body of an open exchange comes bit by bit: how much exchange_append()
 * takes now; 0: wait for on_room.  It copies, and is False when memory is
 * short.  exchange_close() says that it was all.  An open exchange never uses
 * a pooled connection, for it could not be repeated.
 */
size_t	exchange_room(const struct exchange *exchange);
bool	exchange_append(struct exchange *exchange, const char *p, size_t len)
	    __attribute__((warn_unused_result));
void	exchange_close(struct exchange *exchange);

/* Ends a pause, in this turn of the loop or the next; else does nothing: the
 * pause begins when on_body has returned, not before. */
void	exchange_resume(struct exchange *exchange);

/* Closes the connection; no handler is called any more.  Clears *exchange. */
void	exchange_cancel(struct exchange **exchange);

/* Was the request sent twice, because a pooled connection turned out to be
 * closed before a single byte of the answer? */
bool	exchange_retried(const struct exchange *exchange);

/* Did any byte of the request leave? False: the upstream can't charge. */
bool	exchange_began_sending(const struct exchange *exchange);

#endif

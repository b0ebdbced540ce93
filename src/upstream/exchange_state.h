/*
 * exchange_state.h: what an exchange is made of.
 * Layer: upstream, private to it.
 * Written by: exchange.c (life and times), send.c (the request's side),
 * receive.c (the answer's side).
 */
#ifndef UPSTREAM_EXCHANGE_STATE_H
#define UPSTREAM_EXCHANGE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "http/chunked.h"
#include "http/response_head.h"
#include "upstream/exchange.h"

struct buffer;
struct connection;

enum exchange_verdict {
	EXCHANGE_RUNS,
	EXCHANGE_ENDED,
	EXCHANGE_FAILED,
	EXCHANGE_AGAIN,			/* once more, on a fresh connection */
	EXCHANGE_CANCELLED
};

struct exchange {
	struct upstream *upstream;
	struct connection *connection;
	const struct exchange_handlers *handlers;
	void *arg;
	struct exchange *next_free;

	enum exchange_verdict verdict;
	enum upstream_failure failure;	/* when it failed */
	bool busy;			/* exchange_run() is on the stack */
	bool due_now;			/* the timer only defers work */

	/* The one timer, and what its deadlines count from.  It is moved only
	 * to become earlier; firing early it looks and sleeps on. */
	struct loop_timer timer;
	struct mono_time started;
	struct mono_time connecting;	/* since; again for a retry */
	struct mono_time progress;	/* the last byte, either way */
	struct mono_time sent_at;	/* the request's last byte */

	/* The request's side. */
	struct exchange_request request;
	size_t piece;			/* 0: the head; the spans; `more` */
	size_t piece_offset;
	bool reused;			/* by a connection from the pool */
	bool retried;
	bool began_sending;
	bool sent;
	bool told_sent;
	bool full;			/* on_room is owed */
	struct buf more;		/* what was appended */

	/* The answer's side. */
	bool answered;			/* at least one byte came */
	bool head_done;
	bool body_begun;		/* a byte of it was handed on */
	bool body_done;
	bool paused;
	enum response_body body_kind;
	uint64_t left_bytes;		/* RESPONSE_BODY_LENGTH */
	struct chunked chunked;
	/* Bytes of the buffer: payload that on_body hasn't taken, then input
	 * that hasn't been looked at.  No buffer when there are none. */
	struct buffer *buffer;
	struct span payload;
	struct span input;
	struct response_head head;
};

/* Something happened to its connection; may end the exchange. */
void	exchange_run(struct exchange *x);

/* Ends it as failed, from the loop, outside exchange_run(). */
void	exchange_abort(struct exchange *x, enum upstream_failure failure);

/* Inside exchange_run(); the verdict is acted on at its end. */
void	exchange_fail(struct exchange *x, enum upstream_failure failure);

/* Calls exchange_run() from the loop: in the next turn, so that others go
 * first. */
void	exchange_run_later(struct exchange *x);

/* Writes what can be written.  Calls no handler. */
void	exchange_send(struct exchange *x);

/* Reads what can be read and hands it on. */
void	exchange_receive(struct exchange *x);

#endif

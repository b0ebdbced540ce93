/*
 * request.h: a request as it comes in: head, body, then the answer.
 * Layer: worker (private).
 * Written by: front.c calls these from libmicrohttpd's one callback.
 *
 * All return false when the connection must be closed at once.
 */
#ifndef WORKER_REQUEST_H
#define WORKER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;
struct call;

/* The head is complete: every refusal that needs no body. */
bool	request_head(struct call *call, struct MHD_Connection *connection,
	    const char *method, const char *path)
	    __attribute__((warn_unused_result));

/* A piece of the body: *taken_r bytes of it; 0: the connection was suspended,
 * and the same piece comes again. */
bool	request_body(struct call *call, const char *p, size_t len,
	    size_t *taken_r) __attribute__((warn_unused_result));

/* The request is complete, or the connection was woken: answers what can be
 * answered and suspends what can't. */
bool	request_serve(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));

#endif

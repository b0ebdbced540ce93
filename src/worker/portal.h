/*
 * portal.h: calls that the portal answers: /api/v1 and what goes with it.
 * Layer: worker (private).
 * Written by: one thread.
 *
 * A worker can open no unix socket, so it makes a pair (socketpair(2)) and
 * hands one end to the portal over a socket that both were born with.  On the
 * other end it speaks HTTP/1.1, as with any upstream.  Method, path, query,
 * body and some headers go there as they came; nothing is held, metered or
 * recorded.  An answer's body begins with its head for the client: "Name:
 * value" lines and a blank one, PORTAL_HEAD_BYTES at most.
 */
#ifndef WORKER_PORTAL_H
#define WORKER_PORTAL_H

#include <stdbool.h>
#include <stddef.h>

#define PORTAL_HEAD_BYTES 4096

struct call;
struct MHD_Connection;
struct MHD_Response;
struct portal_answer;
struct portal_link;
struct worker;

/* NULL: memory is short.  Without a portal (heritage->portal_fd below 0) it
 * refuses every call. */
struct portal_link *portal_link_open(struct worker *worker);
void	portal_link_close(struct portal_link **link);

/* The request's head has come.  False: refused. */
bool	portal_head(struct call *call, struct MHD_Connection *connection,
	    const char *method, const char *path)
	    __attribute__((warn_unused_result));
/* All of it has: asks the portal, or refuses. */
void	portal_ask(struct call *call);
/* The headers that the portal gave the answer. */
bool	portal_add_headers(const struct call *call,
	    struct MHD_Response *response) __attribute__((warn_unused_result));
/* The client left, or the worker's time is over: forgets the exchange. */
void	portal_leave(struct call *call);
/* With the call. */
void	portal_forget(struct call *call);

#endif

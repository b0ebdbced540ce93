/*
 * translated.h: a call whose client and channel speak different protocols.
 * Layer: worker (private).
 * Written by: one thread; forward.c, relay.c and relay_end.c ask.
 *
 *	client's body ─► translate ─► upstream's body
 *	upstream's bytes ─┬─► meter
 *	                  └─► translate ─► call->relay
 *
 * Money knows nothing of it: the meter reads what the upstream says, in the
 * upstream's words.  Whole answers and errors are collected, and translated
 * once they are complete.
 */
#ifndef WORKER_TRANSLATED_H
#define WORKER_TRANSLATED_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/error.h"
#include "wire/route.h"

struct call;
struct catalogue_channel;

/* A channel of the route's own protocol that lacks the route. */
bool	translated_instead(enum wire_route route,
	    const struct catalogue_channel *channel);

/* Calls of that route can be made in that protocol, which isn't their own. */
bool	translated_possible(enum wire_route route,
	    enum wire_protocol upstream);

/*
 * The request for such a channel: call->splice is its body,
 * call->upstream_route its route.  Anything but NONE: why not.  With
 * NOT_TRANSLATED the client's answer is in call->relay.
 */
enum wire_error translated_begin(struct call *call,
	    enum wire_protocol upstream) __attribute__((warn_unused_result));

/* After NOT_TRANSLATED, when there is nowhere else to go: that answer it is.
 * The hold is the caller's to settle. */
void	translated_refuse(struct call *call);

/* A head came: what the client's is to say.  False: the answer isn't of the
 * kind that was asked for. */
bool	translated_head(struct call *call, bool is_event_stream)
	    __attribute__((warn_unused_result));

/* More of a stream, into call->relay.  False: it is not of its protocol. */
bool	translated_feed(struct call *call, const char *p, size_t len)
	    __attribute__((warn_unused_result));
/* Its end.  False: the answer has none. */
bool	translated_end(struct call *call) __attribute__((warn_unused_result));
/* An error of ours ends it.  False: there is no room. */
bool	translated_fail(struct call *call, enum wire_error error)
	    __attribute__((warn_unused_result));
/* All that was put into call->relay was taken back. */
void	translated_unsay(struct call *call);

/* More of a whole answer, or of an error.  False: it is too long. */
bool	translated_collect(struct call *call, const char *p, size_t len)
	    __attribute__((warn_unused_result));
/* That is all: into call->relay.  False: it is not of its protocol. */
bool	translated_whole(struct call *call) __attribute__((warn_unused_result));

/* The request's body is needed no more; then nothing is.  Any call. */
void	translated_forget_body(struct call *call);
void	translated_forget(struct call *call);

#endif

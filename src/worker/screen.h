/*
 * screen.h: calls are searched for what the operator's lists name.
 * Layer: worker (private).
 * Written by: one thread; admit.c, upload.c and relay.c ask.
 *
 * Text is what stands in strings of the JSON that passes, and in fields of
 * forms: names of members, ids, roles, encoded data and files are not.  In an
 * answer that comes in events one text goes on from event to event.  Only the
 * number of the list is kept, in the call's record.
 */
#ifndef WORKER_SCREEN_H
#define WORKER_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct json_text_handlers;
struct screening;

/* The request, complete in call->body.  False: refused. */
bool	screen_request(struct call *call) __attribute__((warn_unused_result));

/* The request's text, as it is screened, to somebody else. */
void	screen_walk(const struct call *call,
	    const struct json_text_handlers *handlers, void *context);

/* A field of a form: bit by bit, and its end.  False: it is to be refused. */
bool	screen_field(struct call *call, const char *text, size_t len)
	    __attribute__((warn_unused_result));
bool	screen_field_end(struct call *call)
	    __attribute__((warn_unused_result));

/* Bytes of the answer, as the upstream sends them.  False: it is not to go
 * on; these bytes are not to be delivered. */
bool	screen_answer(struct call *call, const char *p, size_t len)
	    __attribute__((warn_unused_result));
/* All has come. */
bool	screen_answer_end(struct call *call)
	    __attribute__((warn_unused_result));

/* What comes next is another text: the answer after the request, another
 * attempt's, or nothing. */
void	screen_free(struct call *call);

#endif

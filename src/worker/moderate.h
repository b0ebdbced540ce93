/*
 * moderate.h: a channel is asked about a request before it is forwarded.
 * Layer: worker (private).
 * Written by: one thread; request.c, upload.c and relay_end.c ask.
 *
 *	admitted ──► asked ──► passed, flagged ──► attempt_first()
 *	                └────► blocked, no answer ──► refused, hold voided
 *
 * The call holds its money meanwhile, and nothing of it has left but its text,
 * to that channel; it is CALL_WAITING without an exchange.  What is sent and
 * what comes back is scrubbed with the answer; the record has its outcome.
 */
#ifndef WORKER_MODERATE_H
#define WORKER_MODERATE_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct moderation;

enum moderate_result {
	MODERATE_PASSED,	/* nobody is asked, or it goes on anyway */
	MODERATE_ASKED,		/* it goes on or is refused by itself */
	MODERATE_REFUSED	/* nobody could be asked; the hold is voided */
};

/* With the hold, instead of attempt_first() until it says PASSED. */
enum moderate_result moderate_begin(struct call *call)
	    __attribute__((warn_unused_result));

/* Is an answer awaited? */
bool	moderate_waits(const struct call *call);

/* Fields of a form, as screen_field(), are collected for moderate_begin() if
 * somebody is to be asked when it begins: call->moderation is there then, and
 * the form must be complete before it is forwarded. */
void	moderate_form(struct call *call);
void	moderate_field(struct call *call, const char *text, size_t len);
void	moderate_field_end(struct call *call);

/* The answer is awaited no more; the hold is the caller's to end.  Any number
 * of times. */
void	moderate_forget(struct call *call);

#endif

/*
 * answers.h: answers that their upstream keeps: whose, where, and paid or not.
 * Layer: worker (private).
 * Written by: one thread; the table is shm/answer.h's.
 *
 * An answer's id leads to the channel that made it: whoever asks for it again,
 * or continues it, must be sent there, and must be who asked for it first, for
 * all customers share the operator's account with the upstream.
 */
#ifndef WORKER_ANSWERS_H
#define WORKER_ANSWERS_H

#include <stdbool.h>

#include "base/bytes.h"

struct call;

/* By the id that the customer gave; into call->stored.  False: there is none
 * of that account. */
bool	answers_find(struct call *call, struct span id)
	    __attribute__((warn_unused_result));

/* Is this one of the routes about a kept answer, and is its bill still to be
 * written? */
bool	answers_open(const struct call *call);

/* The meter may have read the id of an answer that is kept: remembers it,
 * before anybody else learns the id.  Cheap when there is nothing to do. */
void	answers_note(struct call *call);

/* Is an answer on its way that is paid for at its end only, or not at all?
 * Then that end is waited for even if the client leaves. */
bool	answers_unpaid(const struct call *call);

/* Asked once, at the settlement: is the call to be charged for? */
bool	answers_charge(struct call *call);

#endif

/*
 * park.h: calls that wait for money from home.
 * Layer: worker (private).
 * Written by: admit.c parks; the worker's timer wakes.
 *
 * A call parks when its account's lease is short and the segment says that
 * there is more elsewhere.  The flusher is asked and woken, the loop goes on,
 * and the account is looked at every few milliseconds until it was answered or
 * refill_timeout is over; then the call tries again.  A call that has no hold
 * yet is admitted anew, a stream goes on where it stands (relay.c).
 */
#ifndef WORKER_PARK_H
#define WORKER_PARK_H

#include <stdint.h>

struct call;
struct parking;
struct worker;

enum park_result {
	PARK_WAITS,	/* it will be woken */
	PARK_SHORT,	/* there is no more: the truth, as far as it is known */
	PARK_NO_ANSWER	/* nobody said within the time */
};

/* Returned, caller closes; NULL: no memory. */
struct parking *park_open(struct worker *worker);
void	park_close(struct parking **parking);

/* A step of `nano` found less than that; at least `least` would be of use.
 * Called again after each waking that didn't help, until it says that waiting
 * is over. */
enum park_result park_wait(struct call *call, int64_t nano, int64_t least)
	    __attribute__((warn_unused_result));
/* Its waiting is over, however; a later one has its own time. */
void	park_done(struct call *call);
/* It isn't woken any more. */
void	park_forget(struct call *call);

/* Nobody waits yet: asks for more if the lease is low, or for nano. */
void	park_in_time(struct call *call, int64_t nano);

#endif

/*
 * settle.h: the end of a call's money, exactly once, and its record.
 * Layer: worker (private).
 * Written by: the call's worker.
 *
 *	what happened				usage charged
 *	the answer was complete			as stated; if not, estimated
 *	broke off, nothing was delivered	none
 *	broke off after that			stated or estimated, the greater
 *	the upstream said no (not 2xx)		none
 *	client gone, upstream had begun		as seen; at least the input
 *	client gone, nothing sent upstream	none
 *	money gone				as seen, never above the hold
 */
#ifndef WORKER_SETTLE_H
#define WORKER_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fee.h"

struct call;

/* Charges what was used.  No-op when settled. */
void	settle_usage(struct call *call);
/* Charges nothing.  No-op when settled. */
void	settle_free(struct call *call);

/* A refusal: nothing was held; recorded if the route is one that is billed. */
void	settle_refusal(struct call *call);

/* Keeps what a crash would charge up to date; cheap when nothing changed.
 * billable: something is about to reach the client. */
void	settle_progress(struct call *call, bool billable);

/* Output so far, to hold money for: stated (up to the ceiling) or estimated,
 * the greater. */
uint64_t settle_output_tokens(struct call *call);

/* What we know without the upstream, in tokens. */
struct settle_known {
	uint64_t input_tokens;		/* estimated from the request */
	uint64_t output_tokens;		/* estimated from what has passed */
	uint64_t ceiling_tokens;	/* of output, asked for; 0: unknown */
};

/*
 * For tests: what is charged for, from what the meter has read.  complete: the
 * answer's end was seen, so that what was stated is all.  What can't be is
 * replaced and marked: no input, no output though some passed, more output
 * than was asked for and has passed.
 */
void	settle_complete_usage(const struct usage *seen, bool complete,
	    const struct settle_known *known, struct usage *usage_r);

#endif

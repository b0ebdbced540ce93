/*
 * admit.h: may this call be made, by which channel, and with what money?
 * Layer: worker (private).
 * Written by: nobody; takes holds.
 */
#ifndef WORKER_ADMIT_H
#define WORKER_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

struct call;
struct view_channel;

struct admission {
	const struct view_channel *channel;
	const char *upstream_name;	/* of the model */
};

/* Are new calls taken at all?  False: refused. */
bool	admit_any(struct call *call) __attribute__((warn_unused_result));

/*
 * With the body scanned into call->request.  On true the call has its hold and
 * *admission_r (borrowed until the next turn) says where it goes; false:
 * refused, nothing is held.
 */
bool	admit_call(struct call *call, struct admission *admission_r)
	    __attribute__((warn_unused_result));

/*
 * Holds for more output as it grows to output_tokens.  False: what came is no
 * longer covered, and there is no money to cover it.
 */
bool	admit_extend(struct call *call, uint64_t output_tokens)
	    __attribute__((warn_unused_result));

/* What the request turned out to ask for since it was admitted: holds for
 * that too.  False: there is no money for it. */
bool	admit_more(struct call *call) __attribute__((warn_unused_result));

#endif

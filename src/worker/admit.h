/*
 * admit.h: may this call be made, by which channel, and with what money?
 * Layer: worker (private).
 * Written by: nobody; takes holds.
 */
#ifndef WORKER_ADMIT_H
#define WORKER_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/choose.h"

struct call;
struct catalogue_model;

struct admission {
	const struct catalogue_model *model;
	struct choice choice;
};

/* Are new calls taken at all?  False: refused. */
bool	admit_any(struct call *call) __attribute__((warn_unused_result));

/*
 * With the body scanned into call->request.  On true the call has its hold and
 * *admission_r (borrowed until the next turn) says where it goes; false:
 * refused, nothing is held; or, without an answer, parked: it is woken and this
 * is called again.
 */
bool	admit_call(struct call *call, struct admission *admission_r)
	    __attribute__((warn_unused_result));

enum admit_more {
	ADMIT_COVERED,
	ADMIT_PARKED,		/* money may come: relay_refilled() follows */
	ADMIT_NO_MONEY		/* what came is no longer covered */
};

/* Holds for more output as it grows to output_tokens. */
enum admit_more	admit_extend(struct call *call, uint64_t output_tokens)
	    __attribute__((warn_unused_result));

/* Has all that the request turned out to ask for since it was admitted a
 * price?  False: refused. */
bool	admit_priced(struct call *call) __attribute__((warn_unused_result));

/* Holds for that too. */
enum admit_more	admit_rest(struct call *call)
	    __attribute__((warn_unused_result));

#endif

/*
 * amount.h: how much money a call needs, before and on its way.
 * Layer: worker (private).  Pure arithmetic.
 * Written by: nobody.
 */
#ifndef WORKER_AMOUNT_H
#define WORKER_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fee.h"
#include "shm/hold.h"

struct wire_asked;
struct wire_request;

/* Steps below this are not worth an attempt of their own. */
#define AMOUNT_STEP_MIN_TOKENS 16

struct amount_plan {
	uint64_t input_tokens;		/* estimated */
	uint64_t ceiling_tokens;	/* of output: more can't come */
	uint64_t first_tokens;		/* of output: to be held for at first */
	bool free;			/* none of it is to be held for */
};

/*
 * An unstreamed call is held for as a whole; a stream step by step.
 * max_output_tokens is the model's, 0 when it has none.
 */
struct amount_plan amount_plan(const struct wire_request *request,
	    uint64_t max_output_tokens, uint64_t default_max_tokens,
	    uint64_t step_tokens);

/*
 * What the call may use besides the tokens, in the dearest way that it may be
 * served in: one call, the tools that the provider runs, and the tier, speed
 * and region out of what was asked for.
 */
struct usage amount_besides(const struct wire_request *request,
	    const struct price *price);

/*
 * What a call of so many tokens can cost at most: `besides`, and the tokens at
 * the dearest of the prices that they can be billed by (writing to a cache
 * costs more than reading, audio more than text), long contexts and the
 * minimum fee included.  INT64_MAX when it passes that or can't be priced.
 */
int64_t	amount_of(const struct hold_terms *terms, const struct usage *besides,
	    uint64_t input_tokens, uint64_t output_tokens);

/* The difference that more output makes; never negative. */
int64_t	amount_more(const struct hold_terms *terms,
	    const struct usage *besides, uint64_t input_tokens,
	    uint64_t covered_tokens, uint64_t more_tokens);

/*
 * May such a call be made?  With `refuse` everything that it could use must
 * have a price (base/fee.h's marks); else it is enough that something can be
 * charged.
 */
bool	amount_priced(const struct price *price, const struct usage *besides,
	    uint64_t output_tokens, bool refuse);

#endif

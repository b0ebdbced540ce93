/*
 * limits.h: what a call's key, customer, group and address may still use.
 * Layer: worker (private).
 * Written by: the call's own thread.
 *
 * limits_glance() before anything is held, so that who is over a limit costs
 * next to nothing; limits_take() once the hold is there; limits_end() before
 * the hold's end.
 */
#ifndef WORKER_LIMITS_H
#define WORKER_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/limit.h"

struct call;
struct MHD_Response;

/* A call's part; zero at first. */
struct call_limits {
	uint32_t slot[LIMIT_LEVELS];
	struct limit_rates rates[LIMIT_LEVELS];
	uint64_t tokens;		/* taken */
	uint8_t known;		/* bits of levels that have limits */
	uint8_t taken;		/* likewise: whose rates were charged */
	uint8_t entered;	/* likewise: where it is counted in */
};

/* False: refused, it has more than it may. */
bool	limits_glance(struct call *call) __attribute__((warn_unused_result));
/* A call has no key that is known here.  False: refused, its address had more
 * of these than it may. */
bool	limits_fail(struct call *call) __attribute__((warn_unused_result));
/* tokens: of input and output, that money is held for.  False: refused; the
 * hold is over, and with it the call's money. */
bool	limits_take(struct call *call, uint64_t tokens)
	    __attribute__((warn_unused_result));
/* An attempt goes by the channel of that slot, and by no other any more.
 * False: it has used the tokens that it may for now. */
bool	limits_channel(struct call *call, uint32_t slot)
	    __attribute__((warn_unused_result));
/* The hold is about to end; so many tokens it came to. */
void	limits_end(struct call *call, uint64_t tokens);

/*
 * What is left, in the protocol's own headers; nothing where there is no
 * limit.  Google's clients know none.  False: memory is short.
 */
bool	limits_add_headers(const struct call *call,
	    struct MHD_Response *response) __attribute__((warn_unused_result));

/* "6m0s", "1s", "20ms", as OpenAI writes how long something takes. */
#define LIMITS_DURATION_BYTES 32
void	limits_format_duration(int64_t ns, char text_r[LIMITS_DURATION_BYTES]);

#endif

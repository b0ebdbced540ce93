/*
 * spending.h: what a call takes of the budgets of its key, customer, group,
 * address, and of the channel that an attempt goes by.
 * Layer: worker (private).
 * Written by: the call's own thread.
 *
 * Money is taken of the budgets first and then held, and corrected before the
 * hold ends; see budget.h.  Whoever has no cap has no cost.
 */
#ifndef WORKER_SPENDING_H
#define WORKER_SPENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/budget.h"
#include "shm/hold.h"
#include "wire/error.h"

struct call;

/* A call's part; zero at first. */
struct call_spending {
	struct budget_caps caps[LIMIT_LEVELS];
	struct budget_time when;
	struct budget_sum taken;
	enum budget_verdict verdict;	/* why the last taking failed */
	uint8_t known;			/* bits of levels that have caps */
};

/* Looks for caps where limits were found.  False: refused, one of them is
 * used up. */
bool	spending_glance(struct call *call) __attribute__((warn_unused_result));

/* hold_reserve() and hold_extend() for so much money and so many tokens.
 * HOLD_SHORT may be for want of either; spending_short() tells. */
enum hold_result spending_reserve(struct call *call, int64_t nano,
	    uint64_t tokens) __attribute__((warn_unused_result));
enum hold_result spending_extend(struct call *call, int64_t nano,
	    uint64_t tokens) __attribute__((warn_unused_result));

/* Was it a cap, and not the balance, that refused? */
bool	spending_short(const struct call *call);
/* The error for it: of a call's beginning, or in its stream. */
enum wire_error spending_error(const struct call *call);
enum wire_error spending_stream_error(const struct call *call);

/*
 * An attempt goes by the channel of that slot, and by no other any more; what
 * is held for the call counts there.  False: it has spent what it may.  A
 * stream that has begun isn't cut for what its channel may cost.
 */
bool	spending_channel(struct call *call, uint32_t slot)
	    __attribute__((warn_unused_result));

/* It goes by none for now; before limits_channel(), which names the next. */
void	spending_leave_channel(struct call *call);

/* The hold is about to end: what the call came to. */
void	spending_end(struct call *call, int64_t fee_nano, uint64_t tokens);

#endif

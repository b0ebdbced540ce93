/*
 * fee.h: what a usage costs at a price, and the one rounding between.
 * Layer: base.  Pure arithmetic; nobody's state is touched.
 * Written by: nobody.
 *
 *	fee = round( max( ( Σ count·price·long × tier × speed × region
 *			+ Σ count·price of calls and tool calls ),
 *			minimum ) × group )
 *
 * with the other model's part, at its own row, inside the parentheses; exact
 * to the last digit, rounded half to even once.
 *
 * What has no price of its own
 *
 *	cache reads and writes	as input (1h as 5m, if that is priced)
 *	audio, images		as input or output: marked
 *	input or output		as whichever token price of the row is the
 *				dearest: marked
 *	a row without any	tokens cost nothing if a measure or the call
 *	token price		is charged; else unpriced
 *	images, minutes,	nothing if tokens or another measure are charged;
 *	characters		else as many tokens (usage_dims): marked
 *	tool calls		as many input tokens (usage_dims): marked
 *	the call itself		nothing
 *
 * Marked is what the operator may not have thought of; all but audio and images
 * at the price of text is refused where it is known beforehand, unless
 * unpriced_dimension says otherwise.  A usage that has no price even so is
 * FEE_UNPRICED and never free: what is held is charged.
 */
#ifndef BASE_FEE_H
#define BASE_FEE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/price.h"
#include "base/usage.h"

enum fee_result {
	FEE_OK,
	FEE_OVERFLOW,	/* more than INT64_MAX nano: *fee_r = INT64_MAX */
	FEE_UNPRICED	/* something was used that can't be priced: 0 */
};

/* How a dimension of a usage is charged; a line of the bill. */
enum fee_how {
	FEE_HOW_NOT_USED,	/* its count is 0 */
	FEE_HOW_PRICED,
	FEE_HOW_ALIAS,		/* at another dimension's price, as is usual */
	FEE_HOW_REFINED,	/* audio, images as text; marked */
	FEE_HOW_MARKED,		/* as something else, for want of a price */
	FEE_HOW_INCLUDED,	/* nothing: what it measures is charged */
	FEE_HOW_FREE,		/* the row is free */
	FEE_HOW_UNPRICED
};

struct fee_line {
	enum fee_how how;
	enum usage_dim as;	/* whose price it is */
	uint64_t count;		/* of `as` */
	int64_t nano;		/* for usage_dims[as].per of it */
	uint32_t ppm;		/* long-context multiplier, else one */
	bool is_long;		/* a long-context price or multiplier */
};

/*
 * The price that applies to a dimension: its own, else that of the dimension
 * it refines (cache reads and writes fall back to USAGE_INPUT), never 0 by
 * accident.  Returns PRICE_UNSET when neither is priced; 0 for a free row.
 */
int64_t	fee_price_of(const struct price *price, enum usage_dim dim);

/* Can a call of text in and text out be billed by this row? */
bool	fee_price_complete(const struct price *price);

/* Could all of this usage be charged by prices that are meant for it? */
bool	fee_price_covers(const struct price *price, const struct usage *usage);

/* How `dim` of the usage is charged by the row. */
struct fee_line fee_line(const struct usage *usage,
	    const struct price *price, enum usage_dim dim);

/* The multipliers on all but calls and tool calls; ONE where none is set. */
struct fee_factors {
	uint32_t tier_ppm, speed_ppm, region_ppm;
};
struct fee_factors fee_factors(const struct usage *usage,
	    const struct price *price);
/* Is it charged whatever the tier, the speed and the region? */
bool	fee_is_flat(enum usage_dim dim);

/* usage.other's counts as a usage of their own, in the same tier, speed and
 * region. */
void	fee_other_usage(const struct usage *usage, struct usage *other_r);

struct fee_terms {
	const struct price *price;
	const struct price *other;	/* of usage.other; NULL: price, marked */
	uint32_t multiplier_ppm;	/* the group's */
};

/*
 * The fee, in integers of 256 bits, rounded once.  Counts above
 * USAGE_COUNT_MAX must have been clamped, prices be sane (assert).  *marked_r,
 * if not NULL, tells of what is marked and of FEE_UNPRICED.
 */
enum fee_result	fee_compute(const struct usage *usage,
	    const struct fee_terms *terms, int64_t *fee_nano_r, bool *marked_r)
	    __attribute__((warn_unused_result));

/*
 * The exact amounts behind it, for those who explain it: as decimal text of
 * currency units, all digits, at least two after the point.
 */
#define FEE_EXACT_BYTES 96
struct fee_steps {
	char scaled[FEE_EXACT_BYTES];	/* Σ of what tiers multiply */
	char flat[FEE_EXACT_BYTES];	/* Σ of calls and tool calls */
	char served[FEE_EXACT_BYTES];	/* scaled × tier × speed × region */
	char other[FEE_EXACT_BYTES];	/* the other model's, likewise */
	char total[FEE_EXACT_BYTES];	/* served + flat + other */
	char charged[FEE_EXACT_BYTES];	/* that or the minimum, × group */
	bool has_flat, has_other, by_minimum;
};
void	fee_explain(const struct usage *usage, const struct fee_terms *terms,
	    struct fee_steps *steps_r);
/* One line's amount: count × nano × ppm / per. */
void	fee_line_amount(const struct fee_line *line,
	    char text_r[FEE_EXACT_BYTES]);

#endif

/*
 * explain.h: a fee, step by step, every digit shown.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_EXPLAIN_H
#define ADMIN_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fee.h"

struct record;

/*
 * Adds to the record how the usage is charged: a line for each dimension, the
 * multipliers, the sums, the minimum and the rounding.  other_model is what
 * did usage.other, NULL when it is not known.  Returns what fee_compute()
 * says, with its results.
 */
enum fee_result	explain_fee(struct record *record, const struct usage *usage,
	    const struct fee_terms *terms, const char *other_model,
	    int64_t *fee_r, bool *marked_r)
	    __attribute__((warn_unused_result));

#endif

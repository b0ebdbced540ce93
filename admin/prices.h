/*
 * prices.h: every row of prices or of costs there ever was, in memory.
 * Layer: admin.
 * Written by: prices_load() and costs_load() alone.
 */
#ifndef ADMIN_PRICES_H
#define ADMIN_PRICES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fee.h"
#include "db/connection.h"
#include "shm/catalogue.h"
#include "shm/record.h"

struct prices;

struct priced {
	struct price price;
	uint64_t model_id;
	uint64_t channel_id;		/* 0: a price, not a cost */
	int64_t effective_us;
	char model[MODEL_NAME_BYTES];
};

/* Caller frees with prices_free().  NULL: *result_r says why (DB_OK: no
 * memory). */
struct prices *prices_load(struct db *db, enum db_result *result_r);
struct prices *costs_load(struct db *db, enum db_result *result_r);
void	prices_free(struct prices **prices);

/* By version; borrowed; NULL when there is none. */
const struct priced *prices_find(const struct prices *prices,
	    uint64_t version);
/* Does that row price the model of this id, as its own or as a pattern's? */
bool	prices_fit(const struct prices *prices, const struct priced *priced,
	    uint64_t model_id);
/* What a channel's provider charged for a model at a time, by the closest row;
 * NULL: unknown. */
const struct price *costs_at(const struct prices *costs, uint64_t channel_id,
	    const char *model, int64_t at_us);

/*
 * The fee by a record's counts, computed again: fee and uncollected together.
 * other is the price of the other model's part, NULL where the record names
 * none.  NULL: *fee_r is it, and *marked_r whether the record must say
 * RECORD_UNPRICED; else why it can't be (static).  Counts come from outside
 * and are checked here.
 */
const char *prices_fee(const struct call_record *record,
	    const struct price *price, const struct price *other,
	    uint32_t multiplier_ppm, int64_t *fee_r, bool *marked_r);

/* Was anything used? */
bool	prices_used(const struct call_record *record);

#endif

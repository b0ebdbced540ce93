/*
 * prices.h: every price row there ever was, by version.
 * Layer: admin.
 * Written by: prices_load() alone.
 */
#ifndef ADMIN_PRICES_H
#define ADMIN_PRICES_H

#include <stdint.h>

#include "base/fee.h"
#include "db/connection.h"

struct prices;

/* Caller frees with prices_free().  NULL: *result_r says why (DB_OK: no
 * memory). */
struct prices *prices_load(struct db *db, enum db_result *result_r);
void	prices_free(struct prices **prices);

/* Borrowed; NULL when there is none.  *model_id_r, if not NULL, is whose it
 * is. */
const struct price *prices_find(const struct prices *prices,
	    uint64_t version, uint64_t *model_id_r);

/*
 * The fee of counts by the book, computed again.  NULL: *fee_r is it; else
 * why it can't be (static).  Counts come from outside and are checked here.
 */
const char *prices_fee(const struct price *price, const uint64_t *count,
	    uint32_t multiplier_ppm, int64_t *fee_r);

#endif

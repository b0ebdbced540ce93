/*
 * catalogue_load.h: models, prices, groups and channels out of PostgreSQL.
 * Layer: flusher.
 * Written by: the directory thread.
 */
#ifndef FLUSHER_CATALOGUE_LOAD_H
#define FLUSHER_CATALOGUE_LOAD_H

#include <stdint.h>

#include "db/connection.h"
#include "shm/catalogue.h"

struct resolver;

/*
 * The catalogue as of now_us, caller frees with catalogue_free(); channels
 * have no addresses yet.  former: the one before, or zeros.  *next_price_us_r: when the next price takes effect,
 * 0 when none is to come.  Channels whose slot is not below max_slots are left
 * out, with a warning.
 */
enum db_result catalogue_load(struct db *db, int64_t now_us,
	    uint32_t max_slots, const struct catalogue *former,
	    struct catalogue *catalogue_r,
	    int64_t *next_price_us_r) __attribute__((warn_unused_result));

/* Fills in what the resolver knows; true when an address changed. */
bool	catalogue_resolve(struct catalogue *catalogue,
	    struct resolver *resolver);

#endif

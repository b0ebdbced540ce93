/*
 * screen_load.h: the lists that calls are screened for, and who moderates them,
 * out of PostgreSQL.
 * Layer: flusher.
 * Written by: the directory thread.
 */
#ifndef FLUSHER_SCREEN_LOAD_H
#define FLUSHER_SCREEN_LOAD_H

#include "db/connection.h"

struct catalogue;

/*
 * Fills in c's screens, its groups' bits, the block and c's moderations
 * (c->group and c->channel are there);
 * the block is former's if no entry changed since.  Entries that can't be
 * built leave the former block and are logged: youyunctl lets none in.
 */
enum db_result screen_load(struct db *db, const struct catalogue *former,
	    struct catalogue *c) __attribute__((warn_unused_result));

#endif

/*
 * policy_load.h: the policies in use, out of PostgreSQL.
 * Layer: flusher.
 * Written by: the directory thread.
 */
#ifndef FLUSHER_POLICY_LOAD_H
#define FLUSHER_POLICY_LOAD_H

#include "db/connection.h"

struct catalogue;

/* Fills in c's policies with their lists. */
enum db_result policy_load(struct db *db, struct catalogue *c)
	    __attribute__((warn_unused_result));

#endif

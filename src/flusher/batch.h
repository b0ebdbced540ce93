/*
 * batch.h: books a run of journal frames in PostgreSQL, exactly once.
 * Layer: flusher.
 * Written by: the apply thread.
 */
#ifndef FLUSHER_BATCH_H
#define FLUSHER_BATCH_H

#include <stdint.h>

#include "db/connection.h"
#include "flusher/frame.h"

struct batch {
	uint16_t node;
	uint64_t journal_id;
	const struct journal_frame *frame; /* consecutive numbers */
	uint32_t frames;
};

/*
 * One transaction: the records, one booking for each customer that owes
 * something, lease.spent, and the mark, which also decides what of the batch
 * is new; so it may be repeated whatever happened to the last try.  *mark_r:
 * the journal's mark afterwards.  Anything but DB_OK: nothing happened, or
 * with DB_UNKNOWN perhaps everything; connect and repeat.
 */
enum db_result batch_apply(struct db *db, const struct batch *batch,
	    uint64_t *mark_r) __attribute__((warn_unused_result));

/* Where the journal's mark stands; 0: nothing was applied from it. */
enum db_result batch_mark(struct db *db, uint16_t node, uint64_t journal_id,
	    uint64_t *mark_r) __attribute__((warn_unused_result));

/* The days' partitions, for a week from now on. */
enum db_result batch_partitions(struct db *db)
	    __attribute__((warn_unused_result));

#endif

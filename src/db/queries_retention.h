/*
 * queries_retention.h: what is deleted when, what was, and legal holds.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_RETENTION_H
#define DB_QUERIES_RETENTION_H

#include "db/queries.h"

struct retention_row {
	const char *name, *purpose;
	int64_t days, least;
};
Q_RESULT q_retention_each(struct db *db,
	    bool (*each)(const struct retention_row *, void *), void *arg);
/* DB_NONE: there is nothing by that name. */
Q_RESULT q_retention_set(struct db *db, const char *name, int64_t days);
/* One piece of it: "more", "later" (it is being read), "none". */
#define RETENTION_STEP_BYTES 8
Q_RESULT q_retention_step(struct db *db, char did_r[RETENTION_STEP_BYTES]);

/* What was deleted, the newest first; pieces of one day are one. */
struct retention_log_row {
	int64_t id;
	int64_t at_us;
	const char *name;
	const char *until;		/* a day */
	int64_t rows, held;
};
Q_RESULT q_retention_log_each(struct db *db, int64_t before, int64_t limit,
	    bool (*each)(const struct retention_log_row *, void *), void *arg);

struct hold_row {
	int64_t id;
	int64_t customer_id;
	const char *customer, *reason, *placed_by;
	const char *lifted_by;		/* "": it holds */
	int64_t placed_us, lifted_us;
};
/* DB_CONFLICT: the customer is on one already. */
Q_RESULT q_hold_place(struct db *db, int64_t customer_id, const char *reason,
	    int64_t *id_r);
/* DB_NONE: the customer isn't on one. */
Q_RESULT q_hold_lift(struct db *db, int64_t customer_id);
/* The latest first, those before one; 0: all. */
Q_RESULT q_hold_each(struct db *db, int64_t before, int64_t limit,
	    bool (*each)(const struct hold_row *, void *), void *arg);

#endif

/*
 * queries_attest.h: queries of `youyunctl attest`.
 * Layer: db.
 * Written by: as queries.h has it; what is said to take the owner's or the
 * superuser's connection isn't for youyun_admin.
 */
#ifndef DB_QUERIES_ATTEST_H
#define DB_QUERIES_ATTEST_H

#include "db/queries.h"

/* Where a channel's provider listens from now on, and what certificate it
 * has.  DB_NONE. */
Q_RESULT q_channel_address_set(struct db *db, int64_t id, const char *host,
	    int64_t port, const char *ca);

/* One run at a time, on all nodes: DB_CONFLICT if there is another.  Ends with
 * the connection. */
Q_RESULT q_attest_lock(struct db *db);

/* How many calls of a customer began at that time or later. */
Q_RESULT q_attest_calls(struct db *db, int64_t customer_id, int64_t since_us,
	    int64_t *calls_r);

/* A table that holds nothing but this text and these bytes, made anew; and its
 * end.  The owner's. */
Q_RESULT q_attest_plant(struct db *db, const char *text, const void *bytes,
	    size_t len);
Q_RESULT q_attest_unplant(struct db *db);
/* Writes all that was changed to the files.  The superuser's. */
Q_RESULT q_checkpoint(struct db *db);

/* A column of the schema that text or bytes can stand in. */
struct attest_column_row {
	const char *table;
	const char *column;
	bool is_bytes;
};
/* The owner's. */
Q_RESULT q_attest_column_each(struct db *db,
	    bool (*each)(const struct attest_column_row *, void *), void *arg);
/*
 * Which of the texts (or bytes, in hex) stand in a column, in rows that
 * were written by the transaction `since` or later; each(its index).
 */
Q_RESULT q_attest_search(struct db *db, const struct attest_column_row *column,
	    int64_t since, const char *const *texts, size_t n,
	    bool (*each)(int64_t index, void *), void *arg);
/* The number of the transaction that it is within, for `since`. */
Q_RESULT q_attest_transaction(struct db *db, int64_t *number_r);

#endif

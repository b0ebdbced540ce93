/*
 * queries_secret.h: what is sealed in the database, and by which keys.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_SECRET_H
#define DB_QUERIES_SECRET_H

#include "db/queries.h"

struct seal_key_row {
	int64_t id;			/* 0: not sealed by us */
	int64_t made_us;		/* 0: the database doesn't know it */
	int64_t retired_us;		/* 0: it is in use */
	int64_t credentials, proxies, logins;	/* sealed by it */
};
/* The newest first. */
Q_RESULT q_seal_key_each(struct db *db,
	    bool (*each)(const struct seal_key_row *, void *), void *arg);

struct sealed_row {
	const char *kind;		/* credential, proxy, login */
	int64_t id;
	const char *name;		/* the channel's; the customer's number */
	const void *sealed;
	size_t sealed_bytes;
};
/* What other keys than this one have sealed; within a transaction it stays as
 * it is until the end. */
Q_RESULT q_sealed_others(struct db *db, int64_t key,
	    bool (*each)(const struct sealed_row *, void *), void *arg);
/* Sealed anew; DB_NONE: the row is gone. */
Q_RESULT q_sealed_put(struct db *db, const struct sealed_row *row);
Q_RESULT q_seal_use(struct db *db, int64_t key);
Q_RESULT q_seal_retire(struct db *db, int64_t key);
/* One rotation at a time, until the connection ends; 0: another is on. */
Q_RESULT q_seal_lock(struct db *db, int64_t *locked_r);

#endif

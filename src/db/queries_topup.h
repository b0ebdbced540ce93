/*
 * queries_topup.h: queries of what customers bring in by themselves: codes
 * and payments.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_TOPUP_H
#define DB_QUERIES_TOPUP_H

#include "db/queries.h"

/*
 * Top-up codes
 */
struct code_batch {
	const char *name;
	int64_t amount_nano;		/* 0: by the package */
	const char *source;		/* external, promotional */
	int64_t validity_days;		/* 0: never expires */
	const char *package;		/* NULL: an amount */
	int64_t expires_us;
	const char *const *digests;	/* hexadecimal */
	const char *const *hints;
	size_t codes;
};
/* DB_CONFLICT: the name is taken; DB_NONE: no such package; DB_ERROR with
 * "YY006": it isn't sold any more. */
Q_RESULT q_code_batch_add(struct db *db, const struct code_batch *batch,
	    int64_t *id_r);

struct code_batch_row {
	int64_t id;
	const char *name;
	int64_t amount_nano;		/* of one code; 0: see package */
	const char *package;		/* "" for an amount */
	const char *source;
	int64_t validity_days;
	int64_t codes, used, revoked;	/* revoked: one by one, or all */
	int64_t expires_us, created_us;
	const char *created_by;
	int64_t revoked_us;		/* all of it */
};
/* The latest first, below `after` (0: all), at most limit. */
Q_RESULT q_code_batch_each(struct db *db, int64_t after, int64_t limit,
	    bool (*each)(const struct code_batch_row *, void *), void *arg);

struct code_row {
	int64_t id;
	const char *hint;
	const char *batch;
	const char *state;		/* unused, used, expired, revoked */
	int64_t used_us;
	int64_t customer_id;
	const char *customer;		/* "" when it was not used */
	int64_t transaction_id;
};
/* Those of a batch above `after`; state NULL: any.  DB_NONE: no such batch. */
Q_RESULT q_code_each(struct db *db, const char *batch, const char *state,
	    int64_t after, int64_t limit,
	    bool (*each)(const struct code_row *, void *), void *arg);

struct code_revoked {
	char batch[130];
	int64_t unused, used;
};
/* One of the three: a batch's name, a code's number, its digest (32 bytes).
 * DB_NONE: there is none; DB_ERROR with "YY011": the code was used. */
Q_RESULT q_code_revoke(struct db *db, const char *batch, int64_t id,
	    const uint8_t *digest, struct code_revoked *revoked_r);

/*
 * Payments that a bridge told of
 */
struct payment_row {
	int64_t transaction_id;
	const char *id;
	int64_t customer_id;
	const char *customer;
	int64_t amount_nano;
	const char *currency;
	const char *method;
	int64_t received_us;
};
/* The latest first, below the booking `after`; 0: any customer, time, all. */
Q_RESULT q_payment_each(struct db *db, int64_t customer_id, int64_t since_us,
	    int64_t after, int64_t limit,
	    bool (*each)(const struct payment_row *, void *), void *arg);

#endif

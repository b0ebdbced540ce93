/*
 * queries_login.h: queries of customers' logins and of invitations.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_LOGIN_H
#define DB_QUERIES_LOGIN_H

#include "db/queries.h"

struct login_row {
	const char *name;
	int64_t password_changed_us;	/* 0: there is no password */
	int64_t totp_since_us;		/* 0: no one-time codes */
	int64_t sessions;
};
/* Nothing is handed over when the customer has no login. */
Q_RESULT q_login_each(struct db *db, int64_t customer_id,
	    bool (*each)(const struct login_row *, void *), void *arg);

#define LOGIN_NAME_BYTES 132
/*
 * name NULL: the login's own; digest (32 bytes) NULL: the code is mailed.
 * DB_ERROR with "YY022": there is no login; "YY023": the name is another's.
 */
Q_RESULT q_login_reset(struct db *db, int64_t customer_id, const char *name,
	    const uint8_t *digest, char name_r[LOGIN_NAME_BYTES]);
/* DB_ERROR with "YY022": there is no login. */
Q_RESULT q_login_totp_remove(struct db *db, int64_t customer_id,
	    bool *removed_r);

struct invitation_new {
	const uint8_t *digest;		/* 32 bytes */
	const char *hint;
	const char *note;
	const char *group;
	int64_t credit_nano;		/* 0: none */
	int64_t validity_days;		/* 0: it never expires */
	int64_t uses;
	int64_t expires_us;
};
/* DB_NONE: no such group. */
Q_RESULT q_invitation_add(struct db *db, const struct invitation_new *new,
	    int64_t *id_r);

struct invitation_row {
	int64_t id;
	const char *hint;
	const char *note;
	const char *group;
	int64_t credit_nano, validity_days, uses, used;
	const char *state;		/* open, used, expired, revoked */
	int64_t expires_us, created_us;
	const char *created_by;
};
/* The latest first, below `after` (0: all), at most limit. */
Q_RESULT q_invitation_each(struct db *db, int64_t after, int64_t limit,
	    bool (*each)(const struct invitation_row *, void *), void *arg);
/* How many uses were left.  DB_NONE: there is none by that number. */
Q_RESULT q_invitation_revoke(struct db *db, int64_t id, int64_t *left_r);

#endif

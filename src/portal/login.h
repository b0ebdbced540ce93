/*
 * login.h: what routes that take a password or a one-time code share.
 * Layer: portal.
 * Written by: the request's thread.
 *
 * A password costs a part of a second and 32 MB, so it is hashed outside of
 * transactions, by LOGIN_HASHES threads at once; others wait.  An attempt is
 * counted before it is looked at (pace_take()), and taken back when it was
 * right.  Functions that return false have set the answer.
 */
#ifndef PORTAL_LOGIN_H
#define PORTAL_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mail_address.h"
#include "base/mail_code.h"
#include "base/password.h"
#include "base/secret.h"
#include "base/totp.h"
#include "db/value.h"

struct request;

#define LOGIN_HASHES 2
#define LOGIN_NAME_BYTES 129
#define LOGIN_PASSWORD_MIN_BYTES 10
#define LOGIN_PASSWORD_MAX_BYTES 256

/* HMAC-SHA-256(pepper, "what:text"). */
bool	login_digest(struct request *r, const char *what, const char *text,
	    uint8_t digest_r[KEY_DIGEST_BYTES])
	    __attribute__((warn_unused_result));

/* Whose password, and from where: all that is known of an attempt. */
struct login_try {
	char name[LOGIN_NAME_BYTES];	/* in small letters */
	uint8_t pace[KEY_DIGEST_BYTES];
	int64_t id;			/* 0: there is no such login */
	char verifier[PASSWORD_VERIFIER_BYTES];
	uint8_t totp[TOTP_SECRET_BYTES + SEAL_OVERHEAD];
	bool has_totp;
	bool confirmed;			/* codes are asked for */
	int64_t totp_step;
};

/* Takes the name; false when it can't be one. */
bool	login_name(struct request *r, struct login_try *t, const char *member,
	    const char *name) __attribute__((warn_unused_result));
/* Where the request comes from, as the worker says. */
struct db_param login_address(struct request *r);
/* Each in a transaction of its own: by t->name, or that of the session. */
bool	login_find(struct request *r, struct login_try *t)
	    __attribute__((warn_unused_result));
bool	login_find_own(struct request *r, struct login_try *t)
	    __attribute__((warn_unused_result));
/* In the request's transaction. */
bool	login_read_own(struct request *r, struct login_try *t, bool paced)
	    __attribute__((warn_unused_result));
bool	login_pace(struct request *r, struct login_try *t)
	    __attribute__((warn_unused_result));
bool	login_was_right(struct request *r, const struct login_try *t)
	    __attribute__((warn_unused_result));
/* 429 with Retry-After; 0: nothing is refused. */
bool	login_wait(struct request *r, int64_t wait_s)
	    __attribute__((warn_unused_result));

/*
 * Outside of transactions.  check: is it t's?  A wrong one is answered with
 * status and 401's or 403's words.  fresh: then makes that one's verifier, when
 * the former is right; NULL: makes t's own anew when its parameters are weaker
 * than today's.  made_r "": none was made.
 */
bool	login_check(struct request *r, struct login_try *t, int status,
	    const char *password, const char *fresh,
	    char made_r[PASSWORD_VERIFIER_BYTES])
	    __attribute__((warn_unused_result));
/* Without a former one. */
bool	login_make(struct request *r, const char *password,
	    char made_r[PASSWORD_VERIFIER_BYTES])
	    __attribute__((warn_unused_result));

/* A password of the body that is to be set; name: whose, or NULL. */
bool	login_new_password(struct request *r, const char *member,
	    const char **password_r) __attribute__((warn_unused_result));
bool	login_password_fits(struct request *r, const char *member,
	    const char *password, const char *name)
	    __attribute__((warn_unused_result));
/* The body's mailed code. */
bool	login_mail_code(struct request *r,
	    uint8_t digest_r[MAIL_CODE_DIGEST_BYTES])
	    __attribute__((warn_unused_result));

/* What such a code is for, by login_code.purpose: its number, t's name and
 * verifier, if it has one.  0: the answer is set.  In the request's
 * transaction; member: what the name is called. */
int64_t	login_code_find(struct request *r, int64_t purpose,
	    const char *member, const uint8_t *digest, struct login_try *t);

/* The body's members code and recovery_code, as login_second() takes them. */
struct login_second {
	int64_t given;
	int64_t step;
	uint8_t recovery[KEY_DIGEST_BYTES];
};
bool	login_take_second(struct request *r, const struct login_try *t,
	    struct login_second *s_r) __attribute__((warn_unused_result));
/* The answer to an outcome of login_second() that is not 0. */
void	login_refuse_second(struct request *r, int64_t outcome, int status);

/* A login's secret of one-time codes, sealed to it. */
bool	login_totp_seal(struct request *r, struct login_try *t,
	    const uint8_t secret[TOTP_SECRET_BYTES])
	    __attribute__((warn_unused_result));
bool	login_totp_unseal(struct request *r, const struct login_try *t,
	    uint8_t secret_r[TOTP_SECRET_BYTES])
	    __attribute__((warn_unused_result));

#endif

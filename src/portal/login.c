#include "portal/login.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/topup_code.h"
#include "conf/heritage.h"
#include "portal/request.h"
#include "portal/server.h"

/* Below what a worker waits for an answer's first byte. */
#define HASH_WAIT_S 15
#define CODE_MAX_BYTES 64

/* As login_second() has them. */
enum given {
	GIVEN_NONE,
	GIVEN_STEP,
	GIVEN_WRONG,
	GIVEN_RECOVERY
};

bool
login_digest(struct request *r, const char *what, const char *text,
    uint8_t digest_r[KEY_DIGEST_BYTES])
{
	struct key_hasher *hasher =
	    key_hasher_open(&r->portal->heritage->secrets);

	if (hasher == NULL) {
		answer_database(r, DB_AWAY);
		return false;
	}
	key_hasher_digest_of(hasher, what, text, digest_r);
	key_hasher_close(&hasher);
	return true;
}

bool
login_name(struct request *r, struct login_try *t, const char *member,
    const char *name)
{
	size_t i, len = strlen(name);

	if (!mail_address_ok(name) || len >= sizeof(t->name)) {
		answer_problem(r, 400, "bad_member", member,
		    "An e-mail address of at most %d characters is wanted.",
		    LOGIN_NAME_BYTES - 1);
		return false;
	}
	for (i = 0; i <= len; i++)
		t->name[i] = name[i] >= 'A' && name[i] <= 'Z' ?
		    (char)(name[i] - 'A' + 'a') : name[i];
	return login_digest(r, "login", t->name, t->pace);
}

struct db_param
login_address(struct request *r)
{
	return db_text(MHD_lookup_connection_value(r->connection,
	    MHD_HEADER_KIND, "x-forwarded-for"));
}

bool
login_wait(struct request *r, int64_t wait_s)
{
	char seconds[24];

	if (wait_s == 0)
		return true;
	snprintf(seconds, sizeof(seconds), "%lld", (long long)wait_s);
	answer_header(r, "Retry-After", seconds);
	answer_problem(r, 429, "too_many_attempts", NULL,
	    "Too many attempts; wait %s seconds.", seconds);
	return false;
}

/* Columns: the seconds to wait, id, verifier, sealed secret, step, confirmed,
 * name. */
static bool
take_row(struct request *r, struct login_try *t, const struct db_rows *rows)
{
	const void *sealed;
	size_t len;

	if (!login_wait(r, db_get_int(rows, 0, 0)))
		return false;
	t->id = db_get_int(rows, 0, 1);
	snprintf(t->verifier, sizeof(t->verifier), "%s",
	    db_get_text(rows, 0, 2));
	sealed = db_get_bytes(rows, 0, 3, &len);
	t->has_totp = len == sizeof(t->totp);
	if (t->has_totp)
		memcpy(t->totp, sealed, len);
	t->totp_step = db_get_int(rows, 0, 4);
	t->confirmed = db_get_bool(rows, 0, 5);
	if (!db_null(rows, 0, 6))
		snprintf(t->name, sizeof(t->name), "%s",
		    db_get_text(rows, 0, 6));
	return true;
}

static bool
read_login(struct request *r, struct login_try *t, const char *sql,
    const struct db_param *p, size_t n)
{
	struct db_rows *rows;
	enum db_result result = db_query(r->db, sql, p, n, &rows);
	bool ok;

	if (result != DB_OK) {
		answer_database(r, result);
		return false;
	}
	ok = take_row(r, t, rows);
	db_rows_free(&rows);
	return ok;
}

bool
login_find(struct request *r, struct login_try *t)
{
	struct db_param p[] = { db_text(t->name),
		db_bytes(t->pace, sizeof(t->pace)), login_address(r) };
	bool ok;

	ok = request_begin(r) && read_login(r, t, "SELECT wait_s, id,"
	    " password, totp, totp_step, totp IS NOT NULL, NULL::text"
	    " FROM youyun.login_try($1, $2, $3::text::inet)", p, 3);
	request_end(r);
	return ok && r->status == 0;
}

#define OWN "SELECT wait_s, id, password, totp, totp_step, confirmed, name" \
	" FROM youyun.my_login_try($1, $2::text::inet)"

bool
login_read_own(struct request *r, struct login_try *t, bool paced)
{
	struct db_param p[] = { db_bytes(t->pace, sizeof(t->pace)),
		login_address(r) };

	p[0].null = true;
	/* The name first: the pace is by it. */
	if (!read_login(r, t, OWN, p, 2) ||
	    !login_digest(r, "login", t->name, t->pace))
		return false;
	p[0].null = false;
	return !paced || read_login(r, t, OWN, p, 2);
}

bool
login_find_own(struct request *r, struct login_try *t)
{
	bool ok = request_begin(r) && login_read_own(r, t, true);

	request_end(r);
	return ok && r->status == 0;
}

bool
login_pace(struct request *r, struct login_try *t)
{
	struct db_param p[] = { db_bytes(t->pace, sizeof(t->pace)),
		login_address(r) };
	int64_t wait_s;

	return request_int(r, "SELECT youyun.pace_take($1, $2::text::inet,"
	    " NULL)", p, 2, &wait_s) && login_wait(r, wait_s);
}

static bool
pace(struct request *r, const struct login_try *t, const char *sql)
{
	struct db_param p[] = { db_bytes(t->pace, sizeof(t->pace)),
		login_address(r) };
	enum db_result result = db_query(r->db, sql, p, 2, NULL);

	if (result != DB_OK)
		answer_database(r, result);
	return result == DB_OK;
}

bool
login_was_right(struct request *r, const struct login_try *t)
{
	return pace(r, t, "SELECT youyun.pace_right($1, $2::text::inet)");
}

/*
 * Passwords.
 */
static bool
hashing_begin(struct request *r)
{
	struct timespec until;
	int error;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HASH_WAIT_S;
	do
		error = sem_timedwait(&r->portal->hashing, &until) == 0 ? 0 :
		    errno;
	while (error == EINTR);
	return error == 0;
}

static void
answer_busy(struct request *r)
{
	answer_header(r, "Retry-After", "5");
	answer_problem(r, 503, "busy", NULL,
	    "Too many log in at once. Retry in a moment.");
}

/* It was neither right nor wrong. */
static void
give_up(struct request *r, const struct login_try *t)
{
	if (request_begin(r))
		(void)pace(r, t,
		    "SELECT youyun.pace_undo($1, $2::text::inet)");
	request_end(r);
	if (r->status == 0)
		answer_busy(r);
}

static enum password_result
hash(struct request *r, const struct login_try *t, const char *password,
    const char *fresh, char made_r[PASSWORD_VERIFIER_BYTES])
{
	struct key_hasher *hasher =
	    key_hasher_open(&r->portal->heritage->secrets);
	enum password_result result = PASSWORD_OK;

	if (hasher == NULL)
		return PASSWORD_FAILED;
	if (t != NULL)
		result = password_check(hasher, password,
		    t->verifier[0] != '\0' ? t->verifier : NULL);
	if (result == PASSWORD_OUTDATED && fresh == NULL)
		fresh = password;
	if ((result == PASSWORD_OK || result == PASSWORD_OUTDATED) &&
	    fresh != NULL && !password_make(hasher, fresh, made_r))
		result = PASSWORD_FAILED;
	key_hasher_close(&hasher);
	return result;
}

bool
login_check(struct request *r, struct login_try *t, int status,
    const char *password, const char *fresh,
    char made_r[PASSWORD_VERIFIER_BYTES])
{
	enum password_result result = PASSWORD_FAILED;

	made_r[0] = '\0';
	if (hashing_begin(r)) {
		result = hash(r, t, password, fresh, made_r);
		sem_post(&r->portal->hashing);
	}
	switch (result) {
	case PASSWORD_OK:
	case PASSWORD_OUTDATED:
		return true;
	case PASSWORD_WRONG:
		if (status == 401)
			answer_problem(r, 401, "bad_login", NULL,
			    "Login or password is wrong.");
		else
			answer_problem(r, status, "bad_password", "password",
			    "The password is wrong.");
		return false;
	case PASSWORD_FAILED:
		break;
	}
	give_up(r, t);
	return false;
}

bool
login_make(struct request *r, const char *password,
    char made_r[PASSWORD_VERIFIER_BYTES])
{
	enum password_result result = PASSWORD_FAILED;

	if (hashing_begin(r)) {
		result = hash(r, NULL, NULL, password, made_r);
		sem_post(&r->portal->hashing);
	}
	if (result != PASSWORD_OK)
		answer_busy(r);
	return result == PASSWORD_OK;
}

bool
login_new_password(struct request *r, const char *member,
    const char **password_r)
{
	return body_text(r, member, true, LOGIN_PASSWORD_MIN_BYTES,
	    LOGIN_PASSWORD_MAX_BYTES, password_r);
}

bool
login_password_fits(struct request *r, const char *member,
    const char *password, const char *name)
{
	if (strcasecmp(password, name) != 0)
		return true;
	answer_problem(r, 400, "bad_member", member,
	    "The login itself is no password.");
	return false;
}

/*
 * Codes.
 */
static bool
take_code(struct request *r, const char *member, bool needed,
    char code_r[TOPUP_CODE_TEXT_BYTES], bool *given_r)
{
	const char *typed;

	*given_r = false;
	if (!body_text(r, member, needed, 1, CODE_MAX_BYTES, &typed))
		return false;
	if (typed == NULL)
		return true;
	*given_r = topup_code_read(typed, code_r);
	/* A typing error is no guess and needs no look. */
	if (!*given_r)
		answer_problem(r, 400, "bad_code", member,
		    "That is no code: something in it is missing or was"
		    " mistyped.");
	return *given_r;
}

bool
login_mail_code(struct request *r, uint8_t digest_r[MAIL_CODE_DIGEST_BYTES])
{
	char code[TOPUP_CODE_TEXT_BYTES];
	bool given;

	if (!take_code(r, "code", true, code, &given))
		return false;
	mail_code_digest(code, digest_r);
	bytes_scrub(code, sizeof(code));
	return true;
}

int64_t
login_code_find(struct request *r, int64_t purpose, const char *member,
    const uint8_t *digest, struct login_try *t)
{
	struct db_param p[] = { db_int(purpose),
		db_bytes(digest, MAIL_CODE_DIGEST_BYTES) };
	struct db_rows *rows;
	enum db_result result;
	int64_t id = 0;

	result = db_query(r->db, "SELECT id, name, password FROM"
	    " youyun.login_code_find($1, $2)", p, 2, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return 0;
	}
	if (db_rows_count(rows) != 1)
		answer_problem(r, 404, "unknown_code", "code",
		    "There is no such code, or it has expired.");
	else if (login_name(r, t, member, db_get_text(rows, 0, 1))) {
		id = db_get_int(rows, 0, 0);
		snprintf(t->verifier, sizeof(t->verifier), "%s",
		    db_get_text(rows, 0, 2));
	}
	db_rows_free(&rows);
	return id;
}

bool
login_take_second(struct request *r, const struct login_try *t,
    struct login_second *s)
{
	char recovery[TOPUP_CODE_TEXT_BYTES];
	uint8_t secret[TOTP_SECRET_BYTES];
	const char *code;
	bool given, ok;

	memset(s, 0, sizeof(*s));
	if (!body_text(r, "code", false, 1, CODE_MAX_BYTES, &code) ||
	    !take_code(r, "recovery_code", false, recovery, &given))
		return false;
	if (given) {
		s->given = GIVEN_RECOVERY;
		ok = login_digest(r, "recovery", recovery, s->recovery);
		bytes_scrub(recovery, sizeof(recovery));
		return ok;
	}
	if (code == NULL || !t->confirmed)
		return true;
	if (!login_totp_unseal(r, t, secret))
		return false;
	s->step = totp_match(secret, clock_wall(), t->totp_step, code);
	s->given = s->step > 0 ? GIVEN_STEP : GIVEN_WRONG;
	bytes_scrub(secret, sizeof(secret));
	return true;
}

void
login_refuse_second(struct request *r, int64_t outcome, int status)
{
	r->keep = true;
	switch (outcome) {
	case 2:
		answer_problem(r, status, "code_needed", "code",
		    "A one-time code is needed, or a recovery_code.");
		return;
	case 3:
		answer_problem(r, status, "wrong_code", "code",
		    "The code is wrong, or was used already.");
		return;
	case 4:
		answer_header(r, "Retry-After", "3600");
		answer_problem(r, 429, "too_many_wrong_codes", "code",
		    "Too many codes were wrong; only a recovery_code does for"
		    " an hour.");
		return;
	}
	/* 1: what was right isn't any more. */
	r->keep = false;
	answer_database(r, DB_CONFLICT);
}

bool
login_totp_seal(struct request *r, struct login_try *t,
    const uint8_t secret[TOTP_SECRET_BYTES])
{
	char context[SECRET_CONTEXT_BYTES];

	secret_totp_context(t->id, context);
	if (secret_seal(&r->portal->heritage->secrets, context, secret,
	    TOTP_SECRET_BYTES, t->totp))
		return true;
	answer_database(r, DB_AWAY);
	return false;
}

bool
login_totp_unseal(struct request *r, const struct login_try *t,
    uint8_t secret_r[TOTP_SECRET_BYTES])
{
	char context[SECRET_CONTEXT_BYTES];

	secret_totp_context(t->id, context);
	if (t->has_totp && secret_unseal(&r->portal->heritage->secrets,
	    context, t->totp, sizeof(t->totp), secret_r))
		return true;
	log_error("a login's one-time codes can't be checked: login=%lld",
	    (long long)t->id);
	answer_database(r, DB_ERROR);
	return false;
}

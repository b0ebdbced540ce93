/* One-time codes of a login: asking for them, and leaving off. */
#include <json-c/json.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/topup_code.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/login.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

#define RECOVERY_CODES 10
#define URI_BYTES 512

static const char *const nothing[] = { NULL };

static void
answer_is_on(struct request *r)
{
	answer_problem(r, 409, "totp_on", NULL,
	    "One-time codes are asked for already; remove that first.");
}

static void
answer_secret(struct request *r, const struct login_try *t,
    const uint8_t secret[TOTP_SECRET_BYTES])
{
	char base32[BASE32_TEXT_BYTES(TOTP_SECRET_BYTES)], uri[URI_BYTES];
	struct json_object *o;

	if (!totp_uri(secret, r->portal->heritage->settings->totp_issuer,
	    t->name, uri, sizeof(uri))) {
		answer_database(r, DB_AWAY);
		return;
	}
	base32_encode(secret, TOTP_SECRET_BYTES, base32);
	o = json_object_new_object();
	put(o, "secret", json_text(base32));
	put(o, "uri", json_text(uri));
	bytes_scrub(base32, sizeof(base32));
	bytes_scrub(uri, sizeof(uri));
	answer_json(r, 200, o);
}

static void
enrol(struct request *r, struct login_try *t)
{
	uint8_t secret[TOTP_SECRET_BYTES];
	struct db_param p;
	int64_t n;

	bytes_random(secret, sizeof(secret));
	if (login_was_right(r, t) && login_totp_seal(r, t, secret)) {
		p = db_bytes(t->totp, sizeof(t->totp));
		if (request_int(r, "SELECT youyun.my_totp_enrol($1)", &p, 1,
		    &n)) {
			if (n == 1)
				answer_secret(r, t, secret);
			else
				answer_is_on(r);
		}
	}
	bytes_scrub(secret, sizeof(secret));
}

/* The password once more: who has found an open browser must not lock the
 * login's owner out. */
void
run_totp(struct request *r)
{
	static const char *const known[] = { "password", NULL };
	char better[PASSWORD_VERIFIER_BYTES];
	const char *password;
	struct login_try t;

	memset(&t, 0, sizeof(t));
	if (query_only(r, nothing) && body_only(r, known) &&
	    body_text(r, "password", true, 1, LOGIN_PASSWORD_MAX_BYTES,
	    &password) && login_find_own(r, &t) &&
	    login_check(r, &t, 403, password, NULL, better)) {
		if (request_begin(r))
			enrol(r, &t);
		request_end(r);
	}
	bytes_scrub(&t, sizeof(t));
	bytes_scrub(better, sizeof(better));
}

struct recovery {
	char code[RECOVERY_CODES][TOPUP_CODE_TEXT_BYTES];
	char digest[RECOVERY_CODES][2 * KEY_DIGEST_BYTES + 1];
	const char *digests[RECOVERY_CODES];
};

static bool
make_recovery(struct request *r, struct recovery *c)
{
	uint8_t digest[KEY_DIGEST_BYTES];

	for (int i = 0; i < RECOVERY_CODES; i++) {
		topup_code_make(c->code[i]);
		if (!login_digest(r, "recovery", c->code[i], digest))
			return false;
		hex_encode(digest, sizeof(digest), c->digest[i]);
		c->digests[i] = c->digest[i];
	}
	return true;
}

static void
confirm(struct request *r, const struct login_try *t, int64_t step)
{
	struct json_object *o, *list;
	struct recovery c;
	int64_t n = -1;

	if (make_recovery(r, &c)) {
		struct db_param p[] = { db_bytes(t->totp, sizeof(t->totp)),
			db_int(step), db_text_array(c.digests,
			RECOVERY_CODES) };

		if (!request_int(r, "SELECT youyun.my_totp_confirm($1, $2,"
		    " $3)", p, 3, &n))
			n = -1;
	}
	if (n == 1) {
		list = json_object_new_array();
		for (int i = 0; i < RECOVERY_CODES; i++)
			json_object_array_add(list, json_text(c.code[i]));
		o = json_object_new_object();
		put(o, "recovery_codes", list);
		answer_json(r, 200, o);
	} else if (n == 0)
		answer_database(r, DB_CONFLICT);
	bytes_scrub(&c, sizeof(c));
}

void
run_totp_confirm(struct request *r)
{
	static const char *const known[] = { "code", NULL };
	uint8_t secret[TOTP_SECRET_BYTES];
	struct login_try t;
	const char *code;
	int64_t step;

	memset(&t, 0, sizeof(t));
	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !body_text(r, "code", true, 1, 16, &code) ||
	    !login_read_own(r, &t, false))
		return;
	if (t.confirmed) {
		answer_is_on(r);
		return;
	}
	if (!t.has_totp) {
		answer_problem(r, 409, "totp_off", NULL,
		    "There is nothing to confirm; POST /api/v1/totp first.");
		return;
	}
	if (!login_totp_unseal(r, &t, secret))
		return;
	step = totp_match(secret, clock_wall(), 0, code);
	bytes_scrub(secret, sizeof(secret));
	if (step > 0)
		confirm(r, &t, step);
	else
		answer_problem(r, 400, "wrong_code", "code",
		    "The code is wrong. Is the device's clock right?");
}

static void
leave_off(struct request *r, const struct login_try *t,
    const struct login_second *s)
{
	struct db_param p[] = { db_text(t->verifier), db_int(s->given),
		db_int(s->step), db_bytes(s->recovery, sizeof(s->recovery)),
		db_bytes(t->pace, sizeof(t->pace)), login_address(r) };
	struct json_object *o;
	int64_t outcome;

	if (!request_int(r, "SELECT youyun.my_totp_remove($1, $2, $3, $4,"
	    " $5, $6::text::inet)", p, 6, &outcome))
		return;
	if (outcome != 0) {
		login_refuse_second(r, outcome, 403);
		return;
	}
	o = json_object_new_object();
	put(o, "totp", json_object_new_boolean(false));
	answer_json(r, 200, o);
}

void
run_totp_remove(struct request *r)
{
	static const char *const known[] = { "password", "code",
		"recovery_code", NULL };
	char better[PASSWORD_VERIFIER_BYTES];
	const char *password;
	struct login_second s;
	struct login_try t;

	memset(&t, 0, sizeof(t));
	if (query_only(r, nothing) && body_only(r, known) &&
	    body_text(r, "password", true, 1, LOGIN_PASSWORD_MAX_BYTES,
	    &password) && login_find_own(r, &t) &&
	    login_check(r, &t, 403, password, NULL, better) &&
	    login_take_second(r, &t, &s)) {
		if (request_begin(r))
			leave_off(r, &t, &s);
		request_end(r);
	}
	bytes_scrub(&t, sizeof(t));
	bytes_scrub(better, sizeof(better));
}

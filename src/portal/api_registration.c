/* Registration: an address and a password, confirmed by a mailed code. */
#include <json-c/json.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/topup_code.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/login.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

#define CODE_MAX_BYTES 64

static const char *const nothing[] = { NULL };
/* In the order of enum registration_setting. */
static const char *const states[] = { "closed", "invitation", "open" };

/* As registration_confirm() has them. */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_UNKNOWN,
	OUTCOME_REGISTERED,
	OUTCOME_INVITATION,
	OUTCOME_NO_GROUP
};

static const struct settings *
settings_of(const struct request *r)
{
	return r->portal->heritage->settings;
}

void
run_registration_state(struct request *r)
{
	struct json_object *o;

	if (!query_only(r, nothing))
		return;
	o = json_object_new_object();
	put(o, "registration", json_text(states[
	    settings_of(r)->registration]));
	answer_json(r, 200, o);
}

static bool
is_open(struct request *r)
{
	if (settings_of(r)->registration != REGISTRATION_CLOSED)
		return true;
	answer_problem(r, 403, "registration_closed", NULL,
	    "Nobody can register here; ask the operator.");
	return false;
}

struct registration {
	struct login_try login;
	const char *password, *language;
	bool invited;
	uint8_t invitation[KEY_DIGEST_BYTES];
	char made[PASSWORD_VERIFIER_BYTES];
};

static bool
take_invitation(struct request *r, struct registration *g)
{
	char code[TOPUP_CODE_TEXT_BYTES];
	const char *typed;
	bool ok;

	if (!body_text(r, "invitation", settings_of(r)->registration ==
	    REGISTRATION_INVITATION, 1, CODE_MAX_BYTES, &typed))
		return false;
	g->invited = typed != NULL;
	if (!g->invited)
		return true;
	if (!topup_code_read(typed, code)) {
		answer_problem(r, 400, "bad_code", "invitation",
		    "That is no invitation: something in it is missing or was"
		    " mistyped.");
		return false;
	}
	ok = login_digest(r, "invitation", code, g->invitation);
	bytes_scrub(code, sizeof(code));
	return ok;
}

static bool
take(struct request *r, struct registration *g)
{
	static const char *const known[] = { "email", "password",
		"invitation", "language", NULL };
	const char *name;

	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !body_text(r, "email", true, 1, LOGIN_NAME_BYTES - 1, &name) ||
	    !login_name(r, &g->login, "email", name) ||
	    !login_new_password(r, "password", &g->password) ||
	    !login_password_fits(r, "password", g->password,
	    g->login.name) || !body_language(r, &g->language))
		return false;
	if (g->language == NULL)
		g->language = "en";
	return take_invitation(r, g);
}

/* Before a password is hashed for somebody who is to wait. */
static bool
may_ask(struct request *r)
{
	struct db_param p = login_address(r);
	int64_t wait_s;
	bool ok;

	ok = request_begin(r) && request_int(r, "SELECT"
	    " youyun.code_wait($1::text::inet)", &p, 1, &wait_s) &&
	    login_wait(r, wait_s);
	request_end(r);
	return ok && r->status == 0;
}

static void
ask(struct request *r, const struct registration *g)
{
	struct db_param p[] = { db_text(g->login.name), db_text(g->made),
		db_bytes(g->invitation, sizeof(g->invitation)),
		db_text(g->language), login_address(r) };
	struct json_object *o;
	struct db_rows *rows;
	enum db_result result;
	int64_t outcome, wait_s;

	p[2].null = !g->invited;
	result = db_query(r->db, "SELECT outcome, wait_s FROM"
	    " youyun.registration_begin($1, $2, $3, $4, $5::text::inet)", p,
	    5, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	outcome = db_get_int(rows, 0, 0);
	wait_s = db_get_int(rows, 0, 1);
	db_rows_free(&rows);
	if (outcome == 1)
		answer_problem(r, 404, "unknown_invitation", "invitation",
		    "There is no such invitation.");
	else if (outcome == 2)
		answer_problem(r, 410, "invitation_over", "invitation",
		    "The invitation was used, has expired or was revoked.");
	else if (login_wait(r, wait_s)) {
		o = json_object_new_object();
		put(o, "asked", json_object_new_boolean(true));
		answer_json(r, 202, o);
	}
}

void
run_registration(struct request *r)
{
	struct registration g;

	memset(&g, 0, sizeof(g));
	if (is_open(r) && take(r, &g) && may_ask(r) &&
	    login_make(r, g.password, g.made)) {
		if (request_begin(r))
			ask(r, &g);
		request_end(r);
	}
	bytes_scrub(&g, sizeof(g));
}

static void
refuse(struct request *r, enum outcome outcome)
{
	/* The password was right, and that stays counted so. */
	r->keep = true;
	switch (outcome) {
	case OUTCOME_UNKNOWN:
		answer_problem(r, 404, "unknown_code", "code",
		    "There is no such code, or it has expired.");
		return;
	case OUTCOME_REGISTERED:
		answer_problem(r, 409, "registered", NULL,
		    "The address is registered already. Log in.");
		return;
	case OUTCOME_INVITATION:
		answer_problem(r, 410, "invitation_over", NULL,
		    "The invitation was used, has expired or was revoked.");
		return;
	case OUTCOME_NO_GROUP:
		log_error("nobody can register: there is no group as the "
		    "setting registration_group says");
		break;
	case OUTCOME_DONE:
		break;
	}
	answer_database(r, DB_ERROR);
}

static void
register_customer(struct request *r, int64_t id, const struct login_try *t)
{
	const struct settings *s = settings_of(r);
	struct db_param p[] = { db_int(id), db_text(s->registration_group),
		db_bool(s->registration == REGISTRATION_INVITATION) };
	struct json_object *o;
	struct db_rows *rows;
	enum db_result result;
	int64_t outcome, customer;

	if (!login_was_right(r, t))
		return;
	result = db_query(r->db, "SELECT outcome, customer FROM"
	    " youyun.registration_confirm($1, $2, $3)", p, 3, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	outcome = db_get_int(rows, 0, 0);
	customer = db_get_int(rows, 0, 1);
	db_rows_free(&rows);
	if (outcome != OUTCOME_DONE) {
		refuse(r, (enum outcome)outcome);
		return;
	}
	o = json_object_new_object();
	put_int(o, "account", customer);
	put(o, "login", json_text(t->name));
	answer_json(r, 201, o);
}

/*
 * The password once more, or somebody else's who registered the same address
 * meanwhile would be confirmed by whoever reads the mail.
 */
void
run_registration_confirm(struct request *r)
{
	static const char *const known[] = { "code", "password", NULL };
	uint8_t digest[MAIL_CODE_DIGEST_BYTES];
	char better[PASSWORD_VERIFIER_BYTES];
	const char *password;
	struct login_try t;
	int64_t id = 0;

	memset(&t, 0, sizeof(t));
	if (!is_open(r) || !query_only(r, nothing) || !body_only(r, known) ||
	    !body_text(r, "password", true, 1, LOGIN_PASSWORD_MAX_BYTES,
	    &password) || !login_mail_code(r, digest))
		return;
	if (request_begin(r)) {
		id = login_code_find(r, 0, "email", digest, &t);
		/* May its password be tried? */
		if (id != 0 && !login_pace(r, &t))
			id = 0;
	}
	request_end(r);
	if (id != 0 && r->status == 0 &&
	    login_check(r, &t, 403, password, NULL, better)) {
		if (request_begin(r))
			register_customer(r, id, &t);
		request_end(r);
	}
	bytes_scrub(&t, sizeof(t));
	bytes_scrub(better, sizeof(better));
	bytes_scrub(digest, sizeof(digest));
}

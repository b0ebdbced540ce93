/* Passwords: another one by the former, or by a mailed code. */
#include <json-c/json.h>
#include <string.h>

#include "base/bytes.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/login.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

static const char *const nothing[] = { NULL };

static void
answer_changed(struct request *r)
{
	struct json_object *o = json_object_new_object();

	put(o, "changed", json_object_new_boolean(true));
	answer_json(r, 200, o);
}

static void
change_own(struct request *r, const struct login_try *t, const char *made)
{
	struct db_param p[] = { db_text(t->verifier), db_text(made) };
	int64_t n;

	if (!request_int(r, "SELECT youyun.my_password_change($1, $2)", p, 2,
	    &n))
		return;
	if (n == 0)
		answer_database(r, DB_CONFLICT);
	else if (login_was_right(r, t))
		answer_changed(r);
}

void
run_password(struct request *r)
{
	static const char *const known[] = { "password", "new_password",
		NULL };
	char made[PASSWORD_VERIFIER_BYTES];
	const char *former, *fresh;
	struct login_try t;

	memset(&t, 0, sizeof(t));
	if (query_only(r, nothing) && body_only(r, known) &&
	    body_text(r, "password", true, 1, LOGIN_PASSWORD_MAX_BYTES,
	    &former) && login_new_password(r, "new_password", &fresh) &&
	    login_find_own(r, &t) &&
	    login_check(r, &t, 403, former, fresh, made) &&
	    login_password_fits(r, "new_password", fresh, t.name)) {
		if (request_begin(r))
			change_own(r, &t, made);
		request_end(r);
	}
	bytes_scrub(&t, sizeof(t));
	bytes_scrub(made, sizeof(made));
}

void
run_reset(struct request *r)
{
	static const char *const known[] = { "login", NULL };
	struct json_object *o;
	struct login_try t;
	struct db_param p[2];
	const char *name;
	int64_t wait_s;

	memset(&t, 0, sizeof(t));
	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !body_text(r, "login", true, 1, LOGIN_NAME_BYTES - 1, &name) ||
	    !login_name(r, &t, "login", name))
		return;
	if (r->portal->heritage->settings->mail_command[0] == '\0') {
		answer_problem(r, 503, "mail_off", NULL,
		    "There is no mail here; ask the operator.");
		return;
	}
	p[0] = db_text(t.name);
	p[1] = login_address(r);
	if (!request_int(r, "SELECT youyun.reset_ask($1, $2::text::inet)", p,
	    2, &wait_s) || !login_wait(r, wait_s))
		return;
	o = json_object_new_object();
	put(o, "asked", json_object_new_boolean(true));
	answer_json(r, 202, o);
}

static void
set_password(struct request *r, int64_t id, const struct login_try *t,
    const char *made)
{
	struct db_param p[] = { db_int(id), db_text(made),
		db_bytes(t->pace, sizeof(t->pace)), login_address(r) };
	int64_t n;

	if (!request_int(r, "SELECT youyun.reset_confirm($1, $2, $3,"
	    " $4::text::inet)", p, 4, &n))
		return;
	if (n == 0)
		answer_problem(r, 404, "unknown_code", "code",
		    "There is no such code, or it has expired.");
	else
		answer_changed(r);
}

void
run_reset_confirm(struct request *r)
{
	static const char *const known[] = { "code", "password", NULL };
	uint8_t digest[MAIL_CODE_DIGEST_BYTES];
	char made[PASSWORD_VERIFIER_BYTES];
	const char *password;
	struct login_try t;
	int64_t id = 0;

	memset(&t, 0, sizeof(t));
	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !login_new_password(r, "password", &password) ||
	    !login_mail_code(r, digest))
		return;
	if (request_begin(r))
		id = login_code_find(r, 1, "login", digest, &t);
	request_end(r);
	if (id != 0 && r->status == 0 &&
	    login_password_fits(r, "password", password, t.name) &&
	    login_make(r, password, made)) {
		if (request_begin(r))
			set_password(r, id, &t, made);
		request_end(r);
	}
	bytes_scrub(&t, sizeof(t));
	bytes_scrub(made, sizeof(made));
	bytes_scrub(digest, sizeof(digest));
}

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

/* Runs a change that returns how many rows it changed. */
static void
change(struct request *r, const char *sql, const struct db_param *p, size_t n,
    int64_t *changed_r)
{
	struct db_rows *rows;
	enum db_result result = db_query(r->db, sql, p, n, &rows);

	*changed_r = 0;
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	*changed_r = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
}

static void
change_own(struct request *r, const struct login_try *t, const char *made)
{
	struct db_param p[] = { db_text(t->verifier), db_text(made) };
	int64_t n;

	change(r, "SELECT youyun.my_password_change($1, $2)", p, 2, &n);
	if (r->status != 0)
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
	change(r, "SELECT youyun.reset_ask($1, $2::text::inet)", p, 2,
	    &wait_s);
	if (r->status != 0 || !login_wait(r, wait_s))
		return;
	o = json_object_new_object();
	put(o, "asked", json_object_new_boolean(true));
	answer_json(r, 202, o);
}

/* What the code is for; 0: the answer is set. */
static int64_t
find_code(struct request *r, const uint8_t *digest, struct login_try *t)
{
	struct db_param p = db_bytes(digest, MAIL_CODE_DIGEST_BYTES);
	struct db_rows *rows;
	enum db_result result;
	int64_t id = 0;

	result = db_query(r->db, "SELECT id, name FROM"
	    " youyun.login_code_find(1, $1)", &p, 1, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return 0;
	}
	if (db_rows_count(rows) != 1)
		answer_problem(r, 404, "unknown_code", "code",
		    "There is no such code, or it has expired.");
	else if (login_name(r, t, "login", db_get_text(rows, 0, 1)))
		id = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return id;
}

static void
set_password(struct request *r, int64_t id, const struct login_try *t,
    const char *made)
{
	struct db_param p[] = { db_int(id), db_text(made),
		db_bytes(t->pace, sizeof(t->pace)), login_address(r) };
	int64_t n;

	change(r, "SELECT youyun.reset_confirm($1, $2, $3, $4::text::inet)",
	    p, 4, &n);
	if (r->status != 0)
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
		id = find_code(r, digest, &t);
	request_end(r);
	if (id != 0 && r->status == 0 &&
	    login_password_fits(r, "password", password, t.name) &&
	    login_make(r, password, made)) {
		if (request_begin(r))
			set_password(r, id, &t, made);
		request_end(r);
	}
	bytes_scrub(made, sizeof(made));
	bytes_scrub(digest, sizeof(digest));
}

/* Sessions: logging in and out, who is logged in. */
#include <json-c/json.h>
#include <string.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/auth.h"
#include "portal/cookie.h"
#include "portal/login.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

#define AGENT_BYTES 97

static const char *const nothing[] = { NULL };

/* As session_open() has them; 2 to 4 are login_second()'s. */
enum outcome {
	OUTCOME_OPENED,
	OUTCOME_CHANGED,
	OUTCOME_CLOSED = 5
};

static struct json_object *
session_json(const struct db_rows *rows, size_t i)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "id", db_get_int(rows, i, 0));
	put(o, "created", json_time(db_get_time(rows, i, 1)));
	put(o, "last_used", json_time(db_get_time(rows, i, 2)));
	put(o, "expires_at", json_time(db_get_time(rows, i, 3)));
	put(o, "address", json_text(db_get_text(rows, i, 4)));
	put(o, "user_agent", json_text(db_get_text(rows, i, 5)));
	put(o, "own", json_object_new_boolean(db_get_bool(rows, i, 6)));
	return o;
}

/* The session that asks, with what only it is told. */
static void
answer_session(struct request *r, int status, const char *token)
{
	struct json_object *o = json_object_new_object();
	char csrf[COOKIE_TOKEN_BYTES];
	struct db_rows *rows = NULL;
	enum db_result result;

	result = db_query(r->db, "SELECT s.id, l.name, l.has_totp,"
	    " l.recovery_codes, l.password_changed, s.expires_at"
	    " FROM youyun.my_session s, youyun.my_login l WHERE s.own", NULL,
	    0, &rows);
	if (result != DB_OK || db_rows_count(rows) != 1 ||
	    !cookie_csrf(r, token, csrf)) {
		if (r->status == 0 || r->status < 300)
			answer_database(r, result == DB_OK ? DB_NONE :
			    (int)result);
		json_object_put(o);
	} else {
		put_int(o, "id", db_get_int(rows, 0, 0));
		put(o, "login", json_text(db_get_text(rows, 0, 1)));
		put_int(o, "account", r->caller.customer_id);
		put(o, "totp", json_object_new_boolean(db_get_bool(rows, 0,
		    2)));
		put_int(o, "recovery_codes", db_get_int(rows, 0, 3));
		put(o, "password_changed", json_time(db_get_time(rows, 0,
		    4)));
		put(o, "expires_at", json_time(db_get_time(rows, 0, 5)));
		put(o, "csrf_token", json_text(csrf));
		bytes_scrub(csrf, sizeof(csrf));
		answer_json(r, status, o);
	}
	if (result == DB_OK)
		db_rows_free(&rows);
}

void
run_session(struct request *r)
{
	char token[COOKIE_TOKEN_BYTES];

	if (!query_only(r, nothing))
		return;
	/* It was known by it a moment ago. */
	if (cookie_get(r, token))
		answer_session(r, 200, token);
	bytes_scrub(token, sizeof(token));
}

/* What a browser says of itself, printable and not too long. */
static void
take_agent(struct request *r, char agent_r[AGENT_BYTES])
{
	const char *value = MHD_lookup_connection_value(r->connection,
	    MHD_HEADER_KIND, "user-agent");
	size_t n = 0;

	for (; value != NULL && value[n] != '\0' && n < AGENT_BYTES - 1; n++)
		agent_r[n] = value[n] >= 0x20 && value[n] < 0x7f ? value[n] :
		    '?';
	agent_r[n] = '\0';
}

static int64_t
life_s(const struct request *r)
{
	return r->portal->heritage->settings->session_lifetime_ms / 1000;
}

struct opening {
	struct login_try login;
	struct login_second second;
	char better[PASSWORD_VERIFIER_BYTES];
	char token[COOKIE_TOKEN_BYTES];
	uint8_t digest[KEY_DIGEST_BYTES];
};

static void
opened(struct request *r, const struct opening *o, const struct db_rows *rows)
{
	r->caller.session_id = db_get_int(rows, 0, 1);
	r->caller.customer_id = db_get_int(rows, 0, 2);
	r->caller.account = true;
	if (!auth_see_own(r))
		return;
	answer_session(r, 201, o->token);
}

static void
open_session(struct request *r, const struct opening *o)
{
	char agent[AGENT_BYTES];
	struct db_rows *rows;
	enum db_result result;
	int64_t outcome;

	take_agent(r, agent);
	struct db_param p[] = { db_int(o->login.id),
		db_text(o->login.verifier),
		db_text(o->better[0] != '\0' ? o->better : NULL),
		db_int(o->second.given), db_int(o->second.step),
		db_bytes(o->second.recovery, sizeof(o->second.recovery)),
		db_bytes(o->login.pace, sizeof(o->login.pace)),
		login_address(r), db_text(agent),
		db_bytes(o->digest, sizeof(o->digest)), db_int(life_s(r)) };

	result = db_query(r->db, "SELECT outcome, session, customer FROM"
	    " youyun.session_open($1, $2, $3, $4, $5, $6, $7,"
	    " $8::text::inet, $9, $10, $11)", p, 11, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	outcome = db_get_int(rows, 0, 0);
	if (outcome == OUTCOME_OPENED)
		opened(r, o, rows);
	else if (outcome == OUTCOME_CHANGED)
		answer_problem(r, 401, "bad_login", NULL,
		    "Login or password is wrong.");
	else if (outcome == OUTCOME_CLOSED)
		answer_problem(r, 403, "account_closed", NULL,
		    "The account is closed.");
	else
		login_refuse_second(r, outcome, 401);
	db_rows_free(&rows);
}

void
run_login(struct request *r)
{
	static const char *const known[] = { "login", "password", "code",
		"recovery_code", NULL };
	const char *name, *password;
	struct opening o;

	memset(&o, 0, sizeof(o));
	if (query_only(r, nothing) && body_only(r, known) &&
	    body_text(r, "login", true, 1, LOGIN_NAME_BYTES - 1, &name) &&
	    body_text(r, "password", true, 1, LOGIN_PASSWORD_MAX_BYTES,
	    &password) && login_name(r, &o.login, "login", name) &&
	    login_find(r, &o.login) &&
	    login_check(r, &o.login, 401, password, NULL, o.better) &&
	    login_take_second(r, &o.login, &o.second)) {
		cookie_make(o.token);
		if (cookie_digest(r, o.token, o.digest) && request_begin(r))
			open_session(r, &o);
		request_end(r);
	}
	if (r->status == 201)
		cookie_set(r, o.token, life_s(r));
	bytes_scrub(&o, sizeof(o));
}

void
run_logout(struct request *r)
{
	struct db_param p = db_int(r->caller.session_id);
	struct json_object *o;
	enum db_result result;

	if (!query_only(r, nothing))
		return;
	result = db_query(r->db, "SELECT youyun.my_session_end($1)", &p, 1,
	    NULL);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	o = json_object_new_object();
	put_int(o, "ended", 1);
	cookie_set(r, "", 0);
	answer_json(r, 200, o);
}

void
run_sessions(struct request *r)
{
	static const char *const known[] = { "after", "limit", NULL };
	struct db_param p[3];
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, known) || !query_page(r, true, p))
		return;
	p[2] = db_int(r->portal->heritage->settings->session_idle_timeout_ms /
	    1000);
	result = db_query(r->db, "SELECT id, created, used_at, expires_at,"
	    " address, agent, own FROM youyun.my_session WHERE id < $1 AND"
	    " used_at > now() - $3 * interval '1 second' ORDER BY id DESC"
	    " LIMIT $2", p, 3, &rows);
	if (result == DB_OK)
		answer_page(r, "sessions", rows, p, session_json);
	else
		answer_database(r, result);
}

static void
end_sessions(struct request *r, struct db_param id)
{
	struct json_object *o;
	int64_t n;

	if (!request_int(r, "SELECT youyun.my_session_end($1)", &id, 1, &n))
		return;
	if (n == 0 && !id.null) {
		answer_database(r, DB_NONE);
		return;
	}
	o = json_object_new_object();
	put_int(o, "ended", n);
	answer_json(r, 200, o);
}

void
run_session_end(struct request *r)
{
	int64_t id;

	if (query_only(r, nothing) && part_number(r, 0, &id))
		end_sessions(r, db_int(id));
}

void
run_sessions_end(struct request *r)
{
	if (query_only(r, nothing))
		end_sessions(r, db_int_or_null(0));
}

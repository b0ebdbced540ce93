#include "portal/auth.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/cookie.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"
#include "shm/directory.h"

static bool
refuse(struct request *r, int status, const char *code, const char *text)
{
	if (status == 401)
		answer_header(r, "WWW-Authenticate", "Bearer");
	answer_problem(r, status, code, NULL, "%s", text);
	return false;
}

/* As clients of each protocol send it; NULL: there is none. */
static const char *
presented(struct request *r)
{
	const char *value = MHD_lookup_connection_value(r->connection,
	    MHD_HEADER_KIND, "authorization");

	if (value != NULL && strncasecmp(value, "bearer ", 7) == 0)
		return value + 7;
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
	    "x-api-key");
}

static bool
check(struct request *r, const struct db_rows *rows)
{
	int64_t expires_us = db_get_time(rows, 0, 4);
	int64_t status = db_get_int(rows, 0, 5);

	r->caller.key_id = db_get_int(rows, 0, 0);
	r->caller.customer_id = db_get_int(rows, 0, 1);
	r->caller.account = db_get_int(rows, 0, 2) == 1;
	if (db_get_int(rows, 0, 3) != KEY_ACTIVE)
		return refuse(r, 401, "bad_key", "The key is not valid.");
	if (expires_us != 0 && expires_us <= clock_wall().us)
		return refuse(r, 401, "key_expired", "The key has expired.");
	/* Who is suspended may still see why, and the bills. */
	if (status == ACCOUNT_CLOSED)
		return refuse(r, 403, "account_closed",
		    "The account is closed.");
	if (r->route->access == ROUTE_ACCOUNT && !r->caller.account)
		return refuse(r, 403, "scope", "The key is for calls only; a"
		    " key of scope account is needed.");
	return true;
}

bool
auth_see_own(struct request *r)
{
	char customer[24], session[24] = "", actor[REQUEST_ACTOR_BYTES];
	const struct caller *c = &r->caller;
	struct db_param p[3];

	snprintf(customer, sizeof(customer), "%lld",
	    (long long)c->customer_id);
	if (c->session_id != 0)
		snprintf(session, sizeof(session), "%lld",
		    (long long)c->session_id);
	snprintf(actor, sizeof(actor), "customer:%lld/%s:%lld",
	    (long long)c->customer_id, c->session_id != 0 ? "session" : "key",
	    (long long)(c->session_id != 0 ? c->session_id : c->key_id));
	p[0] = db_text(customer);
	p[1] = db_text(actor);
	p[2] = db_text(session);
	if (db_query(r->db, "SELECT set_config('youyun.customer', $1, true),"
	    " set_config('youyun.actor', $2, true),"
	    " set_config('youyun.session', $3, true)", p, 3, NULL) == DB_OK)
		return true;
	answer_database(r, DB_ERROR);
	return false;
}

static bool
by_key(struct request *r, const char *key)
{
	uint8_t digest[KEY_DIGEST_BYTES];
	struct key_hasher *hasher;
	struct db_param p;
	struct db_rows *rows;
	enum db_result result;
	bool ok;

	if (!api_key_plausible(key, strlen(key)))
		return refuse(r, 401, "bad_key", "The key is not valid.");
	hasher = key_hasher_open(&r->portal->heritage->secrets);
	if (hasher == NULL) {
		answer_database(r, DB_AWAY);
		return false;
	}
	key_hasher_digest(hasher, key, strlen(key), digest);
	key_hasher_close(&hasher);
	p = db_bytes(digest, sizeof(digest));
	result = db_query(r->db, "SELECT key_id, customer_id, scope,"
	    " key_status, expires_at, customer_status"
	    " FROM youyun.portal_key($1)", &p, 1, &rows);
	bytes_scrub(digest, sizeof(digest));
	if (result != DB_OK) {
		answer_database(r, result);
		return false;
	}
	ok = db_rows_count(rows) == 1 ? check(r, rows) :
	    refuse(r, 401, "bad_key", "The key is not valid.");
	db_rows_free(&rows);
	return ok && auth_see_own(r);
}

/* A page elsewhere can have a browser send the cookie, but not read what the
 * header must be. */
static bool
is_meant(struct request *r, const char *token)
{
	const char *shown = MHD_lookup_connection_value(r->connection,
	    MHD_HEADER_KIND, "x-csrf-token");
	char wanted[COOKIE_TOKEN_BYTES];
	bool ok;

	if (strcmp(r->route->method, "GET") == 0)
		return true;
	if (!cookie_csrf(r, token, wanted))
		return false;
	ok = shown != NULL && strlen(shown) == sizeof(wanted) - 1 &&
	    bytes_equal_secret(shown, wanted, sizeof(wanted) - 1);
	bytes_scrub(wanted, sizeof(wanted));
	return ok || refuse(r, 403, "csrf", "A change by a session needs its"
	    " csrf_token in the header x-csrf-token.");
}

static bool
take_session(struct request *r, const struct db_rows *rows)
{
	if (db_rows_count(rows) != 1)
		return refuse(r, 401, "session_over", "The session is over."
		    " Log in again.");
	r->caller.session_id = db_get_int(rows, 0, 0);
	r->caller.customer_id = db_get_int(rows, 0, 1);
	r->caller.account = true;
	return db_get_int(rows, 0, 2) != ACCOUNT_CLOSED ||
	    refuse(r, 403, "account_closed", "The account is closed.");
}

static bool
by_session(struct request *r, const char *token)
{
	const struct settings *s = r->portal->heritage->settings;
	uint8_t digest[KEY_DIGEST_BYTES];
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;
	bool ok;

	if (!cookie_digest(r, token, digest))
		return false;
	p[0] = db_bytes(digest, sizeof(digest));
	p[1] = db_int(s->session_idle_timeout_ms / 1000);
	result = db_query(r->db, "SELECT session_id, customer_id,"
	    " customer_status FROM youyun.portal_session($1, $2)", p, 2,
	    &rows);
	bytes_scrub(digest, sizeof(digest));
	if (result != DB_OK) {
		answer_database(r, result);
		return false;
	}
	ok = take_session(r, rows);
	db_rows_free(&rows);
	return ok && is_meant(r, token) && auth_see_own(r);
}

bool
portal_authenticate(struct request *r)
{
	char token[COOKIE_TOKEN_BYTES];
	const char *key;
	bool ok;

	if (r->route->access == ROUTE_PUBLIC ||
	    r->route->access == ROUTE_SIGNED)
		return true;
	/* A key is shown on purpose, a cookie isn't: it goes first. */
	key = r->route->access != ROUTE_SESSION ? presented(r) : NULL;
	if (key != NULL)
		return by_key(r, key);
	if (cookie_get(r, token)) {
		ok = by_session(r, token);
		bytes_scrub(token, sizeof(token));
		return ok;
	}
	if (r->route->access == ROUTE_SESSION)
		return refuse(r, 401, "no_session", "A session is needed, by"
		    " POST /api/v1/session; a key doesn't do.");
	return refuse(r, 401, "no_key", "A key is needed, as"
	    " Authorization: Bearer sk-…, or a session.");
}

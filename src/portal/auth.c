#include "portal/auth.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"
#include "conf/heritage.h"
#include "db/value.h"
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
	char customer[24], actor[REQUEST_ACTOR_BYTES];
	struct db_param p[2];

	snprintf(customer, sizeof(customer), "%lld",
	    (long long)r->caller.customer_id);
	snprintf(actor, sizeof(actor), "customer:%lld/key:%lld",
	    (long long)r->caller.customer_id, (long long)r->caller.key_id);
	p[0] = db_text(customer);
	p[1] = db_text(actor);
	if (db_query(r->db, "SELECT set_config('youyun.customer', $1, true),"
	    " set_config('youyun.actor', $2, true)", p, 2, NULL) == DB_OK)
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

bool
portal_authenticate(struct request *r)
{
	const char *key;

	if (r->route->access == ROUTE_PUBLIC ||
	    r->route->access == ROUTE_SIGNED)
		return true;
	key = presented(r);
	if (key == NULL)
		return refuse(r, 401, "no_key", "A key is needed, as"
		    " Authorization: Bearer sk-…");
	return by_key(r, key);
}

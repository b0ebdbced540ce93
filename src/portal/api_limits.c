/* How much the account and its keys may use and spend. */
#include <json-c/json.h>

#include "db/spent.h"
#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"
#include "shm/limit.h"

#define TOKENS_TOTAL_MAX INT64_C(1000000000000000)
#define LIMITS 7

/* rate_limit.scope */
enum scope {
	SCOPE_KEY = 0,
	SCOPE_KEY_BY_CUSTOMER = 4
};

static const char *const nothing[] = { NULL };

static const struct {
	const char *name;
	bool is_amount;
	int64_t most;
} limits[LIMITS] = {
	{ "requests_per_minute", false, LIMIT_REQUESTS_MAX },
	{ "tokens_per_minute", false, (int64_t)LIMIT_TOKENS_MAX },
	{ "concurrent", false, LIMIT_CONCURRENT_MAX },
	{ "per_day", true, 0 },
	{ "per_month", true, 0 },
	{ "total", true, 0 },
	{ "total_tokens", false, TOKENS_TOTAL_MAX },
};

#define LIMIT_COLUMNS "scope::bigint, object_id, requests::bigint, tokens," \
	" concurrent::bigint, day_nano, month_nano, total_nano, total_tokens"

/* An account has no total. */
static struct json_object *
limit_json(const struct db_rows *rows, size_t i, int n)
{
	struct json_object *o = json_object_new_object();

	for (int k = 0; k < n; k++) {
		int64_t v = db_get_int(rows, i, 2 + k);

		put(o, limits[k].name, limits[k].is_amount ? json_cap(v) :
		    v > 0 ? json_object_new_int64(v) : NULL);
	}
	return o;
}

/* What was spent by calls that have ended: key_id 0: of all keys. */
static struct json_object *
spent_json(struct request *r, int64_t key_id)
{
	struct db_param p = db_int(key_id);
	struct json_object *o;
	struct db_rows *rows;
	enum db_result result;

	result = db_query(r->db, "SELECT" SPENT_COLUMNS " FROM"
	    SPENT_DAYS("now()")
	    " JOIN youyun.my_usage u ON u.key_id = $1"
	    "  OR ($1 = 0 AND u.day >= t.month)", &p, 1, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return NULL;
	}
	o = json_object_new_object();
	put(o, "today", json_amount(db_get_int(rows, 0, 0)));
	put(o, "this_month", json_amount(db_get_int(rows, 0, 1)));
	if (key_id != 0) {
		put(o, "total", json_amount(db_get_int(rows, 0, 2)));
		put_int(o, "total_tokens", db_get_int(rows, 0, 3));
	}
	db_rows_free(&rows);
	return o;
}

static struct json_object *
key_limit_json(const struct db_rows *rows, size_t i)
{
	struct json_object *o = limit_json(rows, i, LIMITS);

	put_int(o, "key_id", db_get_int(rows, i, 1));
	put(o, "set_by", json_text(db_get_int(rows, i, 0) == SCOPE_KEY ?
	    "operator" : "customer"));
	return o;
}

void
run_limits(struct request *r)
{
	struct json_object *o, *keys, *spent, *account = NULL;
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, nothing) || (spent = spent_json(r, 0)) == NULL)
		return;
	/* Its own before those of the group's members. */
	result = db_query(r->db, "SELECT " LIMIT_COLUMNS
	    " FROM youyun.my_limit WHERE requests > 0 OR tokens > 0 OR"
	    " concurrent > 0 OR day_nano > 0 OR month_nano > 0 OR"
	    " total_nano > 0 OR total_tokens > 0"
	    " ORDER BY scope, object_id LIMIT 4000", NULL, 0, &rows);
	if (result != DB_OK) {
		json_object_put(spent);
		answer_database(r, result);
		return;
	}
	o = json_object_new_object();
	keys = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		int64_t scope = db_get_int(rows, i, 0);

		if (scope == SCOPE_KEY || scope == SCOPE_KEY_BY_CUSTOMER)
			json_object_array_add(keys, key_limit_json(rows, i));
		else if (account == NULL)
			account = limit_json(rows, i, 5);
	}
	db_rows_free(&rows);
	put(o, "account", account);
	put(o, "spent", spent);
	put(o, "keys", keys);
	answer_json(r, 200, o);
}

/* False: there is no such key, or something else failed; the answer is set. */
static bool
find_key(struct request *r, int64_t id)
{
	struct db_param p = db_int(id);
	struct db_rows *rows;
	enum db_result result;
	bool found = false;

	result = db_query(r->db, "SELECT 1::bigint FROM youyun.my_key"
	    " WHERE id = $1", &p, 1, &rows);
	if (result == DB_OK) {
		found = db_rows_count(rows) == 1;
		db_rows_free(&rows);
		result = DB_NONE;
	}
	if (!found)
		answer_database(r, result);
	return found;
}

static void
answer_key(struct request *r, int64_t id)
{
	struct db_param p = db_int(id);
	struct json_object *o, *spent, *own = NULL, *operator_s = NULL;
	struct db_rows *rows;
	enum db_result result;

	spent = spent_json(r, id);
	if (spent == NULL)
		return;
	result = db_query(r->db, "SELECT " LIMIT_COLUMNS
	    " FROM youyun.my_limit WHERE scope IN (0, 4) AND object_id = $1",
	    &p, 1, &rows);
	if (result != DB_OK) {
		json_object_put(spent);
		answer_database(r, result);
		return;
	}
	for (size_t i = 0; i < db_rows_count(rows); i++)
		if (db_get_int(rows, i, 0) == SCOPE_KEY)
			operator_s = limit_json(rows, i, LIMITS);
		else
			own = limit_json(rows, i, LIMITS);
	db_rows_free(&rows);
	o = json_object_new_object();
	put(o, "limits", own);
	put(o, "operator_limits", operator_s);
	put(o, "spent", spent);
	answer_json(r, 200, o);
}

void
run_key_limits(struct request *r)
{
	int64_t id;

	if (query_only(r, nothing) && part_number(r, 0, &id) &&
	    find_key(r, id))
		answer_key(r, id);
}

static bool
take_limits(struct request *r, struct db_param *p)
{
	for (int k = 0; k < LIMITS; k++) {
		int64_t v = body_is_null(r, limits[k].name) ? 0 : -1;

		if (limits[k].is_amount ? !body_amount(r, limits[k].name,
		    &v) : v != 0 && !body_number(r, limits[k].name, 0,
		    limits[k].most, &v))
			return false;
		p[k] = db_int(v);
	}
	return true;
}

void
run_key_limits_change(struct request *r)
{
	const char *known[LIMITS + 1] = { NULL };
	struct db_param p[1 + LIMITS];
	int64_t id, n;

	for (int k = 0; k < LIMITS; k++)
		known[k] = limits[k].name;
	if (!query_only(r, nothing) || !part_number(r, 0, &id) ||
	    !body_only(r, known) || !take_limits(r, p + 1) ||
	    !find_key(r, id))
		return;
	p[0] = db_int(id);
	if (!request_int(r, "SELECT youyun.my_key_limit($1, $2, $3, $4,"
	    " $5, $6, $7, $8)", p, 1 + LIMITS, &n))
		return;
	if (n == 1)
		answer_key(r, id);
	else
		answer_problem(r, 409, "revoked", NULL,
		    "The key is revoked or suspended and stays as it is.");
}

/* The account, its balance and limits, what it was told. */
#include <json-c/json.h>
#include <string.h>

#include "base/money.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

#define CONTACT_MAX_BYTES 512

static const char *const nothing[] = { NULL };

static const char *
currency(const struct request *r)
{
	return r->portal->heritage->settings->currency;
}

static const char *
status_name(int64_t status)
{
	static const char *const names[] = { "active", "limited", "suspended",
		"closed" };

	return status >= 0 && status < 4 ? names[status] : "unknown";
}

/* The account's one row; NULL: the answer is set. */
static struct db_rows *
account_row(struct request *r)
{
	struct db_rows *rows;
	enum db_result result;

	result = db_query(r->db, "SELECT id, name, status::bigint, group_name,"
	    " multiplier_ppm::bigint, contact, created, granted_nano,"
	    " spent_nano, language, low_balance_nano FROM youyun.my_account",
	    NULL, 0, &rows);
	if (result == DB_OK && db_rows_count(rows) == 1)
		return rows;
	if (result == DB_OK)
		db_rows_free(&rows);
	answer_database(r, result == DB_OK ? DB_NONE : (int)result);
	return NULL;
}

void
run_account(struct request *r)
{
	struct json_object *o;
	struct db_rows *rows;
	char factor[MONEY_TEXT_BYTES];

	if (!query_only(r, nothing) || (rows = account_row(r)) == NULL)
		return;
	o = json_object_new_object();
	put_int(o, "id", db_get_int(rows, 0, 0));
	put(o, "name", json_text(db_get_text(rows, 0, 1)));
	put(o, "status", json_text(status_name(db_get_int(rows, 0, 2))));
	put(o, "group", json_text(db_get_text(rows, 0, 3)));
	ppm_format((uint32_t)db_get_int(rows, 0, 4), factor);
	put(o, "multiplier", json_text(factor));
	put(o, "contact", json_text(db_get_text(rows, 0, 5)));
	put(o, "created", json_time(db_get_time(rows, 0, 6)));
	put(o, "language", json_text(db_get_text(rows, 0, 9)));
	put(o, "low_balance", json_cap(db_get_int(rows, 0, 10)));
	db_rows_free(&rows);
	answer_json(r, 200, o);
}

/* Part of the request's transaction; -1: as it is. */
static bool
set_low_balance(struct request *r, int64_t nano)
{
	struct db_param p = db_int(nano);
	enum db_result result = DB_OK;

	if (nano >= 0)
		result = db_query(r->db, "SELECT youyun.my_low_balance($1)",
		    &p, 1, NULL);
	if (result != DB_OK)
		answer_database(r, result);
	return result == DB_OK;
}

void
run_account_change(struct request *r)
{
	static const char *const known[] = { "contact", "language",
		"low_balance", NULL };
	const char *contact, *language;
	int64_t low_nano = -1;
	struct db_param p[2];
	int64_t n;

	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !body_text(r, "contact", false, 0, CONTACT_MAX_BYTES, &contact) ||
	    !body_language(r, &language) ||
	    !body_amount(r, "low_balance", &low_nano) ||
	    !set_low_balance(r, low_nano))
		return;
	p[0] = db_text(contact);
	p[1] = db_text(language);
	if (!request_int(r, "SELECT youyun.my_account_change($1, $2)", p, 2,
	    &n))
		return;
	if (n == 1)
		run_account(r);
	else
		answer_database(r, DB_NONE);
}

static bool
add_pots(struct request *r, struct json_object *o)
{
	struct json_object *expiring = json_object_new_array(), *e;
	struct db_rows *rows;
	int64_t promotional = 0;
	enum db_result result;

	result = db_query(r->db, "SELECT paid, CASE WHEN expires_at <"
	    " 'infinity' THEN expires_at END, left_nano FROM youyun.my_pot"
	    " ORDER BY expires_at, account_id", NULL, 0, &rows);
	if (result != DB_OK) {
		json_object_put(expiring);
		answer_database(r, result);
		return false;
	}
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		if (!db_get_bool(rows, i, 0))
			promotional += db_get_int(rows, i, 2);
		if (db_null(rows, i, 1))
			continue;
		e = json_object_new_object();
		put(e, "amount", json_amount(db_get_int(rows, i, 2)));
		put(e, "expires_at", json_time(db_get_time(rows, i, 1)));
		json_object_array_add(expiring, e);
	}
	db_rows_free(&rows);
	put(o, "promotional", json_amount(promotional));
	put(o, "expiring", expiring);
	return true;
}

void
run_balance(struct request *r)
{
	struct json_object *o;
	struct db_rows *rows;

	if (!query_only(r, nothing) || (rows = account_row(r)) == NULL)
		return;
	o = json_object_new_object();
	put(o, "currency", json_text(currency(r)));
	put(o, "balance", json_amount(db_get_int(rows, 0, 7) -
	    db_get_int(rows, 0, 8)));
	put(o, "granted", json_amount(db_get_int(rows, 0, 7)));
	put(o, "spent", json_amount(db_get_int(rows, 0, 8)));
	db_rows_free(&rows);
	if (add_pots(r, o))
		answer_json(r, 200, o);
	else
		json_object_put(o);
}

/* What chat clients ask for: in whole and broken dollars, which they read as
 * numbers.  They show it and compute nothing with it. */
static struct json_object *
json_number(int64_t nano)
{
	char text[MONEY_TEXT_BYTES];

	money_format(nano, 2, text);
	return json_object_new_double_s(0, text);
}

void
run_subscription(struct request *r)
{
	struct json_object *o;
	struct db_rows *rows;
	int64_t granted;

	if (!query_only(r, nothing) || (rows = account_row(r)) == NULL)
		return;
	granted = db_get_int(rows, 0, 7);
	db_rows_free(&rows);
	o = json_object_new_object();
	put(o, "object", json_text("billing_subscription"));
	put(o, "has_payment_method", json_object_new_boolean(true));
	put(o, "soft_limit_usd", json_number(granted));
	put(o, "hard_limit_usd", json_number(granted));
	put(o, "system_hard_limit_usd", json_number(granted));
	put_int(o, "access_until", 0);
	answer_json(r, 200, o);
}

static struct json_object *
notice_json(const struct db_rows *rows, size_t i)
{
	struct json_object *n = json_object_new_object();

	put_int(n, "id", db_get_int(rows, i, 0));
	put(n, "kind", json_text(db_get_text(rows, i, 1)));
	put(n, "detail", json_tokener_parse(db_get_text(rows, i, 2)));
	put(n, "at", json_time(db_get_time(rows, i, 3)));
	put(n, "read_at", json_time(db_get_time(rows, i, 4)));
	return n;
}

void
run_notices(struct request *r)
{
	static const char *const known[] = { "after", "limit", NULL };
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, known) || !query_page(r, true, p))
		return;
	result = db_query(r->db, "SELECT id, kind, detail::text, at, read_at"
	    " FROM youyun.my_notice WHERE id < $1 LIMIT $2", p,
	    2, &rows);
	if (result == DB_OK)
		answer_page(r, "notices", rows, p, notice_json);
	else
		answer_database(r, result);
}

void
run_notice_read(struct request *r)
{
	struct json_object *o;
	struct db_param p;
	struct db_rows *rows;
	enum db_result result;
	int64_t id;
	bool found;

	if (!query_only(r, nothing) || !part_number(r, 0, &id))
		return;
	p = db_int(id);
	result = db_query(r->db, "SELECT youyun.my_notice_read($1)", &p, 1,
	    &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	found = db_get_int(rows, 0, 0) == 1;
	db_rows_free(&rows);
	if (!found) {
		answer_database(r, DB_NONE);
		return;
	}
	o = json_object_new_object();
	put_int(o, "id", id);
	put(o, "read", json_object_new_boolean(true));
	answer_json(r, 200, o);
}

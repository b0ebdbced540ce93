/* Bills by month: what came in and went out by the ledger, and what the calls
 * of each model cost. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/money.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

static const char *const nothing[] = { NULL };

void
run_bills(struct request *r)
{
	struct json_object *o, *list, *m;
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, nothing))
		return;
	result = db_query(r->db, "SELECT to_char(month, 'YYYY-MM'),"
	    " credited_nano, calls_nano, change_nano"
	    " FROM youyun.my_bill LIMIT 240", NULL, 0, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	list = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		m = json_object_new_object();
		put(m, "month", json_text(db_get_text(rows, i, 0)));
		put(m, "credited", json_amount(db_get_int(rows, i, 1)));
		put(m, "calls", json_amount(db_get_int(rows, i, 2)));
		put(m, "change", json_amount(db_get_int(rows, i, 3)));
		json_object_array_add(list, m);
	}
	db_rows_free(&rows);
	o = json_object_new_object();
	put(o, "bills", list);
	answer_json(r, 200, o);
}

struct month {
	char text[8];
	int64_t since_us, until_us;
};

static bool
take_month(struct request *r, struct month *m)
{
	char day[32];
	int year, month;

	if (strlen(r->part[0]) == 7 && sscanf(r->part[0], "%4d-%2d", &year,
	    &month) == 2 && month >= 1 && month <= 12) {
		snprintf(day, sizeof(day), "%.7s-01", r->part[0]);
		if (time_parse(day, &m->since_us)) {
			snprintf(m->text, sizeof(m->text), "%.7s",
			    r->part[0]);
			snprintf(day, sizeof(day), "%04d-%02d-01",
			    month == 12 ? year + 1 : year,
			    month == 12 ? 1 : month + 1);
			return time_parse(day, &m->until_us);
		}
	}
	answer_problem(r, 404, "not_found", NULL,
	    "A month is wanted, as in 2026-11.");
	return false;
}

/* What the months before come to, and between which numbers the month's
 * bookings are; some of another month can be there, too. */
static enum db_result
open_month(struct request *r, const struct month *m, int64_t *opening,
    int64_t range[2])
{
	struct db_param p = db_text(m->text);
	struct db_rows *rows;
	enum db_result result;

	result = db_query(r->db, "SELECT coalesce(sum(b.change_nano) FILTER"
	    " (WHERE b.month < w.month), 0)::bigint,"
	    " coalesce(min(b.first_id) FILTER (WHERE b.month = w.month), 0),"
	    " coalesce(max(b.last_id) FILTER (WHERE b.month = w.month), -1)"
	    " FROM youyun.my_bill b,"
	    " (SELECT ($1 || '-01')::date AS month) w", &p, 1, &rows);
	if (result != DB_OK)
		return result;
	*opening = db_get_int(rows, 0, 0);
	range[0] = db_get_int(rows, 0, 1);
	range[1] = db_get_int(rows, 0, 2);
	db_rows_free(&rows);
	return DB_OK;
}

static bool
add_bookings(struct request *r, const struct month *m, struct json_object *o)
{
	struct json_object *list = json_object_new_array(), *b;
	int64_t opening = 0, closing, range[2] = { 0, -1 };
	struct db_rows *rows = NULL;
	enum db_result result = open_month(r, m, &opening, range);
	struct db_param p[4] = { db_time(m->since_us), db_time(m->until_us),
		db_int(range[0]), db_int(range[1]) };

	/* Calls by day; everything else by itself. */
	if (result == DB_OK)
		result = db_query(r->db, "SELECT kind, min(at), min(id),"
		    " sum(calls)::bigint, sum(amount_nano)::bigint"
		    " FROM youyun.my_booking WHERE id >= $3 AND id <= $4"
		    " AND at >= $1 AND at < $2 GROUP BY kind, CASE WHEN kind ="
		    "  'calls' THEN date_trunc('day', at AT TIME ZONE 'UTC')"
		    "  ::text ELSE id::text END"
		    " ORDER BY 2, 3 LIMIT 10000", p, 4, &rows);
	if (result != DB_OK) {
		json_object_put(list);
		answer_database(r, result);
		return false;
	}
	closing = opening;
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		int64_t nano = db_get_int(rows, i, 4);

		closing += nano;
		b = json_object_new_object();
		put(b, "kind", json_text(db_get_text(rows, i, 0)));
		put(b, "at", json_time(db_get_time(rows, i, 1)));
		put_int(b, "number", db_get_int(rows, i, 2));
		put_int(b, "calls", db_get_int(rows, i, 3));
		put(b, "amount", json_amount(nano));
		put(b, "balance", json_amount(closing));
		json_object_array_add(list, b);
	}
	db_rows_free(&rows);
	put(o, "opening", json_amount(opening));
	put(o, "bookings", list);
	put(o, "closing", json_amount(closing));
	return true;
}

static bool
add_models(struct request *r, const struct month *m, struct json_object *o)
{
	struct db_param p[2] = { db_time(m->since_us), db_time(m->until_us) };
	struct json_object *list = json_object_new_array(), *l;
	struct db_rows *rows;
	enum db_result result;

	/* Of deleted calls there are these sums. */
	result = db_query(r->db, "SELECT coalesce((SELECT m.name FROM"
	    " youyun.model m WHERE m.id = c.model_id), '') AS model,"
	    " c.price_version, c.multiplier_ppm, sum(calls)::bigint,"
	    " sum(input_tokens)::bigint, sum(output_tokens)::bigint,"
	    " sum(cache_read_tokens)::bigint,"
	    " sum(cache_write_tokens)::bigint, sum(fee_nano)::bigint FROM"
	    " (SELECT model_id, price_version, multiplier_ppm, 1 AS calls,"
	    "  input_tokens, output_tokens, cache_read_tokens,"
	    "  cache_write_5m_tokens + cache_write_1h_tokens"
	    "  AS cache_write_tokens, fee_nano FROM youyun.my_call"
	    "  WHERE started_at >= $1 AND started_at < $2 AND fee_nano > 0"
	    " UNION ALL SELECT nullif(model_id, 0), nullif(price_version, 0),"
	    "  multiplier_ppm, calls, input_tokens, output_tokens,"
	    "  cache_read_tokens, cache_write_tokens, fee_nano"
	    "  FROM youyun.my_archive_line"
	    "  WHERE day >= ($1 AT TIME ZONE 'UTC')::date"
	    "  AND day < ($2 AT TIME ZONE 'UTC')::date) c"
	    " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 10000", p, 2, &rows);
	if (result != DB_OK) {
		json_object_put(list);
		answer_database(r, result);
		return false;
	}
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		char factor[MONEY_TEXT_BYTES];

		l = json_object_new_object();
		put(l, "model", json_text(db_get_text(rows, i, 0)));
		put_int(l, "price_version", db_get_int(rows, i, 1));
		ppm_format((uint32_t)db_get_int(rows, i, 2), factor);
		put(l, "multiplier", json_text(factor));
		put_int(l, "calls", db_get_int(rows, i, 3));
		put_int(l, "input_tokens", db_get_int(rows, i, 4));
		put_int(l, "output_tokens", db_get_int(rows, i, 5));
		put_int(l, "cache_read_tokens", db_get_int(rows, i, 6));
		put_int(l, "cache_write_tokens", db_get_int(rows, i, 7));
		put(l, "fee", json_amount(db_get_int(rows, i, 8)));
		json_object_array_add(list, l);
	}
	db_rows_free(&rows);
	put(o, "models", list);
	return true;
}

/*
 * The printable page.
 */
static bool
put_html(struct buf *out, const char *text)
{
	bool ok = true;

	for (; ok && *text != '\0'; text++)
		switch (*text) {
		case '&':
			ok = buf_append(out, "&amp;", 5);
			break;
		case '<':
			ok = buf_append(out, "&lt;", 4);
			break;
		case '>':
			ok = buf_append(out, "&gt;", 4);
			break;
		case '"':
			ok = buf_append(out, "&quot;", 6);
			break;
		default:
			ok = buf_append(out, text, 1);
		}
	return ok;
}

static bool
html_table(struct buf *out, struct json_object *list,
    const char *const *columns)
{
	bool ok = buf_printf(out, "<table><tr>");

	for (size_t k = 0; ok && columns[k] != NULL; k++)
		ok = buf_printf(out, "<th>%s</th>", columns[k]);
	ok = ok && buf_printf(out, "</tr>\n");
	for (size_t i = 0; ok && i < json_object_array_length(list); i++) {
		struct json_object *row = json_object_array_get_idx(list, i);

		ok = buf_printf(out, "<tr>");
		for (size_t k = 0; ok && columns[k] != NULL; k++)
			ok = buf_printf(out, "<td>") && put_html(out,
			    json_object_get_string(json_object_object_get(row,
			    columns[k]))) && buf_printf(out, "</td>");
		ok = ok && buf_printf(out, "</tr>\n");
	}
	return ok && buf_printf(out, "</table>\n");
}

static const char *
member(struct json_object *o, const char *name)
{
	return json_object_get_string(json_object_object_get(o, name));
}

static void
answer_html(struct request *r, struct json_object *o)
{
	static const char *const bookings[] = { "at", "kind", "number",
		"calls", "amount", "balance", NULL };
	static const char *const models[] = { "model", "price_version",
		"multiplier", "calls", "input_tokens", "output_tokens",
		"cache_read_tokens", "cache_write_tokens", "fee", NULL };
	struct buf *out = &r->out;
	bool ok;

	ok = buf_printf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
	    "<meta charset=\"utf-8\"><title>Bill %s</title><style>"
	    "body{font:14px sans-serif;margin:2em}"
	    "table{border-collapse:collapse;margin:1em 0}"
	    "th,td{border:1px solid #999;padding:.2em .6em;text-align:right}"
	    "</style></head><body><h1>Bill %s</h1>\n<p>",
	    member(o, "month"), member(o, "month")) &&
	    put_html(out, member(o, "account")) &&
	    buf_printf(out, ", amounts in ") &&
	    put_html(out, member(o, "currency")) &&
	    buf_printf(out, ", times in UTC</p>\n<p>Opening balance %s</p>\n",
	    member(o, "opening")) &&
	    html_table(out, json_object_object_get(o, "bookings"), bookings) &&
	    buf_printf(out, "<p>Closing balance %s</p>\n<h2>Calls by model"
	    "</h2>\n", member(o, "closing")) &&
	    html_table(out, json_object_object_get(o, "models"), models) &&
	    buf_printf(out, "</body></html>\n");
	json_object_put(o);
	if (!ok) {
		answer_database(r, DB_AWAY);
		return;
	}
	r->status = 200;
	r->content_type = "text/html; charset=utf-8";
}

static bool
add_account(struct request *r, struct json_object *o)
{
	struct db_rows *rows;
	enum db_result result = db_query(r->db,
	    "SELECT name FROM youyun.my_account", NULL, 0, &rows);

	if (result != DB_OK) {
		answer_database(r, result);
		return false;
	}
	put(o, "account", json_text(db_rows_count(rows) == 1 ?
	    db_get_text(rows, 0, 0) : ""));
	db_rows_free(&rows);
	return true;
}

void
run_bill(struct request *r)
{
	static const char *const known[] = { "format", NULL };
	const char *format = query_text(r, "format");
	struct json_object *o;
	struct month m;

	if (!query_only(r, known) || !take_month(r, &m))
		return;
	if (format[0] != '\0' && strcmp(format, "json") != 0 &&
	    strcmp(format, "html") != 0) {
		answer_problem(r, 400, "bad_argument", "format",
		    "Allowed are json and html.");
		return;
	}
	o = json_object_new_object();
	put(o, "month", json_text(m.text));
	put(o, "currency", json_text(
	    r->portal->heritage->settings->currency));
	if (!add_account(r, o) || !add_bookings(r, &m, o) ||
	    !add_models(r, &m, o)) {
		json_object_put(o);
		return;
	}
	if (strcmp(format, "html") == 0)
		answer_html(r, o);
	else
		answer_json(r, 200, o);
}

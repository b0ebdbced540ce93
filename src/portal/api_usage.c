/* Calls, tokens and fees by day, model or key. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/money.h"
#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define DAYS_MAX 366

/* The whole days from one to another; a month back when nothing is said. */
static bool
take_days(struct request *r, const char *from, const char *to,
    int64_t *since_r, int64_t *until_r)
{
	int64_t today = clock_wall().us / DAY_US * DAY_US;

	*until_r = today + DAY_US;
	*since_r = 0;
	if (!query_time(r, from, since_r) || !query_time(r, to, until_r))
		return false;
	*until_r = (*until_r + DAY_US - 1) / DAY_US * DAY_US;
	*since_r = *since_r == 0 ? *until_r - 30 * DAY_US :
	    *since_r / DAY_US * DAY_US;
	if (*since_r < *until_r &&
	    *until_r - *since_r <= DAYS_MAX * DAY_US)
		return true;
	answer_problem(r, 400, "bad_argument", from,
	    "It must be before %s, by %d days at most.", to, DAYS_MAX);
	return false;
}

static const struct {
	const char *by;
	const char *sql;		/* what a row is called */
} kinds[] = {
	{ "day", "to_char(day, 'YYYY-MM-DD')" },
	{ "model", "coalesce((SELECT m.name FROM youyun.model m"
	  " WHERE m.id = model_id), '')" },
	{ "key", "key_id::text" },
};

static enum db_result
fetch(struct request *r, size_t kind, int64_t since_us, int64_t until_us,
    struct db_rows **rows_r)
{
	struct db_param p[2] = { db_time(since_us), db_time(until_us) };
	char sql[1024];

	snprintf(sql, sizeof(sql), "SELECT %s AS what, sum(calls)::bigint,"
	    " sum(failed)::bigint, youyun.saturated(sum(input_tokens)),"
	    " youyun.saturated(sum(output_tokens)), sum(fee_nano)::bigint"
	    " FROM youyun.my_usage WHERE day >= ($1 AT TIME ZONE 'UTC')::date"
	    " AND day < ($2 AT TIME ZONE 'UTC')::date"
	    " GROUP BY 1 ORDER BY 1 LIMIT 10000", kinds[kind].sql);
	return db_query(r->db, sql, p, 2, rows_r);
}

static struct json_object *
row_json(const struct db_rows *rows, size_t i, const char *by)
{
	struct json_object *o = json_object_new_object();

	if (strcmp(by, "key") == 0)
		put(o, "key_id", json_object_new_int64(strtoll(
		    db_get_text(rows, i, 0), NULL, 10)));
	else
		put(o, by, json_text(db_get_text(rows, i, 0)));
	put_int(o, "calls", db_get_int(rows, i, 1));
	put_int(o, "failed", db_get_int(rows, i, 2));
	put_int(o, "input_tokens", db_get_int(rows, i, 3));
	put_int(o, "output_tokens", db_get_int(rows, i, 4));
	put(o, "fee", json_amount(db_get_int(rows, i, 5)));
	return o;
}

void
run_usage(struct request *r)
{
	static const char *const known[] = { "by", "since", "until", NULL };
	const char *by = query_text(r, "by");
	struct json_object *o, *list;
	int64_t since_us, until_us;
	struct db_rows *rows;
	enum db_result result;
	size_t kind;

	if (!query_only(r, known) ||
	    !take_days(r, "since", "until", &since_us, &until_us))
		return;
	if (by[0] == '\0')
		by = "day";
	for (kind = 0; kind < 3 && strcmp(kinds[kind].by, by) != 0; kind++)
		continue;
	if (kind == 3) {
		answer_problem(r, 400, "bad_argument", "by",
		    "Allowed are day, model and key.");
		return;
	}
	result = fetch(r, kind, since_us, until_us, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	list = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++)
		json_object_array_add(list, row_json(rows, i, by));
	db_rows_free(&rows);
	o = json_object_new_object();
	put(o, "since", json_time(since_us));
	put(o, "until", json_time(until_us));
	put(o, "usage", list);
	answer_json(r, 200, o);
}

/* OpenAI's former route: cents, by day. */
void
run_dashboard_usage(struct request *r)
{
	static const char *const known[] = { "start_date", "end_date", NULL };
	struct json_object *o, *days, *d;
	int64_t since_us, until_us, total = 0, at;
	char text[MONEY_TEXT_BYTES];
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, known) ||
	    !take_days(r, "start_date", "end_date", &since_us, &until_us))
		return;
	result = fetch(r, 0, since_us, until_us, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	days = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		int64_t fee = db_get_int(rows, i, 5);

		d = json_object_new_object();
		if (!time_parse(db_get_text(rows, i, 0), &at))
			at = 0;
		put_int(d, "timestamp", at / 1000000);
		money_format(fee, 2, text);
		put(d, "cost", json_object_new_double_s(0, text));
		json_object_array_add(days, d);
		total += fee;
	}
	db_rows_free(&rows);
	o = json_object_new_object();
	put(o, "object", json_text("list"));
	put(o, "daily_costs", days);
	/* In hundredths; what would not fit has long gone. */
	money_format(total > INT64_MAX / 100 ? INT64_MAX : total * 100, 2,
	    text);
	put(o, "total_usage", json_object_new_double_s(0, text));
	answer_json(r, 200, o);
}

#include "portal/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <microhttpd.h>

#include "base/clock.h"
#include "base/money.h"
#include "db/connection.h"
#include "db/value.h"
#include "portal/route.h"

#define PROBLEM_BYTES 512

static void
answer_text(struct request *r, int status, const char *type,
    struct json_object *json)
{
	const char *text = json_object_to_json_string_ext(json,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	buf_consume(&r->out, r->out.len);
	if (!buf_append(&r->out, text, strlen(text)) ||
	    !buf_append(&r->out, "\n", 1))
		status = 503;
	r->status = status;
	r->content_type = type;
	json_object_put(json);
}

void
answer_json(struct request *r, int status, struct json_object *json)
{
	answer_text(r, status, "application/json", json);
}

void
answer_problem(struct request *r, int status, const char *code,
    const char *name, const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char text[PROBLEM_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(o, "type", json_text("about:blank"));
	put_int(o, "status", status);
	put(o, "title", json_text(MHD_get_reason_phrase_for(
	    (unsigned)status)));
	put(o, "detail", json_text(text));
	put(o, "code", json_text(code));
	if (name != NULL)
		put(o, "name", json_text(name));
	answer_text(r, status, "application/problem+json", o);
}

void
answer_database(struct request *r, int result)
{
	switch ((enum db_result)result) {
	case DB_NONE:
		answer_problem(r, 404, "not_found", NULL,
		    "There is nothing by that number.");
		return;
	case DB_CONFLICT:
		answer_problem(r, 409, "conflict", NULL,
		    "It is there already, or was changed meanwhile.");
		return;
	case DB_UNKNOWN:
		answer_problem(r, 503, "unknown_outcome", NULL,
		    "It may or may not have been done. Look before you try"
		    " again.");
		return;
	case DB_OK:
	case DB_AWAY:
	case DB_ERROR:
		break;
	}
	/* 57014: it took longer than a request may. */
	if (r->db != NULL && strcmp(db_sqlstate(r->db), "57014") == 0)
		answer_problem(r, 503, "too_slow", NULL,
		    "That took too long. Ask for less, or later.");
	else
		answer_problem(r, 503, "unavailable", NULL,
		    "The account data can't be reached now. Retry later.");
}

bool
request_int(struct request *r, const char *sql, const struct db_param *p,
    size_t n, int64_t *number_r)
{
	struct db_rows *rows;
	enum db_result result = db_query(r->db, sql, p, n, &rows);

	if (result != DB_OK) {
		answer_database(r, result);
		return false;
	}
	*number_r = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return true;
}

void
answer_header(struct request *r, const char *name, const char *value)
{
	size_t used = strlen(r->headers);

	snprintf(r->headers + used, sizeof(r->headers) - used, "%s: %s\r\n",
	    name, value);
}

/*
 * Arguments.
 */
struct unknown {
	const char *const *names;
	char found[64];
	bool twice;
	const char *seen[32];
	size_t n;
};

static enum MHD_Result
look(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct unknown *u = arg;
	size_t i;

	(void)kind;
	(void)value;
	for (i = 0; u->names[i] != NULL; i++)
		if (strcmp(u->names[i], name) == 0)
			break;
	for (size_t k = 0; k < u->n; k++)
		if (strcmp(u->seen[k], name) == 0)
			u->twice = true;
	if (u->n < sizeof(u->seen) / sizeof(u->seen[0]))
		u->seen[u->n++] = name;
	if (u->names[i] != NULL && !u->twice)
		return MHD_YES;
	snprintf(u->found, sizeof(u->found), "%.60s", name);
	return MHD_NO;
}

void
names_join(const char *const *names, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (; *names != NULL && used < size; names++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
		    used > 0 ? ", " : "", *names);
}

bool
query_only(struct request *r, const char *const *names)
{
	struct unknown u = { .names = names };
	char known[256];

	MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, look,
	    &u);
	if (u.found[0] == '\0')
		return true;
	names_join(names, known, sizeof(known));
	if (u.twice)
		answer_problem(r, 400, "argument_twice", u.found,
		    "An argument stands in the query twice.");
	else
		answer_problem(r, 400, "unknown_argument", u.found,
		    "There is no such argument; known here: %s.",
		    known[0] != '\0' ? known : "none");
	return false;
}

const char *
query_text(struct request *r, const char *name)
{
	const char *text = MHD_lookup_connection_value(r->connection,
	    MHD_GET_ARGUMENT_KIND, name);

	return text != NULL ? text : "";
}

static bool
parse_number(const char *text, int64_t *number_r)
{
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > 18)
		return false;
	*number_r = strtoll(text, &end, 10);
	return *end == '\0';
}

bool
query_number(struct request *r, const char *name, int64_t least, int64_t most,
    int64_t *number_r)
{
	const char *text = query_text(r, name);

	if (MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND,
	    name) == NULL)
		return true;
	if (parse_number(text, number_r) && *number_r >= least &&
	    *number_r <= most)
		return true;
	answer_problem(r, 400, "bad_argument", name,
	    "Allowed are %lld to %lld.", (long long)least, (long long)most);
	return false;
}

static bool
two(const char **p, int least, int most, int *n_r)
{
	const char *t = *p;

	if (t[0] < '0' || t[0] > '9' || t[1] < '0' || t[1] > '9')
		return false;
	*n_r = (t[0] - '0') * 10 + (t[1] - '0');
	*p += 2;
	return *n_r >= least && *n_r <= most;
}

static bool
skip(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static bool
fraction(const char **p, int64_t *us_r)
{
	int64_t unit = 100000;

	*us_r = 0;
	if (!skip(p, '.'))
		return true;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; ++*p, unit /= 10)
		*us_r += unit * (**p - '0');
	return true;
}

bool
time_parse(const char *text, int64_t *us_r)
{
	int century, year, month, day, hour = 0, minute = 0, second = 0;
	struct tm tm = { 0 }, back;
	const char *p = text;
	int64_t us = 0;
	time_t s;

	if (!two(&p, 20, 21, &century) || !two(&p, 0, 99, &year) ||
	    !skip(&p, '-') || !two(&p, 1, 12, &month) || !skip(&p, '-') ||
	    !two(&p, 1, 31, &day))
		return false;
	if (*p != '\0' && !(skip(&p, 'T') && two(&p, 0, 23, &hour) &&
	    skip(&p, ':') && two(&p, 0, 59, &minute) && skip(&p, ':') &&
	    two(&p, 0, 59, &second) && fraction(&p, &us) && skip(&p, 'Z') &&
	    *p == '\0'))
		return false;
	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	s = timegm(&tm);
	/* The 31st of a month that has 30. */
	if (gmtime_r(&s, &back) == NULL || back.tm_mday != day)
		return false;
	*us_r = (int64_t)s * 1000000 + us;
	return true;
}

bool
query_time(struct request *r, const char *name, int64_t *us_r)
{
	const char *text = query_text(r, name);

	if (text[0] == '\0' || time_parse(text, us_r))
		return true;
	answer_problem(r, 400, "bad_argument", name, "%s", TIME_ALLOWED);
	return false;
}

bool
query_page(struct request *r, bool latest_first, struct db_param *params_r)
{
	int64_t after = latest_first ? INT64_MAX : 0, limit = 50;

	if (!query_number(r, "after", latest_first ? 1 : 0, INT64_MAX / 10,
	    &after) || !query_number(r, "limit", 1, 200, &limit))
		return false;
	params_r[0] = db_int(after);
	params_r[1] = db_int(limit + 1);
	return true;
}

void
answer_page(struct request *r, const char *name, struct db_rows *rows,
    const struct db_param *params,
    struct json_object *(*row)(const struct db_rows *rows, size_t i))
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	size_t i, n = db_rows_count(rows);

	for (i = 0; i < n && (int64_t)i < params[1].integer - 1; i++)
		json_object_array_add(list, row(rows, i));
	put(o, name, list);
	put(o, "next", i < n ? json_object_new_int64(db_get_int(rows, i - 1,
	    0)) : NULL);
	db_rows_free(&rows);
	answer_json(r, 200, o);
}

bool
part_number(struct request *r, int part, int64_t *number_r)
{
	if (parse_number(r->part[part], number_r) && *number_r > 0)
		return true;
	answer_problem(r, 404, "not_found", NULL,
	    "There is nothing by that number.");
	return false;
}

/*
 * JSON.
 */
struct json_object *
json_cap(int64_t nano)
{
	return nano > 0 ? json_amount(nano) : NULL;
}

struct json_object *
json_amount(int64_t nano)
{
	char text[MONEY_TEXT_BYTES];

	money_format(nano, 2, text);
	return json_object_new_string(text);
}

struct json_object *
json_lines(const char *text)
{
	struct json_object *list = json_object_new_array();
	const char *end;

	for (; *text != '\0'; text = *end != '\0' ? end + 1 : end) {
		end = strchrnul(text, '\n');
		json_object_array_add(list, json_object_new_string_len(text,
		    (int)(end - text)));
	}
	return list;
}

struct json_object *
json_time(int64_t us)
{
	struct wall_time t = { us };
	char text[WALL_TEXT_BYTES];

	if (us == 0)
		return NULL;
	wall_format(t, text);
	return json_object_new_string(text);
}

struct json_object *
json_text(const char *text)
{
	return json_object_new_string(text);
}

void
put(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

void
put_int(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

/* What customers are owed for their data: who else receives them, what
 * happened to them, what was asked for. */
#include <json-c/json.h>
#include <string.h>

#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

static const char *const nothing[] = { NULL };

static struct json_object *
subprocessor_json(const struct db_rows *rows, size_t i)
{
	struct json_object *o = json_object_new_object();

	put(o, "name", json_text(db_get_text(rows, i, 0)));
	put(o, "entity", json_text(db_get_text(rows, i, 1)));
	put(o, "purpose", json_text(db_get_text(rows, i, 2)));
	put(o, "regions", json_lines(db_get_text(rows, i, 3)));
	put(o, "country", json_text(db_get_text(rows, i, 4)));
	put(o, "announced", json_time(db_get_time(rows, i, 5)));
	put(o, "valid_from", json_time(db_get_time(rows, i, 6)));
	put(o, "ended", json_time(db_get_time(rows, i, 7)));
	return o;
}

/* Also those that ended: they have received data. */
void
run_subprocessors(struct request *r)
{
	struct json_object *o, *list;
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, nothing))
		return;
	result = db_query(r->db, "SELECT name, entity, purpose,"
	    " array_to_string(regions, E'\\n'), country, announced,"
	    " valid_from, ended FROM youyun.subprocessor ORDER BY name"
	    " LIMIT 1000", NULL, 0, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	list = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++)
		json_object_array_add(list, subprocessor_json(rows, i));
	db_rows_free(&rows);
	o = json_object_new_object();
	put(o, "subprocessors", list);
	answer_json(r, 200, o);
}

/* Columns of a view that are texts already, or NULL. */
static void
put_texts(struct json_object *o, const char *const *names,
    const struct db_rows *rows, size_t i, int column)
{
	for (; *names != NULL; names++, column++)
		put(o, *names, db_null(rows, i, column) ? NULL :
		    json_text(db_get_text(rows, i, column)));
}

static void
answer_list(struct request *r, const char *sql, const char *name,
    struct json_object *(*row)(const struct db_rows *rows, size_t i))
{
	static const char *const known[] = { "after", "limit", NULL };
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, known) || !query_page(r, true, p))
		return;
	result = db_query(r->db, sql, p, 2, &rows);
	if (result == DB_OK)
		answer_page(r, name, rows, p, row);
	else
		answer_database(r, result);
}

static struct json_object *
incident_json(const struct db_rows *rows, size_t i)
{
	static const char *const names[] = { "kind", "since", "until", "what",
		"impact", "taken", "planned", "recommended", "told", "closed",
		NULL };
	struct json_object *o = json_object_new_object();

	put_int(o, "id", db_get_int(rows, i, 0));
	put_int(o, "calls", db_get_int(rows, i, 1));
	put_texts(o, names, rows, i, 2);
	return o;
}

void
run_incidents(struct request *r)
{
	answer_list(r, "SELECT id, calls, kind, since, until, what, impact,"
	    " taken, planned, recommended, told, closed"
	    " FROM youyun.my_incident WHERE id < $1 ORDER BY id DESC"
	    " LIMIT $2", "incidents", incident_json);
}

/*
 * Requests about data.
 */
#define REQUESTS "SELECT id, kind, received, due, text, answered, outcome," \
	" answer FROM youyun.my_request"
#define REQUEST_TEXT_MAX_BYTES 4000

static struct json_object *
request_json(const struct db_rows *rows, size_t i)
{
	static const char *const names[] = { "kind", "received", "due",
		"text", "answered", "outcome", "answer", NULL };
	struct json_object *o = json_object_new_object();

	put_int(o, "id", db_get_int(rows, i, 0));
	put_texts(o, names, rows, i, 1);
	return o;
}

void
run_requests(struct request *r)
{
	answer_list(r, REQUESTS " WHERE id < $1 ORDER BY id DESC LIMIT $2",
	    "requests", request_json);
}

static bool
take_kind(struct request *r, const char **kind_r)
{
	static const char *const kinds[] = { "access", "correction",
		"erasure", "portability", "withdrawal" };

	if (!body_text(r, "kind", true, 1, 32, kind_r))
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], *kind_r) == 0)
			return true;
	answer_problem(r, 400, "bad_member", "kind", "Allowed are access,"
	    " correction, erasure, portability and withdrawal.");
	return false;
}

/* The one row of a query with one parameter; else the answer is set. */
static bool
one_row(struct request *r, const char *sql, const struct db_param *p,
    size_t n, struct db_rows **rows_r)
{
	enum db_result result = db_query(r->db, sql, p, n, rows_r);

	if (result == DB_OK && db_rows_count(*rows_r) == 1)
		return true;
	if (result == DB_OK)
		db_rows_free(rows_r);
	answer_database(r, result == DB_OK ? DB_NONE : (int)result);
	return false;
}

static bool
is_state(struct request *r, enum db_result result, const char *sqlstate)
{
	return result == DB_ERROR && strcmp(db_sqlstate(r->db), sqlstate) == 0;
}

void
run_request_add(struct request *r)
{
	static const char *const known[] = { "kind", "text", NULL };
	const char *kind, *text;
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !take_kind(r, &kind) || !body_lines(r, "text", false, 0,
	    REQUEST_TEXT_MAX_BYTES, &text))
		return;
	p[0] = db_text(kind);
	p[1] = db_text(text);
	result = db_query(r->db, "SELECT youyun.my_request_add($1, $2)", p, 2,
	    &rows);
	if (is_state(r, result, "YY033")) {
		answer_problem(r, 409, "too_many_requests", NULL,
		    "There are ten open requests.");
		return;
	}
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	p[0] = db_int(db_get_int(rows, 0, 0));
	db_rows_free(&rows);
	if (!one_row(r, REQUESTS " WHERE id = $1", p, 1, &rows))
		return;
	answer_json(r, 201, request_json(rows, 0));
	db_rows_free(&rows);
}

/*
 * The end of the account.
 */
static void
answer_closing(struct request *r, int status)
{
	static const char *const states[] = { "grace", "cancelled", "erasing",
		"erased" };
	struct json_object *o;
	struct db_rows *rows;

	if (!one_row(r, "SELECT state::bigint, asked, due, ended"
	    " FROM youyun.my_closing ORDER BY id DESC LIMIT 1", NULL, 0,
	    &rows))
		return;
	o = json_object_new_object();
	put(o, "state", json_text(states[db_get_int(rows, 0, 0) & 3]));
	put(o, "asked", json_time(db_get_time(rows, 0, 1)));
	put(o, "due", json_time(db_get_time(rows, 0, 2)));
	put(o, "ended", json_time(db_get_time(rows, 0, 3)));
	db_rows_free(&rows);
	answer_json(r, status, o);
}

void
run_closing(struct request *r)
{
	if (query_only(r, nothing))
		answer_closing(r, 200);
}

void
run_closing_begin(struct request *r)
{
	static const char *const known[] = { "confirm", NULL };
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;
	const char *name;
	bool begun;

	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !body_text(r, "confirm", true, 1, 512, &name))
		return;
	p[0] = db_text(name);
	p[1] = db_int(r->portal->heritage->settings->closing_grace_days);
	result = db_query(r->db, "SELECT youyun.my_closing_begin($1, $2)", p,
	    2, &rows);
	if (is_state(r, result, "YY034")) {
		answer_problem(r, 409, "closing", NULL,
		    "The account is being closed already.");
		return;
	}
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	begun = db_get_bool(rows, 0, 0);
	db_rows_free(&rows);
	if (begun)
		answer_closing(r, 201);
	else
		answer_problem(r, 400, "bad_member", "confirm",
		    "Type the account's name, to be sure.");
}

void
run_closing_cancel(struct request *r)
{
	enum db_result result;

	if (!query_only(r, nothing))
		return;
	result = db_query(r->db, "SELECT youyun.my_closing_cancel()", NULL, 0,
	    NULL);
	if (is_state(r, result, "YY035"))
		answer_problem(r, 409, "not_closing", NULL,
		    "The account is not in its time of grace.");
	else if (result != DB_OK)
		answer_database(r, result);
	else
		answer_closing(r, 200);
}

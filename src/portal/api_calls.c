/* A customer's own calls: pages of them, exports of any size, one explained. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "base/fee.h"
#include "base/money.h"
#include "db/price_columns.h"
#include "portal/call_json.h"
#include "portal/price_json.h"
#include "portal/request.h"
#include "portal/route.h"

#define EXPORT_ROWS 500
/* A page looks at so many calls for what its filters want, and ends there. */
#define SCAN_ROWS 2000

enum form {
	FORM_JSON,		/* a page */
	FORM_CSV,		/* all of them, likewise: */
	FORM_NDJSON
};

/* What is asked for, and how far an export has come. */
struct calls {
	enum form form;
	int64_t since_us, until_us;	/* 0: any */
	int64_t before_us;		/* keyset: older than this, and */
	uint8_t before_id[RECORD_ID_BYTES];	/* of its time, below this */
	bool has_before;
	int64_t least_us;		/* and as new as this, */
	uint8_t least_id[RECORD_ID_BYTES];	/* or newer */
	bool has_least;
	int64_t key_id, status, limit;
	int64_t model_id;
};

static bool
take_form(struct request *r, struct calls *c)
{
	const char *text = query_text(r, "format");
	const char *accept = MHD_lookup_connection_value(r->connection,
	    MHD_HEADER_KIND, "accept");

	if (strcmp(text, "csv") == 0 || (text[0] == '\0' && accept != NULL &&
	    strcmp(accept, "text/csv") == 0))
		c->form = FORM_CSV;
	else if (strcmp(text, "ndjson") == 0 || (text[0] == '\0' &&
	    accept != NULL && strcmp(accept, "application/x-ndjson") == 0))
		c->form = FORM_NDJSON;
	else if (text[0] != '\0' && strcmp(text, "json") != 0) {
		answer_problem(r, 400, "bad_argument", "format",
		    "Allowed are json, csv and ndjson.");
		return false;
	}
	return true;
}

/* "1732600000000000_" and the id's 32 digits. */
static bool
take_cursor(struct request *r, struct calls *c)
{
	const char *text = query_text(r, "cursor");
	char id[40];
	int used = 0;

	if (text[0] == '\0')
		return true;
	if (sscanf(text, "%" SCNd64 "_%32[0-9a-f]%n", &c->before_us, id + 4,
	    &used) == 2 && text[used] == '\0' && c->before_us > 0) {
		memcpy(id, "req_", 4);
		c->has_before = call_id_parse(id, c->before_id);
	}
	if (!c->has_before)
		answer_problem(r, 400, "bad_argument", "cursor",
		    "Take the value of \"next\" as it was.");
	return c->has_before;
}

static bool
take_model(struct request *r, struct calls *c)
{
	struct db_param p = db_text(query_text(r, "model"));
	struct db_rows *rows;
	enum db_result result;

	if (query_text(r, "model")[0] == '\0')
		return true;
	result = db_query(r->db, "SELECT id FROM youyun.model WHERE name = $1",
	    &p, 1, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return false;
	}
	/* One that isn't there has no calls. */
	c->model_id = db_rows_count(rows) == 1 ? db_get_int(rows, 0, 0) : -1;
	db_rows_free(&rows);
	return true;
}

static bool
take_filter(struct request *r, struct calls *c)
{
	static const char *const known[] = { "since", "until", "model",
		"key_id", "status", "limit", "cursor", "format", NULL };

	memset(c, 0, sizeof(*c));
	c->limit = 50;
	return query_only(r, known) && take_form(r, c) && take_cursor(r, c) &&
	    query_time(r, "since", &c->since_us) &&
	    query_time(r, "until", &c->until_us) &&
	    query_number(r, "key_id", 1, INT64_MAX / 10, &c->key_id) &&
	    query_number(r, "status", 100, 599, &c->status) &&
	    query_number(r, "limit", 1, 200, &c->limit) && take_model(r, c);
}

/* `started_at` alone is said again for the partitions' sake. */
#define WITHIN \
	" WHERE ($1::timestamptz IS NULL OR started_at >= $1)" \
	" AND ($2::timestamptz IS NULL OR started_at < $2)" \
	" AND ($3::timestamptz IS NULL OR (started_at <= $3 AND" \
	"  (started_at, request_id) < ($3, encode($4, 'hex')::uuid)))"

/* The newest first. */
static enum db_result
fetch(struct request *r, const struct calls *c, int64_t limit,
    struct db_rows **rows_r)
{
	struct db_param p[] = {
		db_time_or_null(c->since_us), db_time_or_null(c->until_us),
		db_time_or_null(c->has_before ? c->before_us : 0),
		db_bytes(c->before_id, sizeof(c->before_id)),
		db_int_or_null(c->model_id), db_int_or_null(c->key_id),
		db_int_or_null(c->status), db_int(limit),
		db_time_or_null(c->has_least ? c->least_us : 0),
		db_bytes(c->least_id, sizeof(c->least_id))
	};

	return db_query(r->db, CALL_JSON_SELECT WITHIN
	    " AND ($5::bigint IS NULL OR model_id = $5)"
	    " AND ($6::bigint IS NULL OR key_id = $6)"
	    " AND ($7::bigint IS NULL OR status = $7)"
	    " AND ($9::timestamptz IS NULL OR (started_at >= $9 AND"
	    "  (started_at, request_id) >= ($9, encode($10, 'hex')::uuid)))"
	    " LIMIT $8) c"
	    " ORDER BY c.started_at DESC, c.request_id DESC", p, 10, rows_r);
}

/* How far a page with filters looks; without, it finds what it looks for. */
static enum db_result
bound(struct request *r, struct calls *c)
{
	struct db_param p[] = {
		db_time_or_null(c->since_us), db_time_or_null(c->until_us),
		db_time_or_null(c->has_before ? c->before_us : 0),
		db_bytes(c->before_id, sizeof(c->before_id)),
		db_int(SCAN_ROWS)
	};
	struct db_rows *rows;
	enum db_result result;
	const void *id;
	size_t len;

	if (c->model_id == 0 && c->key_id == 0 && c->status == 0)
		return DB_OK;
	result = db_query(r->db, "SELECT q.started_at, decode(replace("
	    "q.request_id::text, '-', ''), 'hex'), count(*) OVER ()"
	    " FROM (SELECT started_at, request_id FROM youyun.my_call" WITHIN
	    " LIMIT $5) q"
	    " ORDER BY q.started_at, q.request_id LIMIT 1", p, 5, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 1 &&
	    db_get_int(rows, 0, 2) == SCAN_ROWS) {
		id = db_get_bytes(rows, 0, 1, &len);
		c->least_us = db_get_time(rows, 0, 0);
		c->has_least = len == sizeof(c->least_id);
		if (c->has_least)
			memcpy(c->least_id, id, len);
	}
	db_rows_free(&rows);
	return DB_OK;
}

static void
remember(struct calls *c, const struct db_rows *rows, size_t row)
{
	struct call_record record;
	uint64_t journal_id, journal_seq;
	int64_t transaction_id;

	call_columns_read(rows, row, &record, &journal_id, &journal_seq,
	    &transaction_id);
	c->before_us = record.started_us;
	memcpy(c->before_id, record.request_id, RECORD_ID_BYTES);
	c->has_before = true;
}

static struct json_object *
cursor_json(const struct calls *c)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%" PRId64 "_", c->before_us);

	hex_encode(c->before_id, RECORD_ID_BYTES, text + n);
	return json_text(text);
}

static void
answer_calls(struct request *r, struct calls *c)
{
	struct json_object *o, *list;
	struct db_rows *rows;
	enum db_result result;
	size_t i;

	result = bound(r, c);
	if (result == DB_OK)
		result = fetch(r, c, c->limit + 1, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	list = json_object_new_array();
	for (i = 0; i < db_rows_count(rows) && (int64_t)i < c->limit; i++)
		json_object_array_add(list, call_json(rows, i));
	o = json_object_new_object();
	put(o, "calls", list);
	if (db_rows_count(rows) > i) {
		remember(c, rows, i - 1);
		put(o, "next", cursor_json(c));
	} else if (c->has_least) {
		c->before_us = c->least_us;
		memcpy(c->before_id, c->least_id, RECORD_ID_BYTES);
		put(o, "next", cursor_json(c));
	} else
		put(o, "next", NULL);
	db_rows_free(&rows);
	answer_json(r, 200, o);
}

static bool
write_row(struct request *r, const struct calls *c,
    const struct db_rows *rows, size_t i)
{
	struct json_object *o;
	const char *text;
	bool ok;

	if (c->form == FORM_CSV)
		return call_csv(&r->out, rows, i);
	o = call_json(rows, i);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
	    JSON_C_TO_STRING_NOSLASHESCAPE);
	ok = buf_append(&r->out, text, strlen(text)) &&
	    buf_append(&r->out, "\n", 1);
	json_object_put(o);
	return ok;
}

/* One more piece of an export: false at its end, or when it broke off, which
 * the status says. */
static bool
more_calls(struct request *r)
{
	struct calls *c = r->more_state;
	struct db_rows *rows;
	bool ok = true;
	size_t n;

	if (fetch(r, c, EXPORT_ROWS, &rows) != DB_OK) {
		r->status = 503;
		return false;
	}
	n = db_rows_count(rows);
	for (size_t i = 0; ok && i < n; i++)
		ok = write_row(r, c, rows, i);
	if (n > 0)
		remember(c, rows, n - 1);
	db_rows_free(&rows);
	if (!ok)
		r->status = 503;
	return ok && n == EXPORT_ROWS;
}

static void
answer_export(struct request *r, const struct calls *c)
{
	struct calls *state = malloc(sizeof(*state));

	if (state == NULL || (c->form == FORM_CSV &&
	    !call_csv_head(&r->out))) {
		free(state);
		answer_database(r, DB_AWAY);
		return;
	}
	*state = *c;
	r->more = more_calls;
	r->more_state = state;
	r->more_free = free;
	r->status = 200;
	r->content_type = c->form == FORM_CSV ? "text/csv; charset=utf-8" :
	    "application/x-ndjson";
	answer_header(r, "Content-Disposition", c->form == FORM_CSV ?
	    "attachment; filename=\"calls.csv\"" :
	    "attachment; filename=\"calls.ndjson\"");
}

void
run_calls(struct request *r)
{
	struct calls c;

	if (!take_filter(r, &c))
		return;
	if (c.form == FORM_JSON)
		answer_calls(r, &c);
	else
		answer_export(r, &c);
}

/*
 * One call, every line of its fee.
 */
static void
add_lines(struct json_object *o, const char *name, const struct usage *usage,
    const struct price *price)
{
	struct json_object *lines = json_object_new_array(), *l;
	char amount[FEE_EXACT_BYTES];

	for (int i = 0; i < USAGE_DIMS; i++) {
		struct fee_line line = fee_line(usage, price,
		    (enum usage_dim)i);

		if (line.how == FEE_HOW_NOT_USED || (i == USAGE_CALLS &&
		    line.how == FEE_HOW_INCLUDED))
			continue;
		fee_line_amount(&line, amount);
		l = json_object_new_object();
		put(l, "dimension", json_text(usage_dims[i].name));
		put_int(l, "count", (int64_t)usage->count[i]);
		put(l, "priced_as", json_text(usage_dims[line.as].name));
		put_int(l, "priced_count", (int64_t)line.count);
		put(l, "price", line.nano == PRICE_UNSET ? NULL :
		    json_amount(line.nano));
		put_int(l, "per", usage_dims[line.as].per);
		put(l, "amount", json_text(amount));
		json_object_array_add(lines, l);
	}
	put(o, name, lines);
}

static struct json_object *
computation(const struct call_record *record, const struct price *price,
    const struct price *other)
{
	struct fee_terms terms = { price, other, record->multiplier_ppm };
	struct json_object *o = json_object_new_object();
	char factor[MONEY_TEXT_BYTES];
	struct fee_steps steps;
	struct usage usage, others;

	record_get_usage(record, &usage);
	usage_clamp(&usage);
	fee_explain(&usage, &terms, &steps);
	add_lines(o, "lines", &usage, price);
	if (steps.has_other) {
		fee_other_usage(&usage, &others);
		add_lines(o, "other_lines", &others,
		    other != NULL ? other : price);
	}
	put(o, "sum", json_text(steps.scaled));
	put(o, "served", json_text(steps.served));
	put(o, "flat", json_text(steps.flat));
	put(o, "other", json_text(steps.has_other ? steps.other : "0.00"));
	put(o, "total", json_text(steps.total));
	put(o, "by_minimum", json_object_new_boolean(steps.by_minimum));
	ppm_format(record->multiplier_ppm, factor);
	put(o, "multiplier", json_text(factor));
	put(o, "exact", json_text(steps.charged));
	put(o, "prices", price_json(price));
	return o;
}

/* 1: found. */
static int
find_price(struct request *r, uint64_t version, struct price *price_r)
{
	struct db_param p = db_int((int64_t)version);
	struct db_rows *rows;
	int n;

	if (version == 0)
		return 0;
	if (db_query(r->db, "SELECT " DB_PRICE_COLUMNS " FROM youyun.price p"
	    " WHERE p.id = $1", &p, 1, &rows) != DB_OK)
		return -1;
	n = (int)db_rows_count(rows);
	if (n == 1)
		db_get_price(rows, 0, 0, price_r);
	db_rows_free(&rows);
	return n;
}

static void
explain(struct request *r, struct json_object *o,
    const struct call_record *record)
{
	struct price price, other;
	int found, found_other;

	found = find_price(r, record->price_version, &price);
	found_other = find_price(r, record->other_price_version, &other);
	if (found < 0 || found_other < 0) {
		json_object_put(o);
		answer_database(r, DB_AWAY);
		return;
	}
	put(o, "computation", found == 1 && record->fee_nano > 0 ?
	    computation(record, &price, found_other == 1 ? &other : NULL) :
	    NULL);
	answer_json(r, 200, o);
}

void
run_call(struct request *r)
{
	static const char *const nothing[] = { NULL };
	uint64_t journal_id, journal_seq;
	uint8_t id[RECORD_ID_BYTES];
	struct call_record record;
	int64_t transaction_id;
	struct db_param p[3];
	struct db_rows *rows;
	struct json_object *o;
	enum db_result result;

	if (!query_only(r, nothing))
		return;
	if (!call_id_parse(r->part[0], id)) {
		answer_database(r, DB_NONE);
		return;
	}
	call_by_id(id, p);
	result = db_query(r->db, CALL_JSON_SELECT CALL_BY_ID ") c", p, 3,
	    &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	if (db_rows_count(rows) == 0) {
		db_rows_free(&rows);
		answer_database(r, DB_NONE);
		return;
	}
	o = call_json(rows, 0);
	call_columns_read(rows, 0, &record, &journal_id, &journal_seq,
	    &transaction_id);
	db_rows_free(&rows);
	explain(r, o, &record);
}

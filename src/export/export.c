#include "export/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/bytes.h"
#include "base/csv.h"
#include "db/value.h"
#include "export/tables.h"
#include "export/zip.h"
#include "wire/error.h"
#include "wire/route.h"

#define STEP_ROWS 500
#define STEP_BYTES (UINT64_C(32) << 20)
#define SQL_BYTES 2048
#define UUID_BYTES 16

enum form {
	FORM_JSON,
	FORM_CSV,
	FORMS
};

struct export {
	struct zip *zip;
	bool told;		/* README.txt is in it */
	size_t table;		/* the next piece is of this one; then files */
	enum form form;
	bool begun;		/* its file is open, and has: */
	bool any;		/* a row */
	int64_t k;		/* the last row's */
	bool has_k;
	uint8_t k2[UUID_BYTES];
	struct buf text;	/* of one piece */
};

struct export *
export_open(void)
{
	struct export *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	buf_init(&e->text, STEP_BYTES);
	e->zip = zip_open();
	if (e->zip == NULL)
		export_close(&e);
	return e;
}

void
export_close(struct export **e)
{
	if (*e == NULL)
		return;
	zip_close(&(*e)->zip);
	buf_free(&(*e)->text);
	free(*e);
	*e = NULL;
}

static bool
add_text(struct export *e, struct buf *out)
{
	bool ok = zip_add(e->zip, out, e->text.len > 0 ?
	    buf_head(&e->text) : "", e->text.len);

	buf_consume(&e->text, e->text.len);
	return ok;
}

static enum export_result
add_readme(struct export *e, struct buf *out)
{
	bool ok = zip_begin(e->zip, out, "README.txt") &&
	    buf_printf(&e->text, "%s", export_readme_head);

	for (size_t i = 0; ok && i < export_tables_count; i++)
		ok = buf_printf(&e->text, "  %-9s %s\n",
		    export_tables[i].name, export_tables[i].about);
	ok = ok && buf_printf(&e->text, "%s", export_readme_tail) &&
	    add_text(e, out);
	e->told = true;
	return ok ? EXPORT_MORE : EXPORT_MEMORY;
}

/* The columns as JSON, behind what they are read on by. */
static void
make_sql(const struct export_table *t, char sql[SQL_BYTES])
{
	int n = snprintf(sql, SQL_BYTES, "SELECT x.k, %s,"
	    " row_to_json(j)::text FROM (SELECT * FROM youyun.%s v"
	    " WHERE %s ORDER BY %s LIMIT %d) x CROSS JOIN LATERAL (SELECT",
	    t->by_time ? "decode(replace(x.k2::text, '-', ''), 'hex')" :
	    "NULL::bytea", t->view, t->by_time ?
	    "$1::timestamptz IS NULL OR (v.k, v.k2) >"
	    " ($1, encode($2, 'hex')::uuid)" : "$1::bigint IS NULL OR v.k >"
	    " $1", t->by_time ? "v.k, v.k2" : "v.k",
	    STEP_ROWS);

	for (size_t i = 0; t->columns[i] != NULL; i++)
		n += snprintf(sql + n, SQL_BYTES - (size_t)n, "%s x.\"%s\"",
		    i > 0 ? "," : "", t->columns[i]);
	snprintf(sql + n, SQL_BYTES - (size_t)n, ") j ORDER BY x.k%s",
	    t->by_time ? ", x.k2" : "");
}

/* Numbers of the records as names. */
static void
name_members(struct json_object *row)
{
	const struct wire_route_info *route;
	struct json_object *o;
	int64_t error;

	if (json_object_object_get_ex(row, "route", &o)) {
		route = wire_route_info((enum wire_route)
		    json_object_get_int(o));
		json_object_object_add(row, "route", route != NULL ?
		    json_object_new_string(route->name) : NULL);
	}
	if (json_object_object_get_ex(row, "error", &o)) {
		error = json_object_get_int64(o);
		json_object_object_add(row, "error", error == 0 ? NULL :
		    json_object_new_string(wire_error_name(
		    (enum wire_error)error)));
	}
}

static bool
add_csv(struct buf *text, const struct export_table *t,
    struct json_object *row)
{
	struct json_object *o;
	bool ok = true;

	for (size_t i = 0; ok && t->columns[i] != NULL; i++) {
		o = row != NULL ? json_object_object_get(row, t->columns[i]) :
		    NULL;
		ok = (i == 0 || buf_append(text, ",", 1)) && csv_cell(text,
		    row == NULL ? t->columns[i] : o == NULL ? "" :
		    json_object_get_string(o));
	}
	return ok && buf_append(text, "\r\n", 2);
}

static bool
add_json(struct export *e, struct json_object *row)
{
	const char *text = json_object_to_json_string_ext(row,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	return buf_printf(&e->text, "%s\n", e->any ? "," : "[") &&
	    buf_append(&e->text, text, strlen(text));
}

static bool
add_row(struct export *e, const struct export_table *t, const char *json)
{
	struct json_object *row = json_tokener_parse(json);
	bool ok;

	if (row == NULL)
		return false;
	if (t->by_time)
		name_members(row);
	ok = e->form == FORM_CSV ? add_csv(&e->text, t, row) :
	    add_json(e, row);
	e->any = true;
	json_object_put(row);
	return ok;
}

static bool
begin_table(struct export *e, const struct export_table *t, struct buf *out)
{
	char name[64];

	if (e->begun)
		return true;
	snprintf(name, sizeof(name), "%s.%s", t->name,
	    e->form == FORM_CSV ? "csv" : "json");
	e->begun = true;
	e->any = e->has_k = false;
	return zip_begin(e->zip, out, name) &&
	    (e->form != FORM_CSV || add_csv(&e->text, t, NULL));
}

static bool
end_table(struct export *e)
{
	bool ok = e->form == FORM_CSV ||
	    buf_printf(&e->text, e->any ? "\n]\n" : "[]\n");

	e->begun = e->has_k = false;
	e->form = e->form == FORM_JSON ? FORM_CSV : FORM_JSON;
	if (e->form == FORM_JSON)
		e->table++;
	return ok;
}

static void
remember(struct export *e, const struct export_table *t,
    const struct db_rows *rows, size_t i)
{
	const void *k2;
	size_t len;

	e->has_k = true;
	if (!t->by_time) {
		e->k = db_get_int(rows, i, 0);
		return;
	}
	e->k = db_get_time(rows, i, 0);
	k2 = db_get_bytes(rows, i, 1, &len);
	if (len == UUID_BYTES)
		memcpy(e->k2, k2, len);
}

static enum export_result
step_table(struct export *e, struct db *db, struct buf *out)
{
	const struct export_table *t = &export_tables[e->table];
	char sql[SQL_BYTES];
	struct db_param p[2];
	struct db_rows *rows;
	bool ok;
	size_t n;

	if (!begin_table(e, t, out))
		return EXPORT_MEMORY;
	make_sql(t, sql);
	p[0] = t->by_time ? db_time(e->k) : db_int(e->k);
	p[0].null = !e->has_k;
	p[1] = db_bytes(e->k2, sizeof(e->k2));
	if (db_query(db, sql, p, t->by_time ? 2 : 1, &rows) != DB_OK)
		return EXPORT_DATABASE;
	n = db_rows_count(rows);
	ok = true;
	for (size_t i = 0; ok && i < n; i++)
		ok = add_row(e, t, db_get_text(rows, i, 2));
	if (n > 0)
		remember(e, t, rows, n - 1);
	db_rows_free(&rows);
	if (n < STEP_ROWS)
		ok = ok && end_table(e);
	return ok && add_text(e, out) ? EXPORT_MORE : EXPORT_MEMORY;
}

/* One file of a ticket, or the end. */
static enum export_result
step_file(struct export *e, struct db *db, struct buf *out)
{
	struct db_param p = db_int(e->has_k ? e->k : 0);
	struct db_rows *rows;
	const void *content;
	size_t len;
	bool ok;

	if (db_query(db, "SELECT k, file, content FROM youyun.my_export_files"
	    " WHERE k > $1 ORDER BY k LIMIT 1", &p, 1, &rows) != DB_OK)
		return EXPORT_DATABASE;
	if (db_rows_count(rows) == 0) {
		db_rows_free(&rows);
		return zip_finish(e->zip, out) ? EXPORT_DONE : EXPORT_MEMORY;
	}
	e->k = db_get_int(rows, 0, 0);
	e->has_k = true;
	content = db_get_bytes(rows, 0, 2, &len);
	ok = zip_begin(e->zip, out, db_get_text(rows, 0, 1)) &&
	    zip_add(e->zip, out, content, len);
	db_rows_free(&rows);
	return ok ? EXPORT_MORE : EXPORT_MEMORY;
}

enum export_result
export_step(struct export *e, struct db *db, struct buf *out)
{
	if (!e->told)
		return add_readme(e, out);
	return e->table < export_tables_count ? step_table(e, db, out) :
	    step_file(e, db, out);
}

#include "db/value.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "db/internal.h"
#include "db/wire.h"

struct db_param
db_int(int64_t value)
{
	return (struct db_param) { .type = DB_TYPE_INT, .integer = value };
}

struct db_param
db_int_or_null(int64_t value)
{
	struct db_param p = db_int(value);

	p.null = value == 0;
	return p;
}

struct db_param
db_bool(bool value)
{
	return (struct db_param) { .type = DB_TYPE_BOOL, .integer = value };
}

struct db_param
db_text(const char *value)
{
	return (struct db_param) { .type = DB_TYPE_TEXT, .data = value,
		.null = value == NULL };
}

struct db_param
db_bytes(const void *value, size_t len)
{
	return (struct db_param) { .type = DB_TYPE_BYTES, .data = value,
		.len = len };
}

struct db_param
db_time(int64_t us)
{
	return (struct db_param) { .type = DB_TYPE_TIME, .integer = us };
}

struct db_param
db_time_or_null(int64_t us)
{
	struct db_param p = db_time(us);

	p.null = us == 0;
	return p;
}

struct db_param
db_int_array(const int64_t *values, size_t n)
{
	return (struct db_param) { .type = DB_TYPE_INT_ARRAY, .data = values,
		.len = n };
}

struct db_param
db_text_array(const char *const *values, size_t n)
{
	return (struct db_param) { .type = DB_TYPE_TEXT_ARRAY, .data = values,
		.len = n };
}

void
db_rows_free(struct db_rows **rows)
{
	if (*rows == NULL)
		return;
	PQclear((*rows)->result);
	free(*rows);
	*rows = NULL;
}

size_t
db_rows_count(const struct db_rows *rows)
{
	return (size_t)PQntuples(rows->result);
}

bool
db_null(const struct db_rows *rows, size_t row, int column)
{
	assert(column < PQnfields(rows->result));
	assert(row < db_rows_count(rows));
	return PQgetisnull(rows->result, (int)row, column) != 0;
}

static const uint8_t *
value(const struct db_rows *rows, size_t row, int column)
{
	return (const uint8_t *)PQgetvalue(rows->result, (int)row, column);
}

int64_t
db_get_int(const struct db_rows *rows, size_t row, int column)
{
	if (db_null(rows, row, column))
		return 0;
	switch (PQftype(rows->result, column)) {
	case PG_INT2:
		return (int16_t)wire_get16(value(rows, row, column));
	case PG_INT4:
		return (int32_t)wire_get32(value(rows, row, column));
	case PG_INT8:
		return (int64_t)wire_get64(value(rows, row, column));
	}
	assert(!"a column that is read as an integer is one");
	return 0;
}

bool
db_get_bool(const struct db_rows *rows, size_t row, int column)
{
	if (db_null(rows, row, column))
		return false;
	assert(PQftype(rows->result, column) == PG_BOOL);
	return value(rows, row, column)[0] != 0;
}

const char *
db_get_text(const struct db_rows *rows, size_t row, int column)
{
	if (db_null(rows, row, column))
		return "";
	assert(PQftype(rows->result, column) == PG_TEXT ||
	    PQftype(rows->result, column) == PG_NAME);
	/* libpq adds the NUL. */
	return (const char *)value(rows, row, column);
}

const void *
db_get_bytes(const struct db_rows *rows, size_t row, int column,
    size_t *len_r)
{
	bool null = db_null(rows, row, column);

	assert(PQftype(rows->result, column) == PG_BYTEA ||
	    PQftype(rows->result, column) == PG_UUID ||
	    PQftype(rows->result, column) == PG_INET);
	*len_r = null ? 0 :
	    (size_t)PQgetlength(rows->result, (int)row, column);
	return value(rows, row, column);
}

int64_t
db_get_time(const struct db_rows *rows, size_t row, int column)
{
	if (db_null(rows, row, column))
		return 0;
	assert(PQftype(rows->result, column) == PG_TIMESTAMPTZ);
	return (int64_t)wire_get64(value(rows, row, column)) + PG_EPOCH_US;
}

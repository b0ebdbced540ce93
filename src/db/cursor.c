#include "db/cursor.h"

#include <assert.h>
#include <stdio.h>

#include "db/internal.h"

#define STATEMENT_BYTES 4096

static enum db_result
fetch(struct db_cursor *c)
{
	char sql[64];
	enum db_result result;

	db_rows_free(&c->rows);
	c->row = 0;
	snprintf(sql, sizeof(sql), "FETCH %d FROM %s", DB_CURSOR_ROWS,
	    c->name);
	result = db_query(c->db, sql, NULL, 0, &c->rows);
	if (result == DB_OK && db_rows_count(c->rows) == 0)
		db_rows_free(&c->rows);
	return result;
}

enum db_result
db_cursor_open(struct db_cursor *c, struct db *db, const char *name,
    const char *sql)
{
	char statement[STATEMENT_BYTES];
	enum db_result result;
	int n;

	*c = (struct db_cursor) { .db = db, .name = name };
	n = snprintf(statement, sizeof(statement),
	    "DECLARE %s NO SCROLL CURSOR FOR %s", name, sql);
	assert(n > 0 && (size_t)n < sizeof(statement));
	result = db_query(db, statement, NULL, 0, NULL);
	return result == DB_OK ? fetch(c) : result;
}

enum db_result
db_cursor_next(struct db_cursor *c)
{
	assert(c->rows != NULL);
	if (++c->row < db_rows_count(c->rows))
		return DB_OK;
	return fetch(c);
}

void
db_cursor_close(struct db_cursor *c)
{
	db_rows_free(&c->rows);
}

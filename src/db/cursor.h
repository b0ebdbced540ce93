/*
 * cursor.h: a query's rows one after the other, several queries at a time, in
 * constant memory.
 * Layer: db.
 * Written by: the thread that owns the connection.
 */
#ifndef DB_CURSOR_H
#define DB_CURSOR_H

#include "db/connection.h"
#include "db/value.h"

/* Rows that are here at a time. */
#define DB_CURSOR_ROWS 1000

struct db_cursor {
	struct db *db;
	const char *name;	/* static, unlike any other open one's */
	struct db_rows *rows;	/* the row is in here: typed results take */
	size_t row;		/* rows and row; NULL at the end */
};

/* Within a transaction.  Stands on the first row. */
enum db_result db_cursor_open(struct db_cursor *cursor, struct db *db,
	    const char *name, const char *sql)
	    __attribute__((warn_unused_result));
/* To the next row.  Not at the end. */
enum db_result db_cursor_next(struct db_cursor *cursor)
	    __attribute__((warn_unused_result));
/* The transaction's end closes it on the server. */
void	db_cursor_close(struct db_cursor *cursor);

#endif

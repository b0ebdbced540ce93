/*
 * value.h: typed parameters and typed results of a query.
 * Layer: db.  Binary format in both directions; integers are int64_t whatever
 * their width in the table; there is no numeric and no floating point.
 * Written by: the query files (q_*.c) and the flusher's batches.
 */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection.h"

enum db_type {
	DB_TYPE_INT,		/* bigint */
	DB_TYPE_BOOL,
	DB_TYPE_TEXT,
	DB_TYPE_BYTES,		/* bytea */
	DB_TYPE_TIME,		/* timestamptz, microseconds since 1970 */
	DB_TYPE_INT_ARRAY,	/* bigint[], no NULLs */
	DB_TYPE_TEXT_ARRAY	/* text[], no NULLs */
};

/* Points to memory of the caller, borrowed until the query returns. */
struct db_param {
	enum db_type type;
	bool null;
	int64_t integer;	/* INT, BOOL, TIME */
	const void *data;	/* TEXT, BYTES, arrays (int64_t, char *) */
	size_t len;		/* bytes of BYTES, elements of arrays */
};

struct db_param	db_int(int64_t value);
struct db_param	db_int_or_null(int64_t value);	/* 0 becomes NULL */
struct db_param	db_bool(bool value);
struct db_param	db_text(const char *value);	/* NULL becomes NULL */
struct db_param	db_bytes(const void *value, size_t len);
struct db_param	db_time(int64_t us);
struct db_param	db_time_or_null(int64_t us);	/* 0 becomes NULL */
struct db_param	db_int_array(const int64_t *values, size_t n);
struct db_param	db_text_array(const char *const *values, size_t n);

/* Rows of a result; freed by db_rows_free(). */
struct db_rows;
void	db_rows_free(struct db_rows **rows);
size_t	db_rows_count(const struct db_rows *rows);

/*
 * Column values; a wrong column or type is our own error (assert).  Texts and
 * bytes are borrowed from the rows.  NULL reads as 0, false, "" or no bytes.
 */
bool	db_null(const struct db_rows *rows, size_t row, int column);
int64_t	db_get_int(const struct db_rows *rows, size_t row, int column);
bool	db_get_bool(const struct db_rows *rows, size_t row, int column);
const char *db_get_text(const struct db_rows *rows, size_t row, int column);
const void *db_get_bytes(const struct db_rows *rows, size_t row, int column,
	    size_t *len_r);
int64_t	db_get_time(const struct db_rows *rows, size_t row, int column);

/*
 * One statement.  rows_r may be NULL when no rows are wanted.  DB_NONE comes
 * from SQLSTATE P0002, DB_CONFLICT from 23505 and YY001; that no row came
 * back is DB_OK here, the query files judge it.
 */
enum db_result db_query(struct db *db, const char *sql,
	    const struct db_param *params, size_t n, struct db_rows **rows_r)
	    __attribute__((warn_unused_result));

/* The same, handing over row by row without keeping them all; each() returns
 * false to stop early.  Inside each() the connection must not be used. */
enum db_result db_query_each(struct db *db, const char *sql,
	    const struct db_param *params, size_t n,
	    bool (*each)(const struct db_rows *rows, void *arg), void *arg)
	    __attribute__((warn_unused_result));

/* Any number of statements without parameters: migrations. */
enum db_result db_script(struct db *db, const char *sql)
	    __attribute__((warn_unused_result));

/* COPY … FROM STDIN (FORMAT binary): begin, data any number of times, end. */
enum db_result db_copy_begin(struct db *db, const char *sql)
	    __attribute__((warn_unused_result));
enum db_result db_copy_data(struct db *db, const void *data, size_t len)
	    __attribute__((warn_unused_result));
enum db_result db_copy_end(struct db *db) __attribute__((warn_unused_result));

#endif

/*
 * fetch.h: small helpers of the query files.
 * Layer: db; nobody else includes it.
 * Written by: pure functions over a connection.
 */
#ifndef DB_FETCH_H
#define DB_FETCH_H

#include "db/value.h"

/* Runs a statement that returns one integer in one row; DB_NONE: no row. */
enum db_result db_fetch_int(struct db *db, const char *sql,
	    const struct db_param *params, size_t n, int64_t *value_r)
	    __attribute__((warn_unused_result));

/* Runs a change that returns a row for each row changed; DB_NONE: none. */
enum db_result db_change(struct db *db, const char *sql,
	    const struct db_param *params, size_t n)
	    __attribute__((warn_unused_result));

/* Rows are numbered as they are written and dated when their transaction
 * began, so that one with a later time may have a lower number, by less than
 * this.  Lists are in the order of numbers; what is asked for from a time on
 * begins that much below the first that has it. */
#define DB_LATE "1000"

/* Which groups something is for, in a table with a row for each. */
struct db_group_sql {
	const char *remove, *insert;
};
#define DB_GROUP_SQL(table, owner) { \
	"DELETE FROM youyun." table " x WHERE x." owner " = $1" \
	" AND x.group_id NOT IN (SELECT g.id FROM youyun.customer_group g" \
	"  WHERE g.name = ANY ($2))", \
	"INSERT INTO youyun." table " (" owner ", group_id)" \
	" SELECT $1, g.id FROM youyun.customer_group g" \
	" WHERE g.name = ANY ($2)" \
	" ON CONFLICT (" owner ", group_id) DO NOTHING" }
/* These, and no others.  DB_NONE: there is no such group. */
enum db_result db_groups_set(struct db *db, const struct db_group_sql *sql,
	    int64_t owner_id, const char *const *groups, size_t n)
	    __attribute__((warn_unused_result));

/* The number in `who`, if it is all digits; else 0. */
int64_t	db_number(const char *who);

#endif

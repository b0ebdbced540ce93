#include "db/fetch.h"

#include <stdlib.h>
#include <string.h>

enum db_result
db_fetch_int(struct db *db, const char *sql, const struct db_param *params,
    size_t n, int64_t *value_r)
{
	struct db_rows *rows;
	enum db_result result;

	*value_r = 0;
	result = db_query(db, sql, params, n, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 0)
		result = DB_NONE;
	else
		*value_r = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return result;
}

enum db_result
db_change(struct db *db, const char *sql, const struct db_param *params,
    size_t n)
{
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, sql, params, n, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 0)
		result = DB_NONE;
	db_rows_free(&rows);
	return result;
}

int64_t
db_number(const char *who)
{
	size_t len = strlen(who);

	if (len == 0 || len > 18 || strspn(who, "0123456789") != len)
		return 0;
	return strtoll(who, NULL, 10);
}

enum db_result
db_groups_set(struct db *db, const struct db_group_sql *sql, int64_t owner_id,
    const char *const *groups, size_t n)
{
	struct db_param p[] = { db_int(owner_id), db_text_array(groups, n) };
	enum db_result result;
	int64_t unknown;

	result = db_fetch_int(db, "SELECT count(*) FROM unnest($1) w"
	    " WHERE NOT EXISTS (SELECT 1 FROM youyun.customer_group"
	    "  WHERE name = w)", &p[1], 1, &unknown);
	if (result != DB_OK)
		return result;
	if (unknown > 0)
		return DB_NONE;
	result = db_query(db, sql->remove, p, 2, NULL);
	return result == DB_OK ? db_query(db, sql->insert, p, 2, NULL) :
	    result;
}

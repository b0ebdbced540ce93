#include <stdio.h>

#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_bounds.h"
#include "db/spent.h"

static const char *const objects[] = {
	[LIMIT_OF_KEY] = "api_key", [LIMIT_OF_CUSTOMER] = "customer",
	[LIMIT_OF_GROUP] = "customer_group",
	[LIMIT_OF_MEMBERS] = "customer_group"
};

enum db_result
q_limit_set(struct db *db, enum limit_scope scope, int64_t object_id,
    const struct limit_row *limit)
{
	struct db_param p[] = { db_int((int64_t)scope), db_int(object_id),
		db_int(limit->requests), db_int(limit->tokens),
		db_int(limit->concurrent), db_int(limit->day_nano),
		db_int(limit->month_nano), db_int(limit->total_nano),
		db_int(limit->total_tokens), db_text(objects[scope]) };

	return db_change(db, "SELECT youyun.limit_put($1, $2, $3, $4, $5, $6,"
	    " $7, $8, $9) WHERE CASE $10"
	    "  WHEN 'api_key' THEN EXISTS (SELECT 1 FROM youyun.api_key"
	    "   WHERE id = $2)"
	    "  WHEN 'customer' THEN EXISTS (SELECT 1 FROM youyun.customer"
	    "   WHERE id = $2)"
	    "  ELSE EXISTS (SELECT 1 FROM youyun.customer_group"
	    "   WHERE id = $2) END", p, 10);
}

enum db_result
q_limit(struct db *db, enum limit_scope scope, int64_t object_id,
    struct limit_row *limit_r)
{
	struct db_param p[] = { db_int((int64_t)scope), db_int(object_id) };
	struct db_rows *rows;
	enum db_result result;

	*limit_r = (struct limit_row){ .requests = 0 };
	result = db_query(db, "SELECT requests::bigint, tokens,"
	    " concurrent::bigint, day_nano, month_nano, total_nano,"
	    " total_tokens FROM youyun.rate_limit"
	    " WHERE scope = $1 AND object_id = $2", p, 2, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 1)
		*limit_r = (struct limit_row){
			.requests = db_get_int(rows, 0, 0),
			.tokens = db_get_int(rows, 0, 1),
			.concurrent = db_get_int(rows, 0, 2),
			.day_nano = db_get_int(rows, 0, 3),
			.month_nano = db_get_int(rows, 0, 4),
			.total_nano = db_get_int(rows, 0, 5),
			.total_tokens = db_get_int(rows, 0, 6),
		};
	db_rows_free(&rows);
	return DB_OK;
}

/* Each by an index: a key's customer has few days, a group has this month's. */
static const char *const whose[] = {
	[LIMIT_OF_KEY] = "u.key_id = $1 AND u.customer_id = (SELECT"
	    " k.customer_id FROM youyun.api_key k WHERE k.id = $1)",
	[LIMIT_OF_CUSTOMER] = "u.customer_id = $1 AND u.day >= t.month",
	[LIMIT_OF_GROUP] = "u.group_id = $1 AND u.day >= t.month",
	[LIMIT_OF_MEMBERS] = "false",
};

enum db_result
q_limit_spent(struct db *db, enum limit_scope scope, int64_t object_id,
    struct spent_row *spent_r)
{
	struct db_param p = db_int(object_id);
	struct db_rows *rows;
	enum db_result result;
	char sql[1024];

	snprintf(sql, sizeof(sql), "SELECT" SPENT_COLUMNS " FROM"
	    SPENT_DAYS("now()")
	    " JOIN youyun.usage_day u ON $1::bigint IS NOT NULL AND %s",
	    whose[scope]);
	result = db_query(db, sql, &p, 1, &rows);
	if (result != DB_OK)
		return result;
	*spent_r = (struct spent_row){ db_get_int(rows, 0, 0),
		db_get_int(rows, 0, 1), db_get_int(rows, 0, 2),
		db_get_int(rows, 0, 3) };
	db_rows_free(&rows);
	return DB_OK;
}

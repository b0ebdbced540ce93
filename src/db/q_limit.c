#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_bounds.h"

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
		db_int(limit->concurrent), db_text(objects[scope]) };

	return db_change(db,
	    "INSERT INTO youyun.rate_limit AS l (scope, object_id, requests,"
	    "  tokens, concurrent)"
	    " SELECT $1, $2, greatest($3, 0), greatest($4, 0),"
	    "  greatest($5, 0) WHERE CASE $6"
	    "  WHEN 'api_key' THEN EXISTS (SELECT 1 FROM youyun.api_key"
	    "   WHERE id = $2)"
	    "  WHEN 'customer' THEN EXISTS (SELECT 1 FROM youyun.customer"
	    "   WHERE id = $2)"
	    "  ELSE EXISTS (SELECT 1 FROM youyun.customer_group"
	    "   WHERE id = $2) END"
	    " ON CONFLICT (scope, object_id) DO UPDATE SET"
	    "  requests = CASE WHEN $3 < 0 THEN l.requests ELSE $3 END,"
	    "  tokens = CASE WHEN $4 < 0 THEN l.tokens ELSE $4 END,"
	    "  concurrent = CASE WHEN $5 < 0 THEN l.concurrent ELSE $5 END"
	    " RETURNING l.id", p, 6);
}

enum db_result
q_limit(struct db *db, enum limit_scope scope, int64_t object_id,
    struct limit_row *limit_r)
{
	struct db_param p[] = { db_int((int64_t)scope), db_int(object_id) };
	struct db_rows *rows;
	enum db_result result;

	*limit_r = (struct limit_row){ 0, 0, 0 };
	result = db_query(db, "SELECT requests, tokens, concurrent"
	    " FROM youyun.rate_limit WHERE scope = $1 AND object_id = $2", p,
	    2, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 1) {
		limit_r->requests = db_get_int(rows, 0, 0);
		limit_r->tokens = db_get_int(rows, 0, 1);
		limit_r->concurrent = db_get_int(rows, 0, 2);
	}
	db_rows_free(&rows);
	return DB_OK;
}

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_key_revoke(struct db *db, int64_t id)
{
	struct db_param p = db_int(id);
	enum db_result result;
	int64_t there;

	result = db_change(db,
	    "UPDATE youyun.api_key SET status = 1, revoked = now()"
	    " WHERE id = $1 AND status <> 1 RETURNING id", &p, 1);
	if (result != DB_NONE)
		return result;
	result = db_fetch_int(db, "SELECT id FROM youyun.api_key WHERE id = $1",
	    &p, 1, &there);
	return result == DB_OK ? DB_CONFLICT : result;
}

enum db_result
q_key_suspend(struct db *db, int64_t id, bool suspend)
{
	struct db_param p[] = { db_int(id), db_bool(suspend) };
	enum db_result result;
	int64_t there;

	result = db_change(db, "UPDATE youyun.api_key SET"
	    " status = CASE WHEN $2 THEN 2 ELSE 0 END"
	    " WHERE id = $1 AND status = CASE WHEN $2 THEN 0 ELSE 2 END"
	    " RETURNING id", p, 2);
	if (result != DB_NONE)
		return result;
	result = db_fetch_int(db, "SELECT id FROM youyun.api_key WHERE id = $1",
	    p, 1, &there);
	return result == DB_OK ? DB_CONFLICT : result;
}

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_node_fence(struct db *db, int64_t id, const char *actor, const char *reason,
    int64_t *home_nano_r)
{
	struct db_param p[] = { db_int(id), db_text(actor), db_text(reason) };
	struct db_rows *rows;
	enum db_result result;
	bool fresh;

	result = db_query(db, "SELECT fresh, home_nano"
	    " FROM youyun.node_fence($1, $2, $3)", p, 3, &rows);
	if (result != DB_OK)
		return result;
	fresh = db_get_bool(rows, 0, 0);
	*home_nano_r = db_get_int(rows, 0, 1);
	db_rows_free(&rows);
	return fresh ? DB_OK : DB_CONFLICT;
}

enum db_result
q_node_admit(struct db *db, int64_t id, const char *actor, const char *reason)
{
	struct db_param p[] = { db_int(id), db_text(actor), db_text(reason) };
	struct db_rows *rows;
	enum db_result result;
	bool fresh;

	result = db_query(db, "SELECT youyun.node_admit($1, $2, $3)", p, 3,
	    &rows);
	if (result != DB_OK)
		return result;
	fresh = db_get_bool(rows, 0, 0);
	db_rows_free(&rows);
	return fresh ? DB_OK : DB_CONFLICT;
}

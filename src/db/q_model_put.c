#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_model_put(struct db *db, const char *name, int64_t max_output_tokens,
    int64_t *id_r)
{
	struct db_param p[] = { db_text(name), db_int(max_output_tokens) };
	enum db_result result;

	/* Looked for first, so that nothing is audited that didn't change. */
	result = db_fetch_int(db,
	    "SELECT id FROM youyun.model WHERE name = $1"
	    " AND ($2 < 0 OR max_output_tokens = $2)", p, 2, id_r);
	if (result != DB_NONE)
		return result;
	return db_fetch_int(db,
	    "INSERT INTO youyun.model AS m (name, max_output_tokens)"
	    " VALUES ($1, greatest($2, 0)) ON CONFLICT (name) DO UPDATE"
	    " SET max_output_tokens = CASE WHEN $2 < 0"
	    "  THEN m.max_output_tokens ELSE $2 END RETURNING m.id",
	    p, 2, id_r);
}

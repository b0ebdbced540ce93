#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_node_find(struct db *db, const char *who, int64_t *id_r)
{
	struct db_param p[] = { db_text(who), db_int(db_number(who)) };

	return db_fetch_int(db,
	    "SELECT id::bigint FROM youyun.node WHERE name = $1 OR id = $2"
	    " ORDER BY name = $1 DESC LIMIT 1", p, 2, id_r);
}

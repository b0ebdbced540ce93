#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_node_add(struct db *db, const char *name, int64_t *id_r)
{
	struct db_param p = db_text(name);

	return db_fetch_int(db, "SELECT youyun.node_add($1)", &p, 1, id_r);
}

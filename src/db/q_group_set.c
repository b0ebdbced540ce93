#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_group_set(struct db *db, const char *name, uint32_t multiplier_ppm,
    int64_t *id_r)
{
	struct db_param p[] = { db_text(name), db_int(multiplier_ppm) };

	return db_fetch_int(db,
	    "INSERT INTO youyun.customer_group AS g (name, multiplier_ppm)"
	    " VALUES ($1, $2) ON CONFLICT (name) DO UPDATE"
	    " SET multiplier_ppm = excluded.multiplier_ppm RETURNING g.id",
	    p, 2, id_r);
}

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_channel_add(struct db *db, const struct channel_row *c, int64_t slots,
    int64_t *id_r)
{
	struct db_param p[] = { db_text(c->name), db_int(c->protocol),
		db_text(c->host), db_int(c->port), db_bool(c->tls),
		db_text(c->base_path == NULL ? "" : c->base_path),
		db_text(c->ca == NULL ? "" : c->ca), db_int(c->priority),
		db_int(c->weight), db_int(c->status), db_int(slots) };

	return db_fetch_int(db,
	    "INSERT INTO youyun.channel (slot, name, protocol, host, port, tls,"
	    " base_path, ca, priority, weight, status)"
	    " SELECT s, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10"
	    " FROM generate_series(0, $11 - 1) s WHERE NOT EXISTS"
	    " (SELECT 1 FROM youyun.channel c WHERE c.slot = s)"
	    " ORDER BY s LIMIT 1 RETURNING id", p, 11, id_r);
}

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_channel_model_put(struct db *db, int64_t channel_id, int64_t model_id,
    const char *upstream_name)
{
	struct db_param p[] = { db_int(channel_id), db_int(model_id),
		db_text(upstream_name) };

	return db_change(db,
	    "INSERT INTO youyun.channel_model AS m (channel_id, model_id,"
	    " upstream_name) VALUES ($1, $2, $3)"
	    " ON CONFLICT (channel_id, model_id) DO UPDATE"
	    " SET upstream_name = excluded.upstream_name"
	    " RETURNING m.channel_id", p, 3);
}

enum db_result
q_channel_model_remove(struct db *db, int64_t channel_id, int64_t model_id)
{
	struct db_param p[] = { db_int(channel_id), db_int(model_id) };

	return db_change(db,
	    "DELETE FROM youyun.channel_model"
	    " WHERE channel_id = $1 AND model_id = $2 RETURNING channel_id",
	    p, 2);
}

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_channel_set(struct db *db, int64_t id, int64_t status, int64_t priority,
    int64_t weight)
{
	struct db_param p[] = { db_int(id), db_int(status), db_int(priority),
		db_int(weight) };

	return db_change(db,
	    "UPDATE youyun.channel SET"
	    " status = CASE WHEN $2 < 0 THEN status ELSE $2 END,"
	    " priority = CASE WHEN $3 < 0 THEN priority ELSE $3 END,"
	    " weight = CASE WHEN $4 < 0 THEN weight ELSE $4 END"
	    " WHERE id = $1 RETURNING id", p, 4);
}

enum db_result
q_channel_reset(struct db *db, int64_t id)
{
	struct db_param p = db_int(id);

	return db_change(db, "UPDATE youyun.channel SET resets = resets + 1"
	    " WHERE id = $1 RETURNING id", &p, 1);
}

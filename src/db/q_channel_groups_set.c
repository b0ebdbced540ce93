#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_channel_groups_set(struct db *db, int64_t id, const char *const *groups,
    size_t n)
{
	struct db_param p[] = { db_int(id), db_text_array(groups, n) };
	enum db_result result;
	int64_t unknown;

	result = db_fetch_int(db, "SELECT count(*) FROM unnest($1) w"
	    " WHERE NOT EXISTS (SELECT 1 FROM youyun.customer_group"
	    "  WHERE name = w)", &p[1], 1, &unknown);
	if (result != DB_OK)
		return result;
	if (unknown > 0)
		return DB_NONE;
	result = db_query(db, "DELETE FROM youyun.channel_group x"
	    " WHERE x.channel_id = $1 AND x.group_id NOT IN"
	    " (SELECT g.id FROM youyun.customer_group g"
	    "  WHERE g.name = ANY ($2))", p, 2, NULL);
	if (result != DB_OK)
		return result;
	return db_query(db,
	    "INSERT INTO youyun.channel_group (channel_id, group_id)"
	    " SELECT $1, g.id FROM youyun.customer_group g"
	    " WHERE g.name = ANY ($2)"
	    " ON CONFLICT (channel_id, group_id) DO NOTHING", p, 2, NULL);
}

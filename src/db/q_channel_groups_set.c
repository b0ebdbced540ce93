#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_channel_groups_set(struct db *db, int64_t id, const char *const *groups,
    size_t n)
{
	static const struct db_group_sql sql = DB_GROUP_SQL("channel_group",
	    "channel_id");

	return db_groups_set(db, &sql, id, groups, n);
}

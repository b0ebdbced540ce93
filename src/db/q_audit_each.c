#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct audit_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct audit_row row = {
		.id = db_get_int(r, 0, 0),
		.at_us = db_get_time(r, 0, 1),
		.actor = db_get_text(r, 0, 2),
		.role = db_get_text(r, 0, 3),
		.action = db_get_text(r, 0, 4),
		.object = db_get_text(r, 0, 5),
		.reason = db_get_text(r, 0, 6),
		.change = db_get_text(r, 0, 7),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_audit_each(struct db *db, int64_t limit,
    bool (*each)(const struct audit_row *, void *), void *arg)
{
	struct db_param p = db_int(limit);
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT id, at, actor, role, action, object, reason, change::text"
	    " FROM (SELECT * FROM youyun.audit ORDER BY id DESC LIMIT $1) a"
	    " ORDER BY id", &p, 1, take, &pass);
}

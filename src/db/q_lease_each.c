#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct lease_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct lease_row row = {
		.customer_id = db_get_int(r, 0, 0),
		.granted_nano = db_get_int(r, 0, 1),
		.spent_nano = db_get_int(r, 0, 2),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_lease_each(struct db *db, const char *node,
    bool (*each)(const struct lease_row *, void *), void *arg)
{
	struct db_param p[] = { db_text(node), db_int(db_number(node)) };
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT c.id, coalesce(l.granted_nano, 0),"
	    " coalesce(l.spent_nano, 0) FROM youyun.customer c"
	    " LEFT JOIN youyun.lease l ON l.customer_id = c.id"
	    "  AND l.node_id = (SELECT n.id FROM youyun.node n"
	    "   WHERE n.name = $1 OR n.id = $2"
	    "   ORDER BY n.name = $1 DESC LIMIT 1)", p, 2, take, &pass);
}

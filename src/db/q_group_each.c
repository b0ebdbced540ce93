#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct group_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct group_row row = {
		.id = db_get_int(r, 0, 0),
		.name = db_get_text(r, 0, 1),
		.multiplier_ppm = db_get_int(r, 0, 2),
		.customers = db_get_int(r, 0, 3),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_group_each(struct db *db, bool (*each)(const struct group_row *, void *),
    void *arg)
{
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT g.id, g.name, g.multiplier_ppm, (SELECT count(*)"
	    "  FROM (SELECT FROM youyun.customer c WHERE c.group_id = g.id"
	    "  LIMIT 1000) x)"
	    " FROM youyun.customer_group g ORDER BY g.name",
	    NULL, 0, take, &pass);
}

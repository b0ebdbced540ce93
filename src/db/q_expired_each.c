#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct expired_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct expired_row row = {
		.customer_id = db_get_int(r, 0, 0),
		.customer = db_get_text(r, 0, 1),
		.left_nano = db_get_int(r, 0, 2),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_expired_each(struct db *db,
    bool (*each)(const struct expired_row *, void *), void *arg)
{
	struct pass pass = { each, arg };

	return db_query_each(db, "SELECT e.customer_id, c.name, e.left_nano"
	    " FROM youyun.expired_left(NULL) e"
	    " JOIN youyun.customer c ON c.id = e.customer_id"
	    " ORDER BY e.customer_id", NULL, 0, take, &pass);
}

enum db_result
q_expire_ask(struct db *db)
{
	return db_query(db, "SELECT pg_notify('youyun', 'expire')", NULL, 0,
	    NULL);
}

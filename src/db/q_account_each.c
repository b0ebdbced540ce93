#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct account_total_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct account_total_row row = {
		.kind = db_get_text(r, 0, 0),
		.customer_id = db_get_int(r, 0, 1),
		.customer = db_get_text(r, 0, 2),
		.total_nano = db_get_int(r, 0, 3),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_account_each(struct db *db,
    bool (*each)(const struct account_total_row *, void *), void *arg)
{
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT a.kind, a.customer_id, c.name,"
	    " coalesce(sum(p.amount_nano), 0)::bigint"
	    " FROM youyun.ledger_account a"
	    " LEFT JOIN youyun.customer c ON c.id = a.customer_id"
	    " LEFT JOIN youyun.posting p ON p.account_id = a.id"
	    " GROUP BY a.id, a.kind, a.customer_id, c.name"
	    " ORDER BY a.customer_id NULLS FIRST, a.id",
	    NULL, 0, take, &pass);
}

#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_topup.h"

struct pass {
	bool (*each)(const struct payment_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct payment_row row = {
		.transaction_id = db_get_int(r, 0, 0),
		.id = db_get_text(r, 0, 1),
		.customer_id = db_get_int(r, 0, 2),
		.customer = db_get_text(r, 0, 3),
		.amount_nano = db_get_int(r, 0, 4),
		.currency = db_get_text(r, 0, 5),
		.method = db_get_text(r, 0, 6),
		.received_us = db_get_time(r, 0, 7),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_payment_each(struct db *db, int64_t customer_id, int64_t since_us,
    int64_t after, int64_t limit,
    bool (*each)(const struct payment_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(customer_id),
		db_time_or_null(since_us), db_int(after), db_int(limit) };
	struct pass pass = { each, arg };

	return db_query_each(db, "SELECT p.transaction_id, p.id,"
	    " p.customer_id, c.name, p.amount_nano, p.currency, p.method,"
	    " p.received FROM youyun.payment p"
	    " JOIN youyun.customer c ON c.id = p.customer_id"
	    " WHERE ($1 = 0 OR p.customer_id = $1)"
	    " AND ($2::timestamptz IS NULL OR (p.received >= $2"
	    "  AND p.transaction_id > (SELECT x.transaction_id"
	    "  FROM youyun.payment x WHERE x.received >= $2 ORDER BY"
	    "  x.received, x.transaction_id LIMIT 1) - " DB_LATE "))"
	    " AND ($3 = 0 OR p.transaction_id < $3)"
	    " ORDER BY p.transaction_id DESC LIMIT $4", p, 4, take, &pass);
}

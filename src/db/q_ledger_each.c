#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct ledger_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct ledger_row row = {
		.transaction_id = db_get_int(r, 0, 0),
		.kind = db_get_text(r, 0, 1),
		.customer_id = db_get_int(r, 0, 2),
		.account = db_get_text(r, 0, 3),
		.amount_nano = db_get_int(r, 0, 4),
		.calls = db_get_int(r, 0, 5),
		.idempotency_key = db_get_text(r, 0, 6),
		.actor = db_get_text(r, 0, 7),
		.reason = db_get_text(r, 0, 8),
		.at_us = db_get_time(r, 0, 9),
		.balance_nano = db_get_int(r, 0, 10),
	};

	return pass->each(&row, pass->arg);
}

/* The running balance is what there is now less what came later. */
static const char of_customer[] =
    "WITH t AS (SELECT * FROM youyun.ledger_transaction"
    "  WHERE customer_id = $1 ORDER BY id DESC LIMIT $2),"
    " now AS (SELECT coalesce(sum(p.amount_nano), 0)::bigint total"
    "  FROM youyun.posting p"
    "  JOIN youyun.ledger_account a ON a.id = p.account_id"
    "  WHERE a.customer_id = $1)"
    " SELECT t.id, t.kind, t.customer_id, a.kind, p.amount_nano, t.calls,"
    " t.idempotency_key, t.actor, t.reason, t.at,"
    " CASE WHEN a.customer_id IS NULL THEN 0 ELSE (now.total"
    "  - coalesce(sum(p.amount_nano) FILTER"
    "  (WHERE a.customer_id IS NOT NULL) OVER (ORDER BY t.id DESC"
    "  GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::bigint END"
    " FROM t JOIN youyun.posting p ON p.transaction_id = t.id"
    " JOIN youyun.ledger_account a ON a.id = p.account_id, now"
    " ORDER BY t.id, a.customer_id NULLS LAST, a.id";

static const char of_all[] =
    "WITH t AS (SELECT * FROM youyun.ledger_transaction"
    "  ORDER BY id DESC LIMIT $1)"
    " SELECT t.id, t.kind, t.customer_id, a.kind, p.amount_nano, t.calls,"
    " t.idempotency_key, t.actor, t.reason, t.at, 0::bigint"
    " FROM t JOIN youyun.posting p ON p.transaction_id = t.id"
    " JOIN youyun.ledger_account a ON a.id = p.account_id"
    " ORDER BY t.id, a.customer_id NULLS LAST, a.id";

enum db_result
q_ledger_each(struct db *db, int64_t customer_id, int64_t limit,
    bool (*each)(const struct ledger_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(customer_id), db_int(limit) };
	struct pass pass = { each, arg };

	if (customer_id == 0)
		return db_query_each(db, of_all, &p[1], 1, take, &pass);
	return db_query_each(db, of_customer, p, 2, take, &pass);
}

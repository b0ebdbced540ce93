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
	size_t len;
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
		.customers = db_get_bool(r, 0, 10),
		.expires_us = db_get_time(r, 0, 11),
		.package = db_get_text(r, 0, 13),
		.price_minor = db_get_int(r, 0, 14),
		.currency = db_get_text(r, 0, 15),
		.balance_nano = db_get_int(r, 0, 16),
	};

	if (!db_null(r, 0, 12))
		row.request_id = db_get_bytes(r, 0, 12, &len);
	return pass->each(&row, pass->arg);
}

#define COLUMNS \
    "SELECT t.id, t.kind, t.customer_id, a.kind, p.amount_nano, t.calls," \
    " t.idempotency_key, t.actor, t.reason, t.at," \
    " a.customer_id IS NOT NULL, a.expires_at, f.request_id, e.package," \
    " e.price_minor, e.currency,"
#define TABLES \
    " FROM t JOIN youyun.posting p ON p.transaction_id = t.id" \
    " JOIN youyun.ledger_account a ON a.id = p.account_id" \
    " LEFT JOIN youyun.refund f ON f.transaction_id = t.id" \
    " LEFT JOIN youyun.receipt e ON e.transaction_id = t.id"
/* A customer's pots in the order of spending, then the others. */
#define ORDER \
    " ORDER BY t.id, a.customer_id NULLS LAST, CASE WHEN a.customer_id IS" \
    "  NOT NULL THEN coalesce(a.expires_at, 'infinity') END," \
    "  CASE WHEN a.customer_id IS NOT NULL THEN" \
    "  a.kind = 'customer_prepaid' END, a.id"

/* The running balance is what there is now less what came later; of all the
 * customer's pots, after the last of them. */
static const char of_customer[] =
    "WITH t AS (SELECT * FROM youyun.ledger_transaction"
    "  WHERE customer_id = $1 ORDER BY id DESC LIMIT $2),"
    " now AS (SELECT coalesce(sum(left_nano), 0)::bigint total"
    "  FROM youyun.pot WHERE customer_id = $1) "
    COLUMNS
    " CASE WHEN a.customer_id IS NULL THEN 0 ELSE (now.total"
    "  - coalesce(sum(p.amount_nano) FILTER"
    "  (WHERE a.customer_id IS NOT NULL) OVER (ORDER BY t.id DESC"
    "  GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::bigint END"
    TABLES ", now" ORDER;

static const char of_all[] =
    "WITH t AS (SELECT * FROM youyun.ledger_transaction"
    "  ORDER BY id DESC LIMIT $1) "
    COLUMNS " 0::bigint" TABLES ORDER;

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

#include "db/fetch.h"
#include "db/queries.h"

/*
 * Each rule is a query for what breaks it: object, found, expected.  Sums are
 * compared as numeric, which cannot overflow, and shown as bigint.
 */
static const struct {
	const char *name;
	const char *sql;
} rules[] = {
	{ "zero-sum",
	    "SELECT 'transaction:' || transaction_id, sum(amount_nano)::bigint,"
	    " 0::bigint FROM youyun.posting GROUP BY transaction_id"
	    " HAVING sum(amount_nano) <> 0" },
	{ "empty",
	    "SELECT 'transaction:' || t.id, 0::bigint, 0::bigint"
	    " FROM youyun.ledger_transaction t WHERE NOT EXISTS"
	    " (SELECT 1 FROM youyun.posting p WHERE p.transaction_id = t.id)" },
	{ "granted",
	    "SELECT 'customer:' || c.id, coalesce(l.granted, 0)::bigint,"
	    " coalesce(p.credits, 0)::bigint FROM youyun.customer c"
	    " LEFT JOIN (SELECT customer_id, sum(granted_nano) granted"
	    "  FROM youyun.lease GROUP BY 1) l ON l.customer_id = c.id"
	    " LEFT JOIN (SELECT a.customer_id, sum(p.amount_nano) credits"
	    "  FROM youyun.posting p"
	    "  JOIN youyun.ledger_account a ON a.id = p.account_id"
	    "  JOIN youyun.ledger_transaction t ON t.id = p.transaction_id"
	    "  WHERE t.kind = 'credit' AND a.customer_id IS NOT NULL"
	    "  GROUP BY 1) p ON p.customer_id = c.id"
	    " WHERE coalesce(l.granted, 0) <> coalesce(p.credits, 0)" },
	{ "spent",
	    "SELECT 'customer:' || coalesce(l.customer_id, k.customer_id),"
	    " coalesce(l.spent, 0)::bigint, coalesce(k.fees, 0)::bigint"
	    " FROM (SELECT customer_id, sum(spent_nano) spent"
	    "  FROM youyun.lease GROUP BY 1) l"
	    " FULL JOIN (SELECT coalesce(customer_id, 0) customer_id,"
	    "  sum(fee_nano) fees FROM youyun.call GROUP BY 1) k"
	    " ON k.customer_id = l.customer_id"
	    " WHERE coalesce(l.spent, 0) <> coalesce(k.fees, 0)" },
	{ "balance",
	    "SELECT 'customer:' || c.id, coalesce(p.total, 0)::bigint,"
	    " coalesce(l.rest, 0)::bigint FROM youyun.customer c"
	    " LEFT JOIN (SELECT customer_id,"
	    "  sum(granted_nano::numeric - spent_nano) rest"
	    "  FROM youyun.lease GROUP BY 1) l ON l.customer_id = c.id"
	    " LEFT JOIN (SELECT a.customer_id, sum(p.amount_nano) total"
	    "  FROM youyun.posting p"
	    "  JOIN youyun.ledger_account a ON a.id = p.account_id"
	    "  WHERE a.customer_id IS NOT NULL GROUP BY 1) p"
	    "  ON p.customer_id = c.id"
	    " WHERE coalesce(p.total, 0) <> coalesce(l.rest, 0)" },
	{ "below-zero",
	    "SELECT 'customer:' || a.customer_id, sum(p.amount_nano)::bigint,"
	    " 0::bigint FROM youyun.posting p"
	    " JOIN youyun.ledger_account a ON a.id = p.account_id"
	    " WHERE a.customer_id IS NOT NULL GROUP BY a.customer_id"
	    " HAVING sum(p.amount_nano) < 0" },
	{ "batch",
	    "SELECT 'transaction:' || t.id, coalesce(-p.customer, 0)::bigint,"
	    " coalesce(k.fees, 0)::bigint FROM youyun.ledger_transaction t"
	    " LEFT JOIN (SELECT p.transaction_id,"
	    "  sum(p.amount_nano) FILTER (WHERE a.kind = 'customer_prepaid'"
	    "   AND a.customer_id = t.customer_id) customer,"
	    "  sum(p.amount_nano) FILTER (WHERE a.kind = 'revenue') revenue,"
	    "  sum(p.amount_nano) FILTER (WHERE a.kind = 'uncollected') owed"
	    "  FROM youyun.posting p"
	    "  JOIN youyun.ledger_account a ON a.id = p.account_id"
	    "  JOIN youyun.ledger_transaction t ON t.id = p.transaction_id"
	    "  GROUP BY 1) p ON p.transaction_id = t.id"
	    " LEFT JOIN (SELECT ledger_transaction_id, customer_id,"
	    "  sum(fee_nano) fees, sum(uncollected_nano) owed, count(*) n"
	    "  FROM youyun.call WHERE ledger_transaction_id IS NOT NULL"
	    "  GROUP BY 1, 2) k ON k.ledger_transaction_id = t.id"
	    "  AND k.customer_id = t.customer_id"
	    " WHERE t.kind = 'calls' AND"
	    " (coalesce(-p.customer, 0) <> coalesce(k.fees, 0)"
	    " OR coalesce(-p.owed, 0) <> coalesce(k.owed, 0)"
	    " OR coalesce(p.revenue, 0) <> coalesce(k.fees + k.owed, 0)"
	    " OR t.calls <> coalesce(k.n, 0))" },
	{ "unbooked",
	    "SELECT 'call:' || k.request_id, k.fee_nano, 0::bigint"
	    " FROM youyun.call k LEFT JOIN youyun.ledger_transaction t"
	    " ON t.id = k.ledger_transaction_id AND t.kind = 'calls'"
	    " AND t.customer_id = k.customer_id"
	    " WHERE (k.fee_nano <> 0 OR k.uncollected_nano <> 0)"
	    " AND t.id IS NULL" },
	{ "twice",
	    "SELECT 'call:' || request_id, sum(fee_nano)::bigint,"
	    " min(fee_nano) FROM youyun.call GROUP BY request_id"
	    " HAVING count(*) > 1" },
};

struct pass {
	const char *rule;
	bool (*each)(const struct breach_row *, void *);
	void *arg;
	bool more;
};

static bool
take(const struct db_rows *r, void *arg)
{
	struct pass *pass = arg;
	struct breach_row row = {
		.rule = pass->rule,
		.object = db_get_text(r, 0, 0),
		.found_nano = db_get_int(r, 0, 1),
		.expected_nano = db_get_int(r, 0, 2),
	};

	pass->more = pass->each(&row, pass->arg);
	return pass->more;
}

enum db_result
q_verify_each(struct db *db, bool (*each)(const struct breach_row *, void *),
    void *arg)
{
	struct pass pass = { NULL, each, arg, true };
	enum db_result result = DB_OK;
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]) &&
	    result == DB_OK && pass.more; i++) {
		pass.rule = rules[i].name;
		result = db_query_each(db, rules[i].sql, NULL, 0, take, &pass);
	}
	return result;
}

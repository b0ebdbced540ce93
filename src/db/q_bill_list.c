#include "db/fetch.h"
#include "db/queries.h"

/* A sum over all of the customer's bookings up to there. */
enum db_result
q_bill_list(struct db *db, int64_t customer_id, const char *after,
    int64_t limit, struct db_rows **rows_r)
{
	struct db_param p[] = { db_int(customer_id), db_text(after),
		db_int(limit) };

	return db_query(db, "SELECT to_char(date_trunc('month', t.at"
	    "  AT TIME ZONE 'UTC'), 'YYYY-MM') AS month,"
	    " coalesce(sum(p.amount_nano) FILTER (WHERE p.amount_nano > 0),"
	    "  0)::bigint,"
	    " coalesce(-sum(p.amount_nano) FILTER (WHERE t.kind = 'calls'),"
	    "  0)::bigint, sum(p.amount_nano)::bigint, count(DISTINCT t.id)"
	    " FROM youyun.ledger_account a"
	    " JOIN youyun.posting p ON p.account_id = a.id"
	    " JOIN youyun.ledger_transaction t ON t.id = p.transaction_id"
	    " WHERE a.customer_id = $1 AND ($2::text IS NULL OR"
	    "  t.at < ($2 || '-01')::timestamp AT TIME ZONE 'UTC')"
	    " GROUP BY 1 ORDER BY 1 DESC LIMIT $3", p, 3, rows_r);
}

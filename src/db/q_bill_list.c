#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_bill_list(struct db *db, int64_t customer_id, const char *after,
    int64_t limit, struct db_rows **rows_r)
{
	struct db_param p[] = { db_int(customer_id), db_text(after),
		db_int(limit) };

	return db_query(db, "SELECT to_char(b.month, 'YYYY-MM') AS month,"
	    " b.credited_nano, b.calls_nano, b.change_nano, b.bookings"
	    " FROM youyun.bill_month b WHERE b.customer_id = $1"
	    " AND ($2::text IS NULL OR b.month < ($2 || '-01')::date)"
	    " ORDER BY b.month DESC LIMIT $3", p, 3, rows_r);
}

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_credit(struct db *db, const struct credit *c,
    struct credit_receipt *receipt_r)
{
	struct db_param p[] = { db_text(c->key), db_int(c->customer_id),
		db_int(c->amount_nano), db_text(c->source), db_text(c->actor),
		db_text(c->reason == NULL ? "" : c->reason) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db,
	    "SELECT transaction_id, fresh, balance_nano"
	    " FROM youyun.credit($1, $2, $3, $4, $5, $6)", p, 6, &rows);
	if (result != DB_OK)
		return result;
	receipt_r->transaction_id = db_get_int(rows, 0, 0);
	receipt_r->fresh = db_get_bool(rows, 0, 1);
	receipt_r->balance_nano = db_get_int(rows, 0, 2);
	db_rows_free(&rows);
	return DB_OK;
}

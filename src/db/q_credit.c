#include "db/fetch.h"
#include "db/queries.h"

static enum db_result
take_receipt(struct db *db, const char *sql, const struct db_param *p,
    size_t n, struct credit_receipt *receipt_r)
{
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, sql, p, n, &rows);
	if (result != DB_OK)
		return result;
	receipt_r->transaction_id = db_get_int(rows, 0, 0);
	receipt_r->fresh = db_get_bool(rows, 0, 1);
	receipt_r->balance_nano = db_get_int(rows, 0, 2);
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
q_credit(struct db *db, const struct credit *c,
    struct credit_receipt *receipt_r)
{
	struct db_param p[] = { db_text(c->key), db_int(c->customer_id),
		db_int(c->amount_nano), db_text(c->source), db_text(c->actor),
		db_text(c->reason == NULL ? "" : c->reason),
		db_time_or_null(c->expires_us),
		db_int_or_null(c->valid_days) };

	return take_receipt(db, "SELECT transaction_id, fresh, balance_nano"
	    " FROM youyun.credit($1, $2, $3, $4, $5, $6, $7, $8)", p, 8,
	    receipt_r);
}

enum db_result
q_credit_by_package(struct db *db, const struct credit *c,
    const char *package, struct credit_receipt *receipt_r)
{
	struct db_param p[] = { db_text(c->key), db_int(c->customer_id),
		db_text(package), db_text(c->actor),
		db_text(c->reason == NULL ? "" : c->reason) };

	return take_receipt(db, "SELECT transaction_id, fresh, balance_nano"
	    " FROM youyun.credit_by_package($1, $2, $3, $4, $5)", p, 5,
	    receipt_r);
}

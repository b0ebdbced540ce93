#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_refund(struct db *db, const struct refund *r, struct refund_receipt *to)
{
	struct db_param p[] = { db_text(r->key), db_time(r->started_us),
		db_bytes(r->request_id, RECORD_ID_BYTES),
		db_int_or_null(r->amount_nano), db_text(r->actor),
		db_text(r->reason) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db,
	    "SELECT transaction_id, fresh, amount_nano, balance_nano"
	    " FROM youyun.refund($1, $2, encode($3, 'hex')::uuid, $4, $5, $6)",
	    p, 6, &rows);
	if (result != DB_OK)
		return result;
	to->transaction_id = db_get_int(rows, 0, 0);
	to->fresh = db_get_bool(rows, 0, 1);
	to->amount_nano = db_get_int(rows, 0, 2);
	to->balance_nano = db_get_int(rows, 0, 3);
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
q_refunded(struct db *db, const uint8_t *request_id, int64_t *nano_r)
{
	struct db_param p = db_bytes(request_id, RECORD_ID_BYTES);

	return db_fetch_int(db, "SELECT coalesce(sum(amount_nano), 0)::bigint"
	    " FROM youyun.refund WHERE request_id = encode($1, 'hex')::uuid",
	    &p, 1, nano_r);
}

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_adjust(struct db *db, const struct adjustment *a,
    struct adjustment_receipt *to)
{
	struct db_param p[] = { db_text(a->key), db_int(a->customer_id),
		db_int(a->amount_nano), db_text(a->actor),
		db_text(a->reason) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db,
	    "SELECT transaction_id, fresh, balance_nano, taking_id"
	    " FROM youyun.adjust($1, $2, $3, $4, $5)", p, 5, &rows);
	if (result != DB_OK)
		return result;
	to->transaction_id = db_get_int(rows, 0, 0);
	to->fresh = db_get_bool(rows, 0, 1);
	to->balance_nano = db_get_int(rows, 0, 2);
	to->taking_id = db_get_int(rows, 0, 3);
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
q_taking(struct db *db, int64_t id, struct taking_row *to)
{
	struct db_param p = db_int(id);
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db,
	    "SELECT t.state, t.transaction_id, t.available_nano,"
	    " (SELECT coalesce(sum(p.left_nano), 0)::bigint FROM youyun.pot p"
	    " WHERE p.customer_id = t.customer_id)"
	    " FROM youyun.taking t WHERE t.id = $1", &p, 1, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 0) {
		result = DB_NONE;
	} else {
		to->state = (enum taking_state)db_get_int(rows, 0, 0);
		to->transaction_id = db_get_int(rows, 0, 1);
		to->available_nano = db_get_int(rows, 0, 2);
		to->balance_nano = db_get_int(rows, 0, 3);
	}
	db_rows_free(&rows);
	return result;
}

enum db_result
q_taking_give_up(struct db *db, int64_t id, enum taking_state *state_r)
{
	struct db_param p = db_int(id);
	enum db_result result;
	int64_t state;

	result = db_fetch_int(db, "SELECT youyun.taking_give_up($1)", &p, 1,
	    &state);
	*state_r = (enum taking_state)state;
	return result;
}

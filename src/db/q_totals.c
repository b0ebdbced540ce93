#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_totals(struct db *db, struct totals *t)
{
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT"
	    " (SELECT count(*) FROM youyun.customer),"
	    " (SELECT count(*) FROM youyun.api_key),"
	    " (SELECT count(*) FROM youyun.model),"
	    " (SELECT count(*) FROM youyun.channel),"
	    " c.n, (SELECT count(*) FROM youyun.ledger_transaction),"
	    " l.granted, l.spent, c.fee, c.uncollected"
	    " FROM (SELECT coalesce(sum(granted_nano), 0)::bigint granted,"
	    "  coalesce(sum(spent_nano), 0)::bigint spent FROM youyun.customer_money) l,"
	    " (SELECT count(*) n, (coalesce(sum(fee_nano), 0)"
	    "  + (SELECT coalesce(sum(a.fee_nano), 0)"
	    "  FROM youyun.call_archive a))::bigint fee,"
	    "  (coalesce(sum(uncollected_nano), 0)"
	    "  + (SELECT coalesce(sum(a.uncollected_nano), 0)"
	    "  FROM youyun.call_archive a))::bigint uncollected"
	    "  FROM youyun.call) c", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	t->customers = db_get_int(rows, 0, 0);
	t->keys = db_get_int(rows, 0, 1);
	t->models = db_get_int(rows, 0, 2);
	t->channels = db_get_int(rows, 0, 3);
	t->calls = db_get_int(rows, 0, 4);
	t->transactions = db_get_int(rows, 0, 5);
	t->granted_nano = db_get_int(rows, 0, 6);
	t->spent_nano = db_get_int(rows, 0, 7);
	t->fee_nano = db_get_int(rows, 0, 8);
	t->uncollected_nano = db_get_int(rows, 0, 9);
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
q_call_estimate(struct db *db, int64_t *calls_r)
{
	return db_fetch_int(db, "SELECT coalesce(sum(greatest(c.reltuples,"
	    " 0)), 0)::bigint FROM pg_inherits i"
	    " JOIN pg_class c ON c.oid = i.inhrelid"
	    " WHERE i.inhparent = 'youyun.call'::regclass", NULL, 0, calls_r);
}

#include <stdio.h>

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_customer_more(struct db *db, int64_t id, struct customer_more *more_r)
{
	struct db_param p = db_int(id);
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT language, low_balance_nano,"
	    " keep_address::bigint, keep_agent, risk::bigint FROM youyun.customer"
	    " WHERE id = $1", &p, 1, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 1) {
		snprintf(more_r->language, sizeof(more_r->language), "%s",
		    db_get_text(rows, 0, 0));
		more_r->low_balance_nano = db_get_int(rows, 0, 1);
		more_r->keep_address = db_get_int(rows, 0, 2);
		more_r->keep_agent = db_get_bool(rows, 0, 3);
		more_r->risk = db_get_int(rows, 0, 4);
	} else
		result = DB_NONE;
	db_rows_free(&rows);
	return result;
}

enum db_result
q_customer_language_set(struct db *db, int64_t id, const char *language)
{
	struct db_param p[] = { db_int(id), db_text(language) };

	return db_change(db, "UPDATE youyun.customer SET language = $2"
	    " WHERE id = $1 RETURNING id", p, 2);
}

enum db_result
q_customer_low_balance_set(struct db *db, int64_t id, int64_t nano)
{
	struct db_param p[] = { db_int(id), db_int(nano) };

	return db_change(db, "UPDATE youyun.customer SET low_balance_nano = $2"
	    " WHERE id = $1 RETURNING id", p, 2);
}

enum db_result
q_customer_risk_set(struct db *db, int64_t id, int64_t risk)
{
	struct db_param p[] = { db_int(id), db_int(risk) };

	return db_change(db, "UPDATE youyun.customer SET risk = $2"
	    " WHERE id = $1 RETURNING id", p, 2);
}

enum db_result
q_customer_keep_set(struct db *db, int64_t id, int64_t keep_address,
    int64_t keep_agent)
{
	struct db_param p[] = { db_int(id), db_int(keep_address),
		db_int(keep_agent) };

	return db_change(db, "UPDATE youyun.customer c SET"
	    " keep_address = CASE WHEN $2 < 0 THEN c.keep_address ELSE $2 END,"
	    " keep_agent = CASE WHEN $3 < 0 THEN c.keep_agent ELSE $3 = 1 END"
	    " WHERE c.id = $1 RETURNING c.id", p, 3);
}

#include <stdio.h>

#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_agreement.h"

enum db_result
q_as_customer(struct db *db, int64_t customer_id)
{
	struct db_param p = db_int(customer_id);

	return db_query(db, "SELECT set_config('youyun.customer', $1::text,"
	    " true)", &p, 1, NULL);
}

enum db_result
q_export_note(struct db *db, int64_t customer_id)
{
	struct db_param p = db_int(customer_id);

	return db_query(db, "SELECT youyun.export_note($1)", &p, 1, NULL);
}

enum db_result
q_closing_begin(struct db *db, int64_t customer_id, int64_t days,
    int64_t *due_us_r)
{
	struct db_param p[] = { db_int(customer_id), db_int(days) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT due FROM youyun.closing_begin($1, $2)",
	    p, 2, &rows);
	if (result != DB_OK)
		return result;
	*due_us_r = db_get_time(rows, 0, 0);
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
q_closing_cancel(struct db *db, int64_t customer_id)
{
	struct db_param p = db_int(customer_id);

	return db_query(db, "SELECT youyun.closing_cancel($1)", &p, 1, NULL);
}

enum db_result
q_closing_hasten(struct db *db, int64_t customer_id)
{
	struct db_param p = db_int(customer_id);

	return db_query(db, "SELECT youyun.closing_hasten($1)", &p, 1, NULL);
}

enum db_result
q_closing_step(struct db *db, int64_t customer_id,
    char step_r[CLOSING_STEP_BYTES])
{
	struct db_param p = db_int(customer_id);
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT youyun.closing_step($1)", &p, 1, &rows);
	if (result != DB_OK)
		return result;
	snprintf(step_r, CLOSING_STEP_BYTES, "%s", db_get_text(rows, 0, 0));
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
q_closing(struct db *db, int64_t customer_id, struct db_rows **rows_r)
{
	struct db_param p = db_int(customer_id);

	return db_query(db, "SELECT (ARRAY['grace', 'cancelled', 'erasing',"
	    " 'erased'])[state + 1], asked, due, ended, certificate::text"
	    " FROM youyun.closing WHERE customer_id = $1"
	    " ORDER BY id DESC LIMIT 1", &p, 1, rows_r);
}

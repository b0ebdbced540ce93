#include <stdio.h>

#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_customer_language(struct db *db, int64_t id,
    char language_r[CUSTOMER_LANGUAGE_BYTES])
{
	struct db_param p = db_int(id);
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT language FROM youyun.customer"
	    " WHERE id = $1", &p, 1, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 1)
		snprintf(language_r, CUSTOMER_LANGUAGE_BYTES, "%s",
		    db_get_text(rows, 0, 0));
	else
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

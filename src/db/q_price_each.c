#include "db/fetch.h"
#include "db/price_columns.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct price_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct price_row row = {
		.model_id = db_get_int(r, 0, DB_PRICE_COLUMN_COUNT),
		.model = db_get_text(r, 0, DB_PRICE_COLUMN_COUNT + 1),
		.effective_us = db_get_time(r, 0, DB_PRICE_COLUMN_COUNT + 2),
		.created_by = db_get_text(r, 0, DB_PRICE_COLUMN_COUNT + 3),
		.created_us = db_get_time(r, 0, DB_PRICE_COLUMN_COUNT + 4),
		.current = db_get_bool(r, 0, DB_PRICE_COLUMN_COUNT + 5),
	};

	db_get_price(r, 0, 0, &row.price);
	return pass->each(&row, pass->arg);
}

enum db_result
q_price_each(struct db *db, const char *model,
    bool (*each)(const struct price_row *, void *), void *arg)
{
	struct db_param p = db_text(model);
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT " DB_PRICE_COLUMNS ", p.model_id, m.name,"
	    " p.effective_from, p.created_by, p.created,"
	    " p.id IS NOT DISTINCT FROM (SELECT q.id FROM youyun.price q"
	    "  WHERE q.model_id = p.model_id AND q.effective_from <= now()"
	    "  ORDER BY q.effective_from DESC, q.id DESC LIMIT 1)"
	    " FROM youyun.price p JOIN youyun.model m ON m.id = p.model_id"
	    " WHERE $1::text IS NULL OR m.name = $1"
	    " ORDER BY m.name, p.effective_from, p.id", &p, 1, take, &pass);
}

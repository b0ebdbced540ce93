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
		.max_output_tokens =
		    db_get_int(r, 0, DB_PRICE_COLUMN_COUNT + 6),
		.channel_id = db_get_int(r, 0, DB_PRICE_COLUMN_COUNT + 7),
		.channel = db_get_text(r, 0, DB_PRICE_COLUMN_COUNT + 8),
	};

	db_get_price(r, 0, 0, &row.price);
	return pass->each(&row, pass->arg);
}

#define SELECTED(current, channel_id, channel) \
	"SELECT " DB_PRICE_COLUMNS ", p.model_id, m.name, p.effective_from," \
	" p.created_by, p.created, p.id IS NOT DISTINCT FROM (" current ")," \
	" m.max_output_tokens, " channel_id ", " channel
#define LATEST " ORDER BY q.effective_from DESC, q.id DESC LIMIT 1"
#define PRICE_NOW \
	"SELECT q.id FROM youyun.price q" \
	"  WHERE q.model_id = p.model_id AND q.effective_from <= now()" LATEST
#define COST_NOW \
	"SELECT q.id FROM youyun.cost q" \
	"  WHERE q.model_id = p.model_id AND q.channel_id = p.channel_id" \
	"  AND q.effective_from <= now()" LATEST
#define SALES \
	SELECTED(PRICE_NOW, "0::bigint", "''") \
	" FROM youyun.price p JOIN youyun.model m ON m.id = p.model_id"
#define COSTS \
	SELECTED(COST_NOW, "p.channel_id", "h.name") \
	" FROM youyun.cost p JOIN youyun.model m ON m.id = p.model_id" \
	" JOIN youyun.channel h ON h.id = p.channel_id"

enum db_result
q_price_each(struct db *db, const char *model,
    bool (*each)(const struct price_row *, void *), void *arg)
{
	struct db_param p = db_text(model);
	struct pass pass = { each, arg };

	return db_query_each(db,
	    SALES " WHERE $1::text IS NULL OR m.name = $1"
	    " ORDER BY m.name, p.effective_from, p.id", &p, 1, take, &pass);
}

enum db_result
q_price_match(struct db *db, const char *name, int64_t at_us,
    bool (*each)(const struct price_row *, void *), void *arg)
{
	struct db_param p[] = { db_text(name), db_time_or_null(at_us) };
	struct pass pass = { each, arg };

	return db_query_each(db,
	    SALES " WHERE (m.name = $1 OR (right(m.name, 1) = '*'"
	    "  AND starts_with($1, left(m.name, -1))))"
	    " AND p.effective_from <= coalesce($2, now())"
	    " ORDER BY (m.name = $1) DESC, length(m.name) DESC,"
	    " p.effective_from DESC, p.id DESC LIMIT 1", p, 2, take, &pass);
}

enum db_result
q_cost_each(struct db *db, int64_t channel_id, const char *model,
    bool (*each)(const struct price_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(channel_id), db_text(model) };
	struct pass pass = { each, arg };

	return db_query_each(db,
	    COSTS " WHERE ($1 = 0 OR p.channel_id = $1)"
	    " AND ($2::text IS NULL OR m.name = $2)"
	    " ORDER BY h.name, m.name, p.effective_from, p.id", p, 2, take,
	    &pass);
}

/* A version stays as it is, so that it says where a page ended. */
enum db_result
q_price_list(struct db *db, const struct price_filter *f,
    bool (*each)(const struct price_row *, void *), void *arg)
{
	struct db_param p[] = { db_text(f->model), db_bool(f->current),
		db_int(f->after), db_int(f->limit) };
	struct pass pass = { each, arg };

	return db_query_each(db,
	    SALES " WHERE ($1::text IS NULL OR m.name = $1)"
	    " AND (NOT $2 OR p.id = (" PRICE_NOW "))"
	    " AND ($3 = 0 OR (m.name, p.effective_from, p.id) >"
	    "  (SELECT x.name, y.effective_from, y.id FROM youyun.price y"
	    "  JOIN youyun.model x ON x.id = y.model_id WHERE y.id = $3))"
	    " ORDER BY m.name, p.effective_from, p.id LIMIT $4", p, 4, take,
	    &pass);
}

enum db_result
q_cost_list(struct db *db, const struct price_filter *f,
    bool (*each)(const struct price_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(f->channel_id), db_bool(f->current),
		db_int(f->after), db_int(f->limit) };
	struct pass pass = { each, arg };

	return db_query_each(db,
	    COSTS " WHERE ($1 = 0 OR p.channel_id = $1)"
	    " AND (NOT $2 OR p.id = (" COST_NOW "))"
	    " AND ($3 = 0 OR (h.name, m.name, p.effective_from, p.id) >"
	    "  (SELECT z.name, x.name, y.effective_from, y.id"
	    "  FROM youyun.cost y JOIN youyun.model x ON x.id = y.model_id"
	    "  JOIN youyun.channel z ON z.id = y.channel_id"
	    "  WHERE y.id = $3))"
	    " ORDER BY h.name, m.name, p.effective_from, p.id LIMIT $4", p, 4,
	    take, &pass);
}

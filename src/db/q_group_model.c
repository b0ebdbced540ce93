#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct group_model_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct group_model_row row = {
		.group_id = db_get_int(r, 0, 0),
		.group = db_get_text(r, 0, 1),
		.model = db_get_text(r, 0, 2),
		.multiplier_ppm = db_get_int(r, 0, 3),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_group_model_set(struct db *db, const char *group, const char *model,
    uint32_t multiplier_ppm)
{
	struct db_param p[] = { db_text(group), db_text(model),
		db_int(multiplier_ppm) };
	int64_t id;

	return db_fetch_int(db,
	    "INSERT INTO youyun.group_model AS o"
	    " (group_id, model_id, multiplier_ppm)"
	    " SELECT g.id, m.id, $3 FROM youyun.customer_group g,"
	    " youyun.model m WHERE g.name = $1 AND m.name = $2"
	    " ON CONFLICT (group_id, model_id) DO UPDATE"
	    " SET multiplier_ppm = excluded.multiplier_ppm RETURNING o.id",
	    p, 3, &id);
}

enum db_result
q_group_model_remove(struct db *db, const char *group, const char *model)
{
	struct db_param p[] = { db_text(group), db_text(model) };

	return db_change(db,
	    "DELETE FROM youyun.group_model o USING youyun.customer_group g,"
	    " youyun.model m WHERE g.id = o.group_id AND m.id = o.model_id"
	    " AND g.name = $1 AND m.name = $2 RETURNING o.id", p, 2);
}

enum db_result
q_group_model_each(struct db *db, const char *group,
    bool (*each)(const struct group_model_row *, void *), void *arg)
{
	struct db_param p = db_text(group);
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT g.id, g.name, m.name, o.multiplier_ppm"
	    " FROM youyun.group_model o"
	    " JOIN youyun.customer_group g ON g.id = o.group_id"
	    " JOIN youyun.model m ON m.id = o.model_id"
	    " WHERE $1::text IS NULL OR g.name = $1"
	    " ORDER BY g.name, m.name", &p, 1, take, &pass);
}

enum db_result
q_multiplier(struct db *db, const char *group, const char *model,
    int64_t *multiplier_ppm_r)
{
	struct db_param p[] = { db_text(group), db_text(model) };

	return db_fetch_int(db,
	    "SELECT coalesce((SELECT o.multiplier_ppm::bigint"
	    "  FROM youyun.group_model o"
	    "  JOIN youyun.model m ON m.id = o.model_id"
	    "  WHERE o.group_id = g.id AND (m.name = $2"
	    "   OR (right(m.name, 1) = '*'"
	    "   AND starts_with($2, left(m.name, -1))))"
	    "  ORDER BY (m.name = $2) DESC, length(m.name) DESC LIMIT 1),"
	    " g.multiplier_ppm) FROM youyun.customer_group g"
	    " WHERE g.name = $1", p, 2, multiplier_ppm_r);
}

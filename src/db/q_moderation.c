#include "db/fetch.h"
#include "db/queries_bounds.h"

/* A name that there isn't is not "all". */
#define OF_GROUP "CASE WHEN $1::text IS NULL THEN group_id IS NULL" \
	" ELSE group_id = (SELECT g.id FROM youyun.customer_group g" \
	"  WHERE g.name = $1) END"

enum db_result
q_moderation_set(struct db *db, const struct moderation_row *row,
    int64_t channel_id)
{
	struct db_param p[] = { db_text(row->group), db_int(channel_id),
		db_text(row->model), db_int(row->action), db_int(row->closed),
		db_int(row->timeout_ms) };
	enum db_result result;

	result = db_change(db, "UPDATE youyun.moderation SET"
	    " channel_id = CASE WHEN $2 = 0 THEN channel_id ELSE $2 END,"
	    " model = coalesce($3, model),"
	    " action = CASE WHEN $4 < 0 THEN action ELSE $4 END,"
	    " closed = CASE WHEN $5 < 0 THEN closed ELSE $5 > 0 END,"
	    " timeout_ms = CASE WHEN $6 < 0 THEN timeout_ms ELSE $6 END"
	    " WHERE " OF_GROUP " RETURNING id", p, 6);
	if (result != DB_NONE || channel_id == 0 || row->model == NULL)
		return result;
	return db_change(db, "INSERT INTO youyun.moderation (group_id,"
	    " channel_id, model, action, closed, timeout_ms)"
	    " SELECT (SELECT g.id FROM youyun.customer_group g"
	    "  WHERE g.name = $1), $2, $3, greatest($4, 0), $5 > 0,"
	    " CASE WHEN $6 < 0 THEN 2000 ELSE $6 END"
	    " WHERE $1::text IS NULL OR EXISTS (SELECT"
	    "  FROM youyun.customer_group g WHERE g.name = $1)"
	    " RETURNING id", p, 6);
}

enum db_result
q_moderation_remove(struct db *db, const char *group)
{
	struct db_param p = db_text(group);

	return db_change(db, "DELETE FROM youyun.moderation"
	    " WHERE " OF_GROUP " RETURNING id", &p, 1);
}

struct pass {
	bool (*each)(const struct moderation_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct moderation_row row = {
		.group = db_get_text(r, 0, 0),
		.channel = db_get_text(r, 0, 1),
		.model = db_get_text(r, 0, 2),
		.action = db_get_int(r, 0, 3),
		.closed = db_get_bool(r, 0, 4),
		.timeout_ms = db_get_int(r, 0, 5),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_moderation_each(struct db *db,
    bool (*each)(const struct moderation_row *, void *), void *arg)
{
	struct pass pass = { each, arg };

	return db_query_each(db, "SELECT coalesce(g.name, ''), c.name, m.model,"
	    " m.action, m.closed, m.timeout_ms FROM youyun.moderation m"
	    " JOIN youyun.channel c ON c.id = m.channel_id"
	    " LEFT JOIN youyun.customer_group g ON g.id = m.group_id"
	    " ORDER BY g.name NULLS FIRST", NULL, 0, take, &pass);
}

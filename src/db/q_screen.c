#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_bounds.h"

enum db_result
q_screen_set(struct db *db, const char *name, int64_t action, int64_t answers,
    int64_t status, int64_t *id_r)
{
	struct db_param p[] = { db_text(name), db_int(action),
		db_int(answers), db_int(status) };

	return db_fetch_int(db,
	    "INSERT INTO youyun.screen_list AS l (name, action, answers,"
	    "  status) VALUES ($1, greatest($2, 0), $3 > 0, greatest($4, 0))"
	    " ON CONFLICT (name) DO UPDATE SET"
	    "  action = CASE WHEN $2 < 0 THEN l.action ELSE $2 END,"
	    "  answers = CASE WHEN $3 < 0 THEN l.answers ELSE $3 > 0 END,"
	    "  status = CASE WHEN $4 < 0 THEN l.status ELSE $4 END,"
	    "  edition = nextval('youyun.screen_edition')"
	    " RETURNING l.id", p, 4, id_r);
}

enum db_result
q_screen_groups_set(struct db *db, int64_t id, const char *const *groups,
    size_t n)
{
	static const struct db_group_sql sql = DB_GROUP_SQL("screen_group",
	    "list_id");

	return db_groups_set(db, &sql, id, groups, n);
}

enum db_result
q_screen_entries_set(struct db *db, const char *name, const int64_t *kinds,
    const char *const *texts, size_t n)
{
	struct db_param p[] = { db_int(0), db_int_array(kinds, n),
		db_text_array(texts, n) };
	struct db_param who = db_text(name);
	enum db_result result;
	int64_t id;

	result = db_fetch_int(db, "UPDATE youyun.screen_list SET"
	    " edition = nextval('youyun.screen_edition') WHERE name = $1"
	    " RETURNING id", &who, 1, &id);
	if (result != DB_OK)
		return result;
	p[0] = db_int(id);
	result = db_query(db, "DELETE FROM youyun.screen_entry"
	    " WHERE list_id = $1", p, 1, NULL);
	if (result != DB_OK)
		return result;
	return db_query(db, "INSERT INTO youyun.screen_entry (list_id, kind,"
	    " text) SELECT $1, e.kind, e.text"
	    " FROM unnest($2::bigint[], $3::text[]) e (kind, text)"
	    " ON CONFLICT DO NOTHING", p, 3, NULL);
}

struct pass {
	bool (*each)(const struct screen_row *, void *);
	bool (*each_entry)(const struct screen_entry_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct screen_row row = {
		.id = db_get_int(r, 0, 0),
		.name = db_get_text(r, 0, 1),
		.action = db_get_int(r, 0, 2),
		.answers = db_get_bool(r, 0, 3),
		.status = db_get_int(r, 0, 4),
		.groups = db_get_text(r, 0, 5),
		.entries = db_get_int(r, 0, 6),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_screen_each(struct db *db, bool (*each)(const struct screen_row *, void *),
    void *arg)
{
	struct pass pass = { each, NULL, arg };

	return db_query_each(db,
	    "SELECT l.id, l.name, l.action, l.answers, l.status,"
	    " (SELECT coalesce(string_agg(g.name, ',' ORDER BY g.name), '')"
	    "  FROM youyun.screen_group x JOIN youyun.customer_group g"
	    "  ON g.id = x.group_id WHERE x.list_id = l.id),"
	    " (SELECT count(*) FROM youyun.screen_entry e"
	    "  WHERE e.list_id = l.id)"
	    " FROM youyun.screen_list l ORDER BY l.status, l.name",
	    NULL, 0, take, &pass);
}

static bool
take_entry(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct screen_entry_row row = {
		.list_id = db_get_int(r, 0, 0),
		.kind = db_get_int(r, 0, 1),
		.text = db_get_text(r, 0, 2),
	};

	return pass->each_entry(&row, pass->arg);
}

enum db_result
q_screen_entry_each(struct db *db, const char *name,
    bool (*each)(const struct screen_entry_row *, void *), void *arg)
{
	struct pass pass = { NULL, each, arg };
	struct db_param p = db_text(name);

	return db_query_each(db,
	    "SELECT e.list_id, e.kind, e.text FROM youyun.screen_entry e"
	    " JOIN youyun.screen_list l ON l.id = e.list_id"
	    " WHERE CASE WHEN $1 IS NULL THEN l.status = 0"
	    "  ELSE l.name = $1 END ORDER BY l.id, e.kind, e.text",
	    &p, 1, take_entry, &pass);
}

#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_agreement.h"

enum db_result
q_subprocessor_add(struct db *db, const struct subprocessor *s,
    int64_t notice_days, int64_t *id_r, int64_t *valid_from_us_r,
    int64_t *told_r)
{
	struct db_param p[] = { db_text(s->name), db_text(s->entity),
		db_text(s->purpose), db_text_array(s->regions, s->n_regions),
		db_text(s->country), db_int(notice_days) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT id, valid_from, told"
	    " FROM youyun.subprocessor_add($1, $2, $3, $4, $5, $6)", p, 6,
	    &rows);
	if (result != DB_OK)
		return result;
	*id_r = db_get_int(rows, 0, 0);
	*valid_from_us_r = db_get_time(rows, 0, 1);
	*told_r = db_get_int(rows, 0, 2);
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
q_subprocessor_end(struct db *db, const char *name)
{
	struct db_param p = db_text(name);

	return db_query(db, "SELECT youyun.subprocessor_end($1)", &p, 1, NULL);
}

enum db_result
q_subprocessor_list(struct db *db, struct db_rows **rows_r)
{
	return db_query(db, "SELECT id, name, entity, purpose,"
	    " array_to_string(regions, ','), country,"
	    " CASE WHEN ended <= now() THEN 'ended'"
	    "  WHEN valid_from > now() THEN 'announced' ELSE 'active' END,"
	    " announced, valid_from, ended,"
	    " (SELECT string_agg(c.name, ',' ORDER BY c.name)"
	    "  FROM youyun.channel c WHERE c.subprocessor_id = s.id)"
	    " FROM youyun.subprocessor s ORDER BY name", NULL, 0, rows_r);
}

enum db_result
q_channel_subprocessor_set(struct db *db, int64_t channel_id,
    const char *name)
{
	struct db_param p[] = { db_int(channel_id), db_text(name) };

	if (name == NULL)
		return db_change(db, "UPDATE youyun.channel"
		    " SET subprocessor_id = NULL WHERE id = $1 RETURNING id",
		    p, 1);
	return db_change(db, "UPDATE youyun.channel c"
	    " SET subprocessor_id = s.id FROM youyun.subprocessor s"
	    " WHERE c.id = $1 AND s.name = $2 RETURNING c.id", p, 2);
}

#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_agreement.h"

enum db_result
q_incident_put(struct db *db, const struct incident *i, int64_t *id_r)
{
	struct db_param p[] = { db_int(i->id), db_text(i->kind),
		db_time_or_null(i->since_us), db_time_or_null(i->until_us),
		db_text(i->what), db_text(i->impact), db_text(i->taken),
		db_text(i->planned), db_text(i->recommended),
		db_bool(i->close) };

	return db_fetch_int(db, "SELECT youyun.incident_put($1, $2, $3, $4,"
	    " $5, $6, $7, $8, $9, $10)", p, 10, id_r);
}

enum db_result
q_incident_scope(struct db *db, int64_t id, const struct incident_scope *s,
    int64_t *affected_r)
{
	struct db_param p[] = { db_int(id), db_int_array(s->keys, s->n_keys),
		db_int_array(s->channels, s->n_channels),
		db_int_array(s->customers, s->n_customers),
		db_bool(s->by_calls) };

	return db_fetch_int(db,
	    "SELECT youyun.incident_scope($1, $2, $3, $4, $5)", p, 5,
	    affected_r);
}

enum db_result
q_incident_notify(struct db *db, int64_t id, bool again, int64_t *told_r)
{
	struct db_param p[] = { db_int(id), db_bool(again) };

	return db_fetch_int(db, "SELECT youyun.incident_notify($1, $2)", p, 2,
	    told_r);
}

enum db_result
q_incident_list(struct db *db, int64_t id, bool open_only, int64_t after,
    int64_t limit, struct db_rows **rows_r)
{
	struct db_param p[] = { db_int(id), db_bool(open_only),
		db_int(after), db_int_or_null(limit) };

	return db_query(db, "SELECT i.id, i.kind, CASE WHEN i.closed IS NULL"
	    "  THEN 'open' ELSE 'closed' END, i.opened, i.opened_by, i.since,"
	    " i.until, i.closed, a.affected, a.calls, t.told, t.first, t.last,"
	    " t.mailed, t.given_up, i.what, i.impact, i.taken, i.planned,"
	    " i.recommended, i.scope::text"
	    " FROM (SELECT * FROM youyun.incident WHERE id > $3"
	    "  AND ($1 = 0 OR id = $1) AND (NOT $2 OR closed IS NULL)"
	    "  ORDER BY id LIMIT $4) i CROSS JOIN LATERAL (SELECT"
	    "  count(*) AS affected, coalesce(sum(x.calls), 0)::bigint AS calls"
	    "  FROM youyun.incident_customer x WHERE x.incident_id = i.id) a"
	    " CROSS JOIN LATERAL (SELECT count(DISTINCT x.customer_id) AS told,"
	    "  min(x.at) AS first, max(x.at) AS last,"
	    "  count(*) FILTER (WHERE n.mail_state = 2) AS mailed,"
	    "  count(*) FILTER (WHERE n.mail_state = 3) AS given_up"
	    "  FROM youyun.incident_notice x JOIN youyun.notice n"
	    "  ON n.id = x.notice_id WHERE x.incident_id = i.id) t"
	    " ORDER BY i.id", p, 4, rows_r);
}

enum db_result
q_incident_deliveries(struct db *db, int64_t id, struct db_rows **rows_r)
{
	struct db_param p = db_int(id);

	return db_query(db, "SELECT c.id, c.name, a.calls, t.at, t.actor,"
	    " (ARRAY['none', 'waiting', 'sent', 'given up'])"
	    "  [n.mail_state + 1], n.mail_at"
	    " FROM youyun.incident_customer a"
	    " JOIN youyun.customer c ON c.id = a.customer_id"
	    " LEFT JOIN youyun.incident_notice t"
	    "  ON t.incident_id = a.incident_id"
	    "  AND t.customer_id = a.customer_id"
	    " LEFT JOIN youyun.notice n ON n.id = t.notice_id"
	    " WHERE a.incident_id = $1 ORDER BY c.id, t.notice_id", &p, 1,
	    rows_r);
}

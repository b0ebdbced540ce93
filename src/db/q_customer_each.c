#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct customer_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct customer_row row = {
		.id = db_get_int(r, 0, 0),
		.name = db_get_text(r, 0, 1),
		.status = db_get_int(r, 0, 2),
		.group_id = db_get_int(r, 0, 3),
		.group = db_get_text(r, 0, 4),
		.multiplier_ppm = db_get_int(r, 0, 5),
		.contact = db_get_text(r, 0, 6),
		.note = db_get_text(r, 0, 7),
		.created_us = db_get_time(r, 0, 8),
		.granted_nano = db_get_int(r, 0, 9),
		.spent_nano = db_get_int(r, 0, 10),
		.keys = db_get_int(r, 0, 11),
		.promotional_nano = db_get_int(r, 0, 12),
		.expiring_nano = db_get_int(r, 0, 13),
		.expires_us = db_get_time(r, 0, 14),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_customer_each(struct db *db, int64_t id,
    bool (*each)(const struct customer_row *, void *), void *arg)
{
	struct db_param p = db_int(id);
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT c.id, c.name, c.status, c.group_id, g.name,"
	    " g.multiplier_ppm, c.contact, c.note, c.created,"
	    " coalesce(l.granted_nano, 0), coalesce(l.spent_nano, 0),"
	    " coalesce(k.keys, 0), coalesce(q.promotional, 0),"
	    " (SELECT sum(p.left_nano)::bigint FROM youyun.pot p WHERE"
	    "  p.customer_id = c.id AND p.expires_at = q.next), q.next"
	    " FROM youyun.customer c"
	    " JOIN youyun.customer_group g ON g.id = c.group_id"
	    " LEFT JOIN youyun.customer_money l ON l.customer_id = c.id"
	    " LEFT JOIN (SELECT customer_id, count(*) keys FROM youyun.api_key"
	    "  WHERE status = 0 AND (expires_at IS NULL OR expires_at > now())"
	    "  GROUP BY customer_id) k ON k.customer_id = c.id"
	    " LEFT JOIN (SELECT customer_id, sum(left_nano)"
	    "  FILTER (WHERE NOT paid)::bigint promotional, min(expires_at)"
	    "  FILTER (WHERE left_nano > 0 AND expires_at < 'infinity') next"
	    "  FROM youyun.pot GROUP BY customer_id) q"
	    "  ON q.customer_id = c.id"
	    " WHERE $1 = 0 OR c.id = $1"
	    " ORDER BY c.status, c.name", &p, 1, take, &pass);
}

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

/* What is summed up is summed up for the page's customers only. */
#define CUSTOMERS(which) \
	"SELECT c.id, c.name, c.status, c.group_id, g.name," \
	" g.multiplier_ppm, c.contact, c.note, c.created," \
	" coalesce(l.granted_nano, 0), coalesce(l.spent_nano, 0), k.keys," \
	" coalesce(q.promotional, 0)," \
	" (SELECT sum(p.left_nano)::bigint FROM youyun.pot p WHERE" \
	"  p.customer_id = c.id AND p.expires_at = q.next), q.next" \
	" FROM (" which ") c" \
	" JOIN youyun.customer_group g ON g.id = c.group_id" \
	" LEFT JOIN LATERAL (SELECT m.granted_nano, m.spent_nano" \
	"  FROM youyun.customer_money m WHERE m.customer_id = c.id LIMIT 1) l" \
	"  ON true" \
	" CROSS JOIN LATERAL (SELECT count(*) AS keys FROM youyun.api_key a" \
	"  WHERE a.customer_id = c.id AND a.status = 0" \
	"  AND (a.expires_at IS NULL OR a.expires_at > now())) k" \
	" CROSS JOIN LATERAL (SELECT sum(p.left_nano)" \
	"  FILTER (WHERE NOT p.paid)::bigint AS promotional," \
	"  min(p.expires_at) FILTER (WHERE p.left_nano > 0" \
	"  AND p.expires_at < 'infinity') AS next" \
	"  FROM youyun.pot p WHERE p.customer_id = c.id) q" \
	" ORDER BY c.status, c.name"

enum db_result
q_customer_one(struct db *db, int64_t id,
    bool (*each)(const struct customer_row *, void *), void *arg)
{
	struct db_param p = db_int(id);
	struct pass pass = { each, arg };

	return db_query_each(db, CUSTOMERS("SELECT * FROM youyun.customer"
	    " WHERE id = $1"), &p, 1, take,
	    &pass);
}

#define SOME(behind, order) \
	"SELECT * FROM youyun.customer WHERE ($1 = -1 OR status = $1)" \
	" AND " behind " " order

enum db_result
q_customer_list(struct db *db, const struct customer_filter *f,
    bool (*each)(const struct customer_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(f->status), db_int_or_null(f->limit),
		db_int(f->after_status), db_text(f->after_name) };
	struct pass pass = { each, arg };

	if (f->after_name == NULL)
		return db_query_each(db, CUSTOMERS(SOME("true",
		    "ORDER BY status, name LIMIT $2")), p, 2, take, &pass);
	/* By (status, name) > (..) the planner would expect but those of
	 * other states. */
	return db_query_each(db, CUSTOMERS("(" SOME("status = $3 AND"
	    " name > $4", "ORDER BY name LIMIT $2") ") UNION ALL ("
	    SOME("status > $3", "ORDER BY status, name LIMIT $2") ")"
	    " ORDER BY status, name LIMIT $2"), p, 4, take, &pass);
}

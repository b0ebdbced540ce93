#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_support.h"

struct pass {
	bool (*each)(const struct event_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct event_row row = {
		.id = db_get_int(r, 0, 0),
		.at_us = db_get_time(r, 0, 1),
		.kind = db_get_text(r, 0, 2),
		.severity = db_get_int(r, 0, 3),
		.customer_id = db_get_int(r, 0, 4),
		.customer = db_get_text(r, 0, 5),
		.key_id = db_get_int(r, 0, 6),
		.address = db_get_text(r, 0, 7),
		.detail = db_get_text(r, 0, 8),
	};

	return pass->each(&row, pass->arg);
}

#define EVENTS \
	"SELECT e.id, e.at, e.kind, k.severity, e.customer_id," \
	" (SELECT name FROM youyun.customer WHERE id = e.customer_id)," \
	" e.key_id, host(e.address), e.detail::text" \
	" FROM youyun.security_event e JOIN youyun.event_kind k" \
	"  ON k.name = e.kind" \
	" WHERE e.id > $5 AND ($4 = 0 OR e.id < $4)" \
	" AND ($1::text IS NULL OR e.kind = $1)" \
	" AND ($3::timestamptz IS NULL OR (e.at >= $3 AND e.id >" \
	"  (SELECT x.id FROM youyun.security_event x WHERE x.at >= $3" \
	"  ORDER BY x.at, x.id LIMIT 1) - " DB_LATE "))"

enum db_result
q_event_each(struct db *db, const struct event_filter *f, bool oldest_first,
    bool (*each)(const struct event_row *, void *), void *arg)
{
	struct db_param p[] = { db_text(f->kind), db_int(f->customer_id),
		db_time_or_null(f->since_us), db_int(f->before),
		db_int(f->after), db_int_or_null(f->limit) };
	struct pass pass = { each, arg };

	/* A customer's events have an index of their own. */
	if (oldest_first)
		return db_query_each(db, EVENTS
		    " AND ($2 = 0 OR e.customer_id = $2)"
		    " ORDER BY e.id LIMIT $6", p, 6, take, &pass);
	return db_query_each(db, f->customer_id == 0 ?
	    EVENTS " AND $2 = 0 ORDER BY e.id DESC LIMIT $6" :
	    EVENTS " AND e.customer_id = $2 ORDER BY e.id DESC LIMIT $6", p,
	    6, take, &pass);
}

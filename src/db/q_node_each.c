#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct node_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct node_row row = {
		.id = db_get_int(r, 0, 0),
		.name = db_get_text(r, 0, 1),
		.state = db_get_text(r, 0, 2),
		.epoch = db_get_int(r, 0, 3),
		.unspent_nano = db_get_int(r, 0, 4),
		.beat_us = db_get_time(r, 0, 5),
		.fenced_us = db_get_time(r, 0, 6),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_node_each(struct db *db, bool (*each)(const struct node_row *, void *),
    void *arg)
{
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT n.id::bigint, n.name, CASE"
	    "  WHEN s.fenced IS NOT NULL THEN 'fenced'"
	    "  WHEN s.incarnation IS NULL THEN 'stopped'"
	    "  WHEN youyun.node_is_up(s) THEN 'up' ELSE 'gone' END,"
	    " s.epoch, coalesce(l.unspent, 0)::bigint, s.beat, s.fenced"
	    " FROM youyun.node n JOIN youyun.node_state s ON s.node_id = n.id"
	    " LEFT JOIN (SELECT node_id, sum(granted_nano - spent_nano) unspent"
	    "  FROM youyun.lease GROUP BY 1) l ON l.node_id = n.id"
	    " ORDER BY n.id", NULL, 0, take, &pass);
}

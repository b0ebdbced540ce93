#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct mark_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct mark_row row = {
		.node_id = db_get_int(r, 0, 0),
		.journal_id = (uint64_t)db_get_int(r, 0, 1),
		.seq = db_get_int(r, 0, 2),
		.changed_us = db_get_time(r, 0, 3),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_mark_each(struct db *db, bool (*each)(const struct mark_row *, void *),
    void *arg)
{
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT node_id, journal_id, seq, changed FROM youyun.journal_mark"
	    " ORDER BY node_id, changed", NULL, 0, take, &pass);
}

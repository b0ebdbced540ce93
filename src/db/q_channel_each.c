#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct channel_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct channel_row row = {
		.id = db_get_int(r, 0, 0),
		.slot = db_get_int(r, 0, 1),
		.name = db_get_text(r, 0, 2),
		.protocol = db_get_int(r, 0, 3),
		.host = db_get_text(r, 0, 4),
		.port = db_get_int(r, 0, 5),
		.tls = db_get_bool(r, 0, 6),
		.base_path = db_get_text(r, 0, 7),
		.ca = db_get_text(r, 0, 9),
		.priority = db_get_int(r, 0, 10),
		.weight = db_get_int(r, 0, 11),
		.status = db_get_int(r, 0, 12),
		.created_us = db_get_time(r, 0, 13),
	};

	row.credential = db_get_bytes(r, 0, 8, &row.credential_bytes);
	return pass->each(&row, pass->arg);
}

enum db_result
q_channel_each(struct db *db, int64_t id,
    bool (*each)(const struct channel_row *, void *), void *arg)
{
	struct db_param p = db_int(id);
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT id, slot, name, protocol, host, port, tls, base_path,"
	    " credential, ca, priority, weight, status, created"
	    " FROM youyun.channel WHERE $1 = 0 OR id = $1"
	    " ORDER BY priority, name", &p, 1, take, &pass);
}

#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct channel_model_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct channel_model_row row = {
		.channel_id = db_get_int(r, 0, 0),
		.channel = db_get_text(r, 0, 1),
		.model_id = db_get_int(r, 0, 2),
		.model = db_get_text(r, 0, 3),
		.upstream_name = db_get_text(r, 0, 4),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_channel_model_each(struct db *db, int64_t channel_id,
    bool (*each)(const struct channel_model_row *, void *), void *arg)
{
	struct db_param p = db_int(channel_id);
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT x.channel_id, c.name, x.model_id, m.name, x.upstream_name"
	    " FROM youyun.channel_model x"
	    " JOIN youyun.channel c ON c.id = x.channel_id"
	    " JOIN youyun.model m ON m.id = x.model_id"
	    " WHERE $1 = 0 OR x.channel_id = $1"
	    " ORDER BY c.priority, c.name, m.name", &p, 1, take, &pass);
}

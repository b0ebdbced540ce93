#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct channel_credential_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct channel_credential_row row = {
		.id = db_get_int(r, 0, 0),
		.channel_id = db_get_int(r, 0, 1),
		.slot = db_get_int(r, 0, 2),
		.name = db_get_text(r, 0, 3),
		.status = db_get_int(r, 0, 5),
		.edition = db_get_int(r, 0, 6),
		.created_us = db_get_time(r, 0, 7),
	};

	row.sealed = db_get_bytes(r, 0, 4, &row.sealed_bytes);
	return pass->each(&row, pass->arg);
}

enum db_result
q_channel_credential_each(struct db *db, int64_t channel_id,
    bool (*each)(const struct channel_credential_row *, void *), void *arg)
{
	struct db_param p = db_int(channel_id);
	struct pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT id, channel_id, slot, name, credential, status, edition,"
	    " created FROM youyun.channel_credential"
	    " WHERE $1 = 0 OR channel_id = $1 ORDER BY channel_id, slot", &p,
	    1, take, &pass);
}

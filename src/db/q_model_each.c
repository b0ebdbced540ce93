#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct model_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct model_row row = {
		.id = db_get_int(r, 0, 0),
		.name = db_get_text(r, 0, 1),
		.max_output_tokens = db_get_int(r, 0, 2),
		.created_us = db_get_time(r, 0, 3),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_model_each(struct db *db, bool (*each)(const struct model_row *, void *),
    void *arg)
{
	struct pass pass = { each, arg };

	return db_query_each(db, "SELECT id, name, max_output_tokens, created"
	    " FROM youyun.model ORDER BY id", NULL, 0, take, &pass);
}

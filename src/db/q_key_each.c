#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct key_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct key_row row = {
		.id = db_get_int(r, 0, 0),
		.customer_id = db_get_int(r, 0, 1),
		.customer = db_get_text(r, 0, 2),
		.name = db_get_text(r, 0, 3),
		.hint = db_get_text(r, 0, 4),
		.status = db_get_int(r, 0, 5),
		.expires_us = db_get_time(r, 0, 6),
		.created_us = db_get_time(r, 0, 7),
		.revoked_us = db_get_time(r, 0, 8),
		.scope = db_get_int(r, 0, 9),
	};

	return pass->each(&row, pass->arg);
}

#define KEYS \
	"SELECT k.id, k.customer_id, c.name, k.name, k.hint, k.status," \
	" k.expires_at, k.created, k.revoked, k.scope FROM youyun.api_key k" \
	" JOIN youyun.customer c ON c.id = k.customer_id"

enum db_result
q_key_list(struct db *db, int64_t customer_id, int64_t after, int64_t limit,
    bool (*each)(const struct key_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(customer_id), db_int(after),
		db_int(limit) };
	struct pass pass = { each, arg };

	return db_query_each(db, KEYS " WHERE ($1 = 0 OR k.customer_id = $1)"
	    " AND k.id > $2 ORDER BY k.id LIMIT $3", p, 3, take, &pass);
}

enum db_result
q_key_find(struct db *db, int64_t id, const char *hint,
    bool (*each)(const struct key_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(id), db_text(hint) };
	struct pass pass = { each, arg };

	if (id != 0)
		return db_query_each(db, KEYS " WHERE k.id = $1", p, 1, take,
		    &pass);
	return db_query_each(db, KEYS " WHERE k.hint = $1 ORDER BY k.id"
	    " LIMIT 2", &p[1], 1, take, &pass);
}

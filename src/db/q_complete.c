#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const char *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;

	return pass->each(db_get_text(r, 0, 0), pass->arg);
}

/* The operator ^@ finds its range in the index of names. */
#define NAMES(table) \
	"SELECT name FROM youyun." table " WHERE name ^@ $1" \
	" ORDER BY name LIMIT $2"

enum db_result
q_complete(struct db *db, enum complete_what what, const char *prefix,
    int64_t limit, bool (*each)(const char *, void *), void *arg)
{
	static const char *const sql[] = {
		[COMPLETE_CUSTOMER] = NAMES("customer"),
		[COMPLETE_GROUP] = NAMES("customer_group"),
		[COMPLETE_CHANNEL] = NAMES("channel"),
		[COMPLETE_MODEL] = NAMES("model"),
		[COMPLETE_PACKAGE] = NAMES("credit_package"),
		[COMPLETE_NODE] = NAMES("node")
	};
	struct db_param p[] = { db_text(prefix), db_int(limit) };
	struct pass pass = { each, arg };

	return db_query_each(db, sql[what], p, 2, take, &pass);
}

struct name_pass {
	bool (*each)(int64_t, const char *, void *);
	void *arg;
};

static bool
take_name(const struct db_rows *r, void *arg)
{
	const struct name_pass *pass = arg;

	return pass->each(db_get_int(r, 0, 0), db_get_text(r, 0, 1),
	    pass->arg);
}

enum db_result
q_name_each(struct db *db, enum complete_what what, const int64_t *ids,
    size_t n, bool (*each)(int64_t, const char *, void *), void *arg)
{
	struct db_param p = db_int_array(ids, n);
	struct name_pass pass = { each, arg };

	return db_query_each(db, what == COMPLETE_CUSTOMER ?
	    "SELECT id, name FROM youyun.customer WHERE id = ANY ($1)" :
	    "SELECT id, name FROM youyun.channel WHERE id = ANY ($1)", &p, 1,
	    take_name, &pass);
}

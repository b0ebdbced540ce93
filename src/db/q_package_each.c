#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct package_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct package_row row = {
		.id = db_get_int(r, 0, 0),
		.name = db_get_text(r, 0, 1),
		.amount_nano = db_get_int(r, 0, 2),
		.bonus_nano = db_get_int(r, 0, 3),
		.price_minor = db_get_int(r, 0, 4),
		.currency = db_get_text(r, 0, 5),
		.validity_days = db_get_int(r, 0, 6),
		.active = db_get_bool(r, 0, 7),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_package_each(struct db *db, const char *name,
    bool (*each)(const struct package_row *, void *), void *arg)
{
	struct db_param p = db_text(name);
	struct pass pass = { each, arg };

	return db_query_each(db, "SELECT id, name, amount_nano, bonus_nano,"
	    " price_minor, currency, validity_days, active"
	    " FROM youyun.credit_package WHERE $1 IS NULL OR name = $1"
	    " ORDER BY active DESC, name", &p, 1, take, &pass);
}

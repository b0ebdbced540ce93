#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_package_add(struct db *db, const struct package_row *k, int64_t *id_r)
{
	struct db_param p[] = { db_text(k->name), db_int(k->amount_nano),
		db_int(k->bonus_nano), db_int(k->price_minor),
		db_text(k->currency), db_int_or_null(k->validity_days) };

	return db_fetch_int(db,
	    "INSERT INTO youyun.credit_package (name, amount_nano, bonus_nano,"
	    " price_minor, currency, validity_days)"
	    " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id", p, 6, id_r);
}

enum db_result
q_package_set(struct db *db, const struct package_row *k)
{
	struct db_param p[] = { db_text(k->name), db_int(k->amount_nano),
		db_int(k->bonus_nano), db_int(k->price_minor),
		db_text(k->currency), db_int_or_null(k->validity_days),
		db_bool(k->active) };

	return db_change(db, "UPDATE youyun.credit_package SET"
	    " amount_nano = $2, bonus_nano = $3, price_minor = $4,"
	    " currency = $5, validity_days = $6, active = $7"
	    " WHERE name = $1 RETURNING id", p, 7);
}

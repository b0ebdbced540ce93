#include <stdio.h>

#include "db/fetch.h"
#include "db/price_columns.h"
#include "db/queries.h"

#define FIXED_MAX 4
#define SQL_BYTES 4096

/* insert: the statement up to the values, of which the first `fixed` are in p
 * and the rest is the price. */
static enum db_result
add(struct db *db, const char *insert, struct db_param *p, int fixed,
    const struct price *price, int64_t *version_r)
{
	int64_t images[PRICE_IMAGES * DB_PRICE_IMAGE_MEMBERS];
	char sql[SQL_BYTES];
	size_t len;

	db_put_price(price, p + fixed, images);
	len = (size_t)snprintf(sql, sizeof(sql), "%s", insert);
	for (int i = 1; i <= DB_PRICE_INSERT_COUNT; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, ", $%d",
		    fixed + i);
	snprintf(sql + len, sizeof(sql) - len, ") RETURNING id");
	return db_fetch_int(db, sql, p,
	    (size_t)fixed + DB_PRICE_INSERT_COUNT, version_r);
}

enum db_result
q_price_add(struct db *db, int64_t model_id, int64_t effective_us,
    const struct price *price, const char *actor, int64_t *version_r)
{
	struct db_param p[FIXED_MAX + DB_PRICE_INSERT_COUNT] = {
		db_int(model_id), db_time_or_null(effective_us),
		db_text(actor) };

	return add(db, "INSERT INTO youyun.price (model_id, effective_from,"
	    " created_by," DB_PRICE_INSERT_COLUMNS ")"
	    " VALUES ($1, coalesce($2, now()), $3", p, 3, price, version_r);
}

enum db_result
q_cost_add(struct db *db, int64_t channel_id, int64_t model_id,
    int64_t effective_us, const struct price *price, const char *actor,
    int64_t *version_r)
{
	struct db_param p[FIXED_MAX + DB_PRICE_INSERT_COUNT] = {
		db_int(model_id), db_time_or_null(effective_us),
		db_text(actor), db_int(channel_id) };

	return add(db, "INSERT INTO youyun.cost (model_id, effective_from,"
	    " created_by, channel_id," DB_PRICE_INSERT_COLUMNS ")"
	    " VALUES ($1, coalesce($2, now()), $3, $4", p, 4, price,
	    version_r);
}

#include "db/fetch.h"
#include "db/queries.h"

static struct db_param
nano(const struct price *price, enum usage_dim dim)
{
	struct db_param p = db_int(price->nano[dim]);

	p.null = price->nano[dim] < 0;
	return p;
}

enum db_result
q_price_add(struct db *db, int64_t model_id, int64_t effective_us,
    const struct price *price, const char *actor, int64_t *version_r)
{
	struct db_param p[] = { db_int(model_id),
		db_time_or_null(effective_us), nano(price, USAGE_INPUT),
		nano(price, USAGE_OUTPUT), nano(price, USAGE_CACHE_READ),
		nano(price, USAGE_CACHE_WRITE_5M),
		nano(price, USAGE_CACHE_WRITE_1H), db_text(actor) };

	return db_fetch_int(db,
	    "INSERT INTO youyun.price (model_id, effective_from, input_nano,"
	    " output_nano, cache_read_nano, cache_write_5m_nano,"
	    " cache_write_1h_nano, created_by)"
	    " VALUES ($1, coalesce($2, now()), $3, $4, $5, $6, $7, $8)"
	    " RETURNING id", p, 8, version_r);
}

#include "base/clock.h"
#include "db/call_columns.h"
#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct call_row *, void *);
	void *arg;
	int64_t rows;
	bool stopped;
};

#define DAY_US (INT64_C(86400) * 1000000)

static bool
take(const struct db_rows *r, void *arg)
{
	struct pass *pass = arg;
	struct call_row row = {
		.customer = db_get_text(r, 0, CALL_COLUMN_COUNT),
		.model = db_get_text(r, 0, CALL_COLUMN_COUNT + 1),
		.channel = db_get_text(r, 0, CALL_COLUMN_COUNT + 2),
		.key_hint = db_get_text(r, 0, CALL_COLUMN_COUNT + 3),
		.other_model = db_get_text(r, 0, CALL_COLUMN_COUNT + 4),
	};

	call_columns_read(r, 0, &row.record, &row.journal_id,
	    &row.journal_seq, &row.transaction_id);
	pass->rows++;
	pass->stopped = !pass->each(&row, pass->arg);
	return !pass->stopped;
}

/* `started_at` alone is said again for the partitions' sake. */
#define SOME(than, order) \
	"SELECT " CALL_COLUMNS " FROM youyun.call" \
	" WHERE ($1 = 0 OR customer_id = $1)" \
	" AND ($2::timestamptz IS NULL OR started_at >= $2)" \
	" AND ($3::bytea IS NULL OR request_id" \
	"  = encode($3, 'hex')::uuid)" \
	" AND ($5::timestamptz IS NULL OR started_at <= $5)" \
	" AND ($6::timestamptz IS NULL OR (started_at " than "= $6" \
	"  AND (started_at, request_id) " than \
	"  ($6, encode($7, 'hex')::uuid)))" \
	" ORDER BY started_at" order ", request_id" order " LIMIT $4"
#define WITH_NAMES(calls) \
	"SELECT k.*," \
	" (SELECT name FROM youyun.customer WHERE id = k.customer_id)," \
	" (SELECT name FROM youyun.model WHERE id = k.model_id)," \
	" (SELECT name FROM youyun.channel WHERE id = k.channel_id)," \
	" (SELECT hint FROM youyun.api_key WHERE id = k.key_id)," \
	" (SELECT name FROM youyun.model WHERE id = k.other_model_id)" \
	" FROM (" calls ") k"

static enum db_result
read_some(struct db *db, const struct call_filter *filter, struct pass *pass)
{
	struct db_param p[] = { db_int(filter->customer_id),
		db_time_or_null(filter->since_us),
		db_bytes(filter->request_id, RECORD_ID_BYTES),
		db_int_or_null(filter->limit),
		db_time_or_null(filter->until_us),
		db_time_or_null(filter->after_us),
		db_bytes(filter->after_id, RECORD_ID_BYTES) };

	p[2].null = filter->request_id == NULL;
	if (filter->forward)
		return db_query_each(db, WITH_NAMES(SOME(">", ""))
		    " ORDER BY k.started_at, k.request_id", p, 7, take, pass);
	return db_query_each(db, filter->oldest_first ?
	    WITH_NAMES(SOME("<", " DESC"))
	    " ORDER BY k.started_at, k.request_id" :
	    WITH_NAMES(SOME("<", " DESC"))
	    " ORDER BY k.started_at DESC, k.request_id DESC", p, 7, take,
	    pass);
}

/* The latest are most often of the last day.  A statement costs for each
 * partition that it may concern, so it is asked for those first, and for
 * longer when they are not enough. */
enum db_result
q_call_each(struct db *db, const struct call_filter *filter,
    bool (*each)(const struct call_row *, void *), void *arg)
{
	static const int64_t days[] = { 1, 8, 64, 0 };
	struct pass pass = { .each = each, .arg = arg };
	struct call_filter f = *filter;
	int64_t from = f.after_us != 0 ? f.after_us : f.until_us != 0 ?
	    f.until_us : clock_wall().us;
	enum db_result result;

	if (f.limit == 0 || f.forward || f.oldest_first)
		return read_some(db, filter, &pass);
	for (size_t i = 0;; i++) {
		f.since_us = days[i] == 0 ? 0 : from - days[i] * DAY_US;
		if (f.since_us <= filter->since_us)
			f.since_us = filter->since_us;
		result = read_some(db, &f, &pass);
		if (result != DB_OK || pass.stopped ||
		    f.since_us == filter->since_us ||
		    pass.rows >= filter->limit)
			return result;
		f.until_us = f.since_us - 1;
		f.limit = filter->limit - pass.rows;
	}
}

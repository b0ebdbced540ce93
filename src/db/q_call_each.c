#include "db/call_columns.h"
#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct call_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct call_row row = {
		.customer = db_get_text(r, 0, CALL_COLUMN_COUNT),
		.model = db_get_text(r, 0, CALL_COLUMN_COUNT + 1),
		.channel = db_get_text(r, 0, CALL_COLUMN_COUNT + 2),
		.key_hint = db_get_text(r, 0, CALL_COLUMN_COUNT + 3),
		.other_model = db_get_text(r, 0, CALL_COLUMN_COUNT + 4),
	};

	call_columns_read(r, 0, &row.record, &row.journal_id,
	    &row.journal_seq, &row.transaction_id);
	return pass->each(&row, pass->arg);
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

enum db_result
q_call_each(struct db *db, const struct call_filter *filter,
    bool (*each)(const struct call_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(filter->customer_id),
		db_time_or_null(filter->since_us),
		db_bytes(filter->request_id, RECORD_ID_BYTES),
		db_int_or_null(filter->limit),
		db_time_or_null(filter->until_us),
		db_time_or_null(filter->after_us),
		db_bytes(filter->after_id, RECORD_ID_BYTES) };
	struct pass pass = { each, arg };

	p[2].null = filter->request_id == NULL;
	if (filter->forward)
		return db_query_each(db, WITH_NAMES(SOME(">", ""))
		    " ORDER BY k.started_at, k.request_id", p, 7, take, &pass);
	return db_query_each(db, filter->oldest_first ?
	    WITH_NAMES(SOME("<", " DESC"))
	    " ORDER BY k.started_at, k.request_id" :
	    WITH_NAMES(SOME("<", " DESC"))
	    " ORDER BY k.started_at DESC, k.request_id DESC", p, 7, take,
	    &pass);
}

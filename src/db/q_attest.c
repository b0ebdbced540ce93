#include <stdio.h>

#include "db/fetch.h"
#include "db/queries_attest.h"

enum db_result
q_channel_address_set(struct db *db, int64_t id, const char *host,
    int64_t port, const char *ca)
{
	struct db_param p[] = { db_int(id), db_text(host), db_int(port),
		db_text(ca) };

	return db_change(db, "UPDATE youyun.channel SET host = $2, port = $3,"
	    " ca = $4 WHERE id = $1 RETURNING id", p, 4);
}

enum db_result
q_attest_lock(struct db *db)
{
	enum db_result result;
	int64_t taken;

	result = db_fetch_int(db, "SELECT pg_try_advisory_lock("
	    "hashtextextended('youyunctl attest', 0))::int::bigint", NULL, 0,
	    &taken);
	return result == DB_OK && taken == 0 ? DB_CONFLICT : result;
}

enum db_result
q_attest_calls(struct db *db, int64_t customer_id, int64_t since_us,
    int64_t *calls)
{
	struct db_param p[] = { db_int(customer_id), db_time(since_us) };

	return db_fetch_int(db, "SELECT count(*) FROM youyun.call"
	    " WHERE customer_id = $1 AND started_at >= $2", p, 2, calls);
}

enum db_result
q_attest_plant(struct db *db, const char *text, const void *bytes,
    size_t len)
{
	struct db_param p[] = { db_text(text), db_bytes(bytes, len) };
	enum db_result result;

	result = q_attest_unplant(db);
	if (result == DB_OK)
		result = db_query(db, "CREATE TABLE youyun.attest_control"
		    " (planted text NOT NULL, planted_bytes bytea NOT NULL)",
		    NULL, 0, NULL);
	if (result == DB_OK)
		result = db_query(db, "INSERT INTO youyun.attest_control"
		    " (planted, planted_bytes) VALUES ($1, $2)", p, 2, NULL);
	return result;
}

enum db_result
q_attest_unplant(struct db *db)
{
	return db_query(db, "DROP TABLE IF EXISTS youyun.attest_control", NULL,
	    0, NULL);
}

enum db_result
q_checkpoint(struct db *db)
{
	return db_query(db, "CHECKPOINT", NULL, 0, NULL);
}

enum db_result
q_attest_transaction(struct db *db, int64_t *number)
{
	return db_fetch_int(db, "SELECT (pg_current_xact_id()::text::bigint)",
	    NULL, 0, number);
}

struct columns {
	bool (*each)(const struct attest_column_row *, void *);
	void *arg;
};

static bool
each_column(const struct db_rows *rows, void *arg)
{
	const struct columns *c = arg;
	struct attest_column_row row = {
		.table = db_get_text(rows, 0, 0),
		.column = db_get_text(rows, 0, 1),
		.is_bytes = db_get_bool(rows, 0, 2)
	};

	return c->each(&row, c->arg);
}

enum db_result
q_attest_column_each(struct db *db,
    bool (*each)(const struct attest_column_row *, void *), void *arg)
{
	struct columns c = { each, arg };

	/* Partitions by themselves, which are tables, too. */
	return db_query_each(db, "SELECT quote_ident(r.relname),"
	    " quote_ident(a.attname), t.typname = 'bytea'"
	    " FROM pg_class r JOIN pg_namespace s ON s.oid = r.relnamespace"
	    " JOIN pg_attribute a ON a.attrelid = r.oid"
	    " JOIN pg_type t ON t.oid = a.atttypid"
	    " WHERE s.nspname = 'youyun' AND r.relkind IN ('r', 'm')"
	    " AND a.attnum > 0 AND NOT a.attisdropped"
	    " AND (t.typcategory IN ('S', 'A') OR t.typname IN"
	    " ('bytea', 'json', 'jsonb', 'xml'))"
	    " ORDER BY r.relname, a.attnum", NULL, 0, each_column, &c);
}

struct indexes {
	bool (*each)(int64_t, void *);
	void *arg;
};

static bool
each_index(const struct db_rows *rows, void *arg)
{
	const struct indexes *i = arg;

	return i->each(db_get_int(rows, 0, 0), i->arg);
}

enum db_result
q_attest_search(struct db *db, const struct attest_column_row *column,
    int64_t since, const char *const *texts, size_t n,
    bool (*each)(int64_t, void *), void *arg)
{
	struct db_param p[] = { db_text_array(texts, n), db_int(since) };
	struct indexes i = { each, arg };
	char sql[1024];

	/* Names are as quote_ident() made them.  A row's transaction is 32
	 * bits; what was written since is no older than `since`. */
	snprintf(sql, sizeof(sql), "SELECT x.i::bigint - 1 FROM"
	    " (SELECT %s%s%s AS v FROM youyun.%s r WHERE age(r.xmin) <="
	    " age(($2 %% 4294967296)::text::xid)) s,"
	    " unnest($1) WITH ORDINALITY AS x (t, i)"
	    " WHERE position(x.t in s.v) > 0 GROUP BY x.i",
	    column->is_bytes ? "encode(r." : "r.", column->column,
	    column->is_bytes ? ", 'hex')" : "::text", column->table);
	return db_query_each(db, sql, p, 2, each_index, &i);
}

#include "db/fetch.h"
#include "db/queries_secret.h"

struct pass {
	bool (*key)(const struct seal_key_row *, void *);
	bool (*sealed)(const struct sealed_row *, void *);
	void *arg;
};

static bool
take_key(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct seal_key_row row = {
		.id = db_get_int(r, 0, 0),
		.made_us = db_null(r, 0, 1) ? 0 : db_get_time(r, 0, 1),
		.retired_us = db_null(r, 0, 2) ? 0 : db_get_time(r, 0, 2),
		.credentials = db_get_int(r, 0, 3),
		.proxies = db_get_int(r, 0, 4),
		.logins = db_get_int(r, 0, 5),
	};

	return pass->key(&row, pass->arg);
}

enum db_result
q_seal_key_each(struct db *db,
    bool (*each)(const struct seal_key_row *, void *), void *arg)
{
	struct pass pass = { .key = each, .arg = arg };

	return db_query_each(db, "SELECT id, made, retired, credentials,"
	    " proxies, logins FROM youyun.seal_keys()", NULL, 0, take_key,
	    &pass);
}

static bool
take_sealed(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct sealed_row row = {
		.kind = db_get_text(r, 0, 0),
		.id = db_get_int(r, 0, 1),
		.name = db_get_text(r, 0, 2),
	};

	row.sealed = db_get_bytes(r, 0, 3, &row.sealed_bytes);
	return pass->sealed(&row, pass->arg);
}

enum db_result
q_sealed_others(struct db *db, int64_t key,
    bool (*each)(const struct sealed_row *, void *), void *arg)
{
	struct db_param p = db_int(key);
	struct pass pass = { .sealed = each, .arg = arg };

	return db_query_each(db, "SELECT kind, id, name, text"
	    " FROM youyun.seal_others($1::integer)", &p, 1, take_sealed,
	    &pass);
}

enum db_result
q_sealed_put(struct db *db, const struct sealed_row *row)
{
	struct db_param p[] = { db_text(row->kind), db_int(row->id),
		db_bytes(row->sealed, row->sealed_bytes) };
	int64_t rows;
	enum db_result result = db_fetch_int(db,
	    "SELECT youyun.seal_put($1, $2, $3)", p, 3, &rows);

	return result == DB_OK && rows == 0 ? DB_NONE : result;
}

enum db_result
q_seal_use(struct db *db, int64_t key)
{
	struct db_param p = db_int(key);

	return db_query(db, "SELECT youyun.seal_use($1::integer)", &p, 1,
	    NULL);
}

enum db_result
q_seal_retire(struct db *db, int64_t key)
{
	struct db_param p = db_int(key);

	return db_query(db, "SELECT youyun.seal_retire($1::integer)", &p, 1,
	    NULL);
}

enum db_result
q_seal_lock(struct db *db, int64_t *locked_r)
{
	return db_fetch_int(db,
	    "SELECT pg_try_advisory_lock(8245013977120002)::integer::bigint",
	    NULL, 0, locked_r);
}

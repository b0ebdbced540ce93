#include <stdio.h>

#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_topup.h"

enum db_result
q_code_batch_add(struct db *db, const struct code_batch *b, int64_t *id_r)
{
	struct db_param p[] = { db_text(b->name),
		db_int_or_null(b->amount_nano), db_text(b->source),
		db_int_or_null(b->validity_days), db_text(b->package),
		db_time(b->expires_us), db_text_array(b->digests, b->codes),
		db_text_array(b->hints, b->codes) };

	return db_fetch_int(db, "SELECT youyun.code_batch_create($1, $2, $3,"
	    " $4, $5, $6, $7, $8)", p, 8, id_r);
}

struct batch_pass {
	bool (*each)(const struct code_batch_row *, void *);
	void *arg;
};

static bool
take_batch(const struct db_rows *r, void *arg)
{
	const struct batch_pass *pass = arg;
	struct code_batch_row row = {
		.id = db_get_int(r, 0, 0),
		.name = db_get_text(r, 0, 1),
		.amount_nano = db_get_int(r, 0, 2),
		.package = db_get_text(r, 0, 3),
		.source = db_get_text(r, 0, 4),
		.validity_days = db_get_int(r, 0, 5),
		.codes = db_get_int(r, 0, 6),
		.used = db_get_int(r, 0, 7),
		.revoked = db_get_int(r, 0, 8),
		.expires_us = db_get_time(r, 0, 9),
		.created_us = db_get_time(r, 0, 10),
		.created_by = db_get_text(r, 0, 11),
		.revoked_us = db_get_time(r, 0, 12),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_code_batch_each(struct db *db, int64_t after, int64_t limit,
    bool (*each)(const struct code_batch_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(after), db_int(limit) };
	struct batch_pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT b.id, b.name, b.amount_nano, k.name, b.source,"
	    " b.validity_days, b.codes, coalesce(n.used, 0),"
	    " CASE WHEN b.revoked IS NULL THEN coalesce(n.revoked, 0)"
	    "  ELSE b.codes - coalesce(n.used, 0) END, b.expires_at,"
	    " b.created, b.created_by, b.revoked"
	    " FROM (SELECT * FROM youyun.code_batch WHERE $1 = 0 OR id < $1"
	    " ORDER BY id DESC LIMIT $2) b"
	    " LEFT JOIN youyun.credit_package k ON k.id = b.package_id"
	    " LEFT JOIN youyun.code_count n ON n.batch_id = b.id"
	    " ORDER BY b.id DESC", p, 2, take_batch, &pass);
}

struct code_pass {
	bool (*each)(const struct code_row *, void *);
	void *arg;
};

static bool
take_code(const struct db_rows *r, void *arg)
{
	const struct code_pass *pass = arg;
	struct code_row row = {
		.id = db_get_int(r, 0, 0),
		.hint = db_get_text(r, 0, 1),
		.batch = db_get_text(r, 0, 2),
		.state = db_get_text(r, 0, 3),
		.used_us = db_get_time(r, 0, 4),
		.customer_id = db_get_int(r, 0, 5),
		.customer = db_get_text(r, 0, 6),
		.transaction_id = db_get_int(r, 0, 7),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_code_each(struct db *db, const char *batch, const char *state,
    int64_t after, int64_t limit,
    bool (*each)(const struct code_row *, void *), void *arg)
{
	struct db_param p[] = { db_text(batch), db_text(state), db_int(after),
		db_int(limit) };
	struct code_pass pass = { each, arg };
	enum db_result result;
	int64_t id;

	result = db_fetch_int(db, "SELECT id FROM youyun.code_batch"
	    " WHERE name = $1", p, 1, &id);
	if (result != DB_OK)
		return result;
	return db_query_each(db,
	    "SELECT s.id, s.hint, s.batch, s.state, s.used_at, s.customer_id,"
	    " u.name, s.transaction_id FROM (SELECT c.*, b.name AS batch,"
	    " CASE WHEN c.used_at IS NOT NULL THEN 'used'"
	    " WHEN c.revoked IS NOT NULL OR b.revoked IS NOT NULL"
	    " THEN 'revoked' WHEN b.expires_at <= now() THEN 'expired'"
	    " ELSE 'unused' END AS state FROM youyun.code_batch b"
	    " JOIN (SELECT id, batch_id, hint, used_at, customer_id,"
	    " transaction_id, revoked FROM youyun.topup_code) c"
	    " ON c.batch_id = b.id WHERE b.name = $1) s"
	    " LEFT JOIN youyun.customer u ON u.id = s.customer_id"
	    " WHERE ($2 IS NULL OR s.state = $2) AND s.id > $3"
	    " ORDER BY s.id LIMIT $4", p, 4, take_code, &pass);
}

enum db_result
q_code_revoke(struct db *db, const char *batch, int64_t id,
    const uint8_t *digest, struct code_revoked *revoked_r)
{
	struct db_param p[] = { db_text(batch), db_int_or_null(id),
		db_bytes(digest != NULL ? digest : (const uint8_t *)"",
		digest != NULL ? 32 : 0) };
	struct db_rows *rows;
	enum db_result result;

	p[2].null = digest == NULL;
	result = db_query(db, "SELECT batch, unused, used"
	    " FROM youyun.code_revoke($1, $2, $3)", p, 3, &rows);
	if (result != DB_OK)
		return result;
	snprintf(revoked_r->batch, sizeof(revoked_r->batch), "%s",
	    db_get_text(rows, 0, 0));
	revoked_r->unused = db_get_int(rows, 0, 1);
	revoked_r->used = db_get_int(rows, 0, 2);
	db_rows_free(&rows);
	return DB_OK;
}

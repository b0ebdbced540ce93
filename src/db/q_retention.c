#include <stdio.h>

#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_retention.h"

struct pass {
	bool (*each)(const struct retention_row *, void *);
	bool (*each_log)(const struct retention_log_row *, void *);
	bool (*each_hold)(const struct hold_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct retention_row row = {
		.name = db_get_text(r, 0, 0),
		.purpose = db_get_text(r, 0, 1),
		.days = db_get_int(r, 0, 2),
		.least = db_get_int(r, 0, 3),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_retention_each(struct db *db,
    bool (*each)(const struct retention_row *, void *), void *arg)
{
	struct pass pass = { .each = each, .arg = arg };

	return db_query_each(db, "SELECT name, purpose, days::bigint,"
	    " least::bigint FROM youyun.retention ORDER BY id", NULL, 0, take,
	    &pass);
}

enum db_result
q_retention_set(struct db *db, const char *name, int64_t days)
{
	struct db_param p[] = { db_text(name), db_int(days) };

	return db_change(db, "UPDATE youyun.retention SET days = $2"
	    " WHERE name = $1 RETURNING id", p, 2);
}

enum db_result
q_retention_step(struct db *db, char did_r[RETENTION_STEP_BYTES])
{
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT youyun.retention_step()", NULL, 0,
	    &rows);
	if (result != DB_OK)
		return result;
	snprintf(did_r, RETENTION_STEP_BYTES, "%s", db_get_text(rows, 0, 0));
	db_rows_free(&rows);
	return DB_OK;
}

static bool
take_log(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct retention_log_row row = {
		.id = db_get_int(r, 0, 0),
		.at_us = db_get_time(r, 0, 1),
		.name = db_get_text(r, 0, 2),
		.until = db_get_text(r, 0, 3),
		.rows = db_get_int(r, 0, 4),
		.held = db_get_int(r, 0, 5),
	};

	return pass->each_log(&row, pass->arg);
}

enum db_result
q_retention_log_each(struct db *db, int64_t before, int64_t limit,
    bool (*each)(const struct retention_log_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(before), db_int(limit) };
	struct pass pass = { .each_log = each, .arg = arg };

	return db_query_each(db, "SELECT id, at, name, until::text, rows,"
	    " held FROM youyun.retention_log WHERE $1 = 0 OR id < $1"
	    " ORDER BY id DESC LIMIT $2", p, 2, take_log, &pass);
}

enum db_result
q_hold_place(struct db *db, int64_t customer_id, const char *reason,
    int64_t *id_r)
{
	struct db_param p[] = { db_int(customer_id), db_text(reason) };

	return db_fetch_int(db, "SELECT youyun.hold_place($1, $2)", p, 2,
	    id_r);
}

enum db_result
q_hold_lift(struct db *db, int64_t customer_id)
{
	struct db_param p = db_int(customer_id);
	enum db_result result;
	int64_t id;

	result = db_fetch_int(db, "SELECT coalesce(youyun.hold_lift($1), 0)",
	    &p, 1, &id);
	return result == DB_OK && id == 0 ? DB_NONE : result;
}

static bool
take_hold(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct hold_row row = {
		.id = db_get_int(r, 0, 0),
		.customer_id = db_get_int(r, 0, 1),
		.customer = db_get_text(r, 0, 2),
		.reason = db_get_text(r, 0, 3),
		.placed_by = db_get_text(r, 0, 4),
		.lifted_by = db_get_text(r, 0, 5),
		.placed_us = db_get_time(r, 0, 6),
		.lifted_us = db_get_time(r, 0, 7),
	};

	return pass->each_hold(&row, pass->arg);
}

enum db_result
q_hold_each(struct db *db, int64_t before, int64_t limit,
    bool (*each)(const struct hold_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(before), db_int(limit) };
	struct pass pass = { .each_hold = each, .arg = arg };

	return db_query_each(db, "SELECT h.id, h.customer_id, c.name,"
	    " h.reason, h.placed_by, coalesce(h.lifted_by, ''), h.placed,"
	    " h.lifted FROM youyun.legal_hold h JOIN youyun.customer c"
	    "  ON c.id = h.customer_id"
	    " WHERE $1 = 0 OR h.id < $1 ORDER BY h.id DESC LIMIT $2", p, 2,
	    take_hold, &pass);
}

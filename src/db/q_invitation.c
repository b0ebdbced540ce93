#include "db/fetch.h"
#include "db/queries_login.h"

enum db_result
q_invitation_add(struct db *db, const struct invitation_new *new,
    int64_t *id_r)
{
	struct db_param p[] = { db_bytes(new->digest, 32),
		db_text(new->hint), db_text(new->note), db_text(new->group),
		db_int(new->credit_nano), db_int_or_null(new->validity_days),
		db_int(new->uses), db_time(new->expires_us) };

	return db_fetch_int(db, "SELECT youyun.invitation_create($1, $2, $3,"
	    " $4, $5, $6, $7, $8)", p, 8, id_r);
}

struct pass {
	bool (*each)(const struct invitation_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct invitation_row row = {
		.id = db_get_int(r, 0, 0),
		.hint = db_get_text(r, 0, 1),
		.note = db_get_text(r, 0, 2),
		.group = db_get_text(r, 0, 3),
		.credit_nano = db_get_int(r, 0, 4),
		.validity_days = db_get_int(r, 0, 5),
		.uses = db_get_int(r, 0, 6),
		.used = db_get_int(r, 0, 7),
		.state = db_get_text(r, 0, 8),
		.expires_us = db_get_time(r, 0, 9),
		.created_us = db_get_time(r, 0, 10),
		.created_by = db_get_text(r, 0, 11),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_invitation_each(struct db *db, int64_t after, int64_t limit,
    bool (*each)(const struct invitation_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(after), db_int(limit) };
	struct pass pass = { each, arg };

	return db_query_each(db, "SELECT i.id, i.hint, i.note, g.name,"
	    " i.credit_nano, i.validity_days::bigint, i.uses::bigint,"
	    " i.used::bigint, CASE WHEN i.used = i.uses THEN 'used'"
	    " WHEN i.revoked IS NOT NULL THEN 'revoked'"
	    " WHEN i.expires_at <= now() THEN 'expired' ELSE 'open' END,"
	    " i.expires_at, i.created, i.created_by FROM youyun.invitation i"
	    " JOIN youyun.customer_group g ON g.id = i.group_id"
	    " WHERE $1 = 0 OR i.id < $1 ORDER BY i.id DESC LIMIT $2", p, 2,
	    take, &pass);
}

enum db_result
q_invitation_revoke(struct db *db, int64_t id, int64_t *left_r)
{
	struct db_param p = db_int(id);

	return db_fetch_int(db, "SELECT youyun.invitation_revoke($1)", &p, 1,
	    left_r);
}

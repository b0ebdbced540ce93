#include <stdio.h>

#include "db/fetch.h"
#include "db/queries_login.h"

struct pass {
	bool (*each)(const struct login_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct login_row row = {
		.name = db_get_text(r, 0, 0),
		.password_changed_us = db_get_time(r, 0, 1),
		.totp_since_us = db_get_time(r, 0, 2),
		.sessions = db_get_int(r, 0, 3),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_login_each(struct db *db, int64_t customer_id,
    bool (*each)(const struct login_row *, void *), void *arg)
{
	struct db_param p = db_int(customer_id);
	struct pass pass = { each, arg };

	return db_query_each(db, "SELECT l.name, l.password_changed,"
	    " l.totp_since, (SELECT count(*) FROM youyun.session s"
	    " WHERE s.login_id = l.id AND s.expires_at > now())"
	    " FROM youyun.login l WHERE l.customer_id = $1", &p, 1, take,
	    &pass);
}

enum db_result
q_login_reset(struct db *db, int64_t customer_id, const char *name,
    const uint8_t *digest, char name_r[LOGIN_NAME_BYTES])
{
	struct db_param p[] = { db_int(customer_id), db_text(name),
		db_bytes(digest != NULL ? digest : (const uint8_t *)"",
		digest != NULL ? 32 : 0) };
	struct db_rows *rows;
	enum db_result result;

	p[2].null = digest == NULL;
	result = db_query(db, "SELECT youyun.login_reset($1, $2, $3)", p, 3,
	    &rows);
	if (result != DB_OK)
		return result;
	snprintf(name_r, LOGIN_NAME_BYTES, "%s", db_get_text(rows, 0, 0));
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
q_login_totp_remove(struct db *db, int64_t customer_id, bool *removed_r)
{
	struct db_param p = db_int(customer_id);
	enum db_result result;
	int64_t n;

	result = db_fetch_int(db, "SELECT youyun.login_totp_remove($1)", &p,
	    1, &n);
	*removed_r = n == 1;
	return result;
}

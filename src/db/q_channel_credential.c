#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_channel_credential_next(struct db *db, int64_t *id_r)
{
	return db_fetch_int(db,
	    "SELECT nextval('youyun.channel_credential_id_seq')", NULL, 0,
	    id_r);
}

enum db_result
q_channel_credential_add(struct db *db,
    const struct channel_credential_row *c)
{
	struct db_param p[] = { db_int(c->id), db_int(c->channel_id),
		db_text(c->name), db_bytes(c->sealed, c->sealed_bytes),
		db_int(c->status) };

	return db_change(db,
	    "INSERT INTO youyun.channel_credential (id, channel_id, slot,"
	    " name, credential, status)"
	    " SELECT $1, $2, s, $3, $4, $5 FROM generate_series(0, 7) s"
	    " WHERE NOT EXISTS (SELECT 1 FROM youyun.channel_credential x"
	    "  WHERE x.channel_id = $2 AND x.slot = s)"
	    " ORDER BY s LIMIT 1 RETURNING id", p, 5);
}

enum db_result
q_channel_credential_find(struct db *db, int64_t channel_id,
    const char *name, int64_t *id_r)
{
	struct db_param p[] = { db_int(channel_id), db_text(name) };

	return db_fetch_int(db,
	    "SELECT id FROM youyun.channel_credential"
	    " WHERE channel_id = $1 AND ($2 IS NULL OR name = $2)"
	    " ORDER BY slot LIMIT 1", p, 2, id_r);
}

enum db_result
q_channel_credential_set(struct db *db, int64_t id, const void *sealed,
    size_t sealed_bytes, int64_t status)
{
	struct db_param p[] = { db_int(id), db_bytes(sealed, sealed_bytes),
		db_int(status) };

	p[1].null = sealed == NULL;
	return db_change(db,
	    "UPDATE youyun.channel_credential SET"
	    " credential = coalesce($2, credential),"
	    " edition = CASE WHEN $2 IS NULL THEN edition"
	    "  ELSE nextval('youyun.channel_edition') END,"
	    " status = CASE WHEN $3 < 0 THEN status ELSE $3 END"
	    " WHERE id = $1 RETURNING id", p, 3);
}

enum db_result
q_channel_credential_remove(struct db *db, int64_t id)
{
	struct db_param p = db_int(id);

	return db_change(db, "DELETE FROM youyun.channel_credential"
	    " WHERE id = $1 RETURNING id", &p, 1);
}

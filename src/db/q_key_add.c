#include "db/fetch.h"
#include "db/queries.h"

#define DIGEST_BYTES 32

enum db_result
q_key_add(struct db *db, int64_t customer_id, const char *name,
    const uint8_t *digest, const char *hint, int64_t expires_us,
    enum key_scope scope, int64_t *id_r)
{
	struct db_param p[] = { db_int(customer_id),
		db_text(name == NULL ? "" : name),
		db_bytes(digest, DIGEST_BYTES), db_text(hint),
		db_time_or_null(expires_us), db_int((int64_t)scope) };

	return db_fetch_int(db,
	    "INSERT INTO youyun.api_key (customer_id, name, digest, hint,"
	    " expires_at, scope) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
	    p, 6, id_r);
}

enum db_result
q_key_rotate(struct db *db, int64_t id, const uint8_t *digest,
    const char *hint, int64_t overlap_s, int64_t *fresh_id_r)
{
	struct db_param p[] = { db_int(id), db_bytes(digest, DIGEST_BYTES),
		db_text(hint), db_int(overlap_s) };

	return db_fetch_int(db, "SELECT youyun.key_rotate($1, $2, $3, $4)",
	    p, 4, fresh_id_r);
}

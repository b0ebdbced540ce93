#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_audit.h"

struct pass {
	bool (*entry)(const struct audit_row *, void *);
	bool (*link)(const struct audit_link_row *, void *);
	void *arg;
};

/* Eight columns from there on. */
static struct audit_row
entry_of(const struct db_rows *r, int column)
{
	return (struct audit_row){
		.id = db_get_int(r, 0, column),
		.at_us = db_get_time(r, 0, column + 1),
		.actor = db_get_text(r, 0, column + 2),
		.role = db_get_text(r, 0, column + 3),
		.action = db_get_text(r, 0, column + 4),
		.object = db_get_text(r, 0, column + 5),
		.reason = db_get_text(r, 0, column + 6),
		.change = db_get_text(r, 0, column + 7),
	};
}

#define ENTRY "a.id, a.at, a.actor, a.role, a.action, a.object, a.reason," \
	" a.change::text"

static bool
take_entry(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct audit_row row = entry_of(r, 0);

	return pass->entry(&row, pass->arg);
}

enum db_result
q_audit_list(struct db *db, const struct audit_filter *f,
    bool (*each)(const struct audit_row *, void *), void *arg)
{
	struct db_param p[] = { db_text(f->object),
		db_time_or_null(f->since_us), db_int(f->before),
		db_int(f->limit) };
	struct pass pass = { .entry = each, .arg = arg };

	return db_query_each(db, "SELECT " ENTRY " FROM youyun.audit a"
	    " WHERE ($1::text IS NULL OR a.object = $1)"
	    " AND ($2::timestamptz IS NULL OR (a.at >= $2 AND a.id >"
	    "  (SELECT x.id FROM youyun.audit x WHERE x.at >= $2"
	    "  ORDER BY x.at, x.id LIMIT 1) - " DB_LATE "))"
	    " AND ($3 = 0 OR a.id < $3) ORDER BY a.id DESC LIMIT $4", p, 4,
	    take_entry, &pass);
}

enum db_result
q_access_note(struct db *db, const struct access_row *a)
{
	struct db_param p[] = { db_text(a->actor), db_text(a->reason),
		db_text(a->kind), db_text(a->who),
		db_int(a->who != NULL ? db_number(a->who) : 0),
		db_text(a->detail) };

	return db_query(db, "SELECT youyun.access_note($1, $2, $3, $4, $5,"
	    " $6::jsonb)", p, 6, NULL);
}

static const uint8_t *
hash_of(const struct db_rows *r, int column)
{
	size_t len;
	const uint8_t *p = db_get_bytes(r, 0, column, &len);

	return len == AUDIT_HASH_BYTES ? p : NULL;
}

static bool
take_link(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct audit_link_row row = {
		.seq = db_get_int(r, 0, 0),
		.audit_id = db_get_int(r, 0, 1),
		.detail = hash_of(r, 2),
		.leaf = hash_of(r, 3),
		.chain = hash_of(r, 4),
		.there = !db_null(r, 0, 5),
	};

	if (row.there)
		row.entry = entry_of(r, 5);
	return pass->link(&row, pass->arg);
}

enum db_result
q_audit_link_each(struct db *db,
    bool (*each)(const struct audit_link_row *, void *), void *arg)
{
	struct pass pass = { .link = each, .arg = arg };

	return db_query_each(db, "SELECT k.seq, k.audit_id, k.detail, k.leaf,"
	    " k.chain, " ENTRY " FROM youyun.audit_link k"
	    " LEFT JOIN youyun.audit a ON a.id = k.audit_id ORDER BY k.seq",
	    NULL, 0, take_link, &pass);
}

static bool
take_leaf(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct audit_link_row row = {
		.seq = db_get_int(r, 0, 0),
		.leaf = hash_of(r, 1),
	};

	return pass->link(&row, pass->arg);
}

enum db_result
q_audit_leaf_each(struct db *db, int64_t after, int64_t limit,
    bool (*each)(const struct audit_link_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(after), db_int(limit) };
	struct pass pass = { .link = each, .arg = arg };

	return db_query_each(db, "SELECT seq, leaf FROM youyun.audit_link"
	    " WHERE seq > $1 ORDER BY seq LIMIT $2", p, 2, take_leaf, &pass);
}

enum db_result
q_audit_last_link(struct db *db, int64_t *seq_r)
{
	return db_fetch_int(db, "SELECT coalesce(max(seq), 0)"
	    " FROM youyun.audit_link", NULL, 0, seq_r);
}

enum db_result
q_audit_unlinked(struct db *db, int64_t *entries_r)
{
	return db_fetch_int(db, "SELECT count(*) FROM youyun.audit a"
	    " WHERE NOT EXISTS (SELECT 1 FROM youyun.audit_link k"
	    "  WHERE k.audit_id = a.id)", NULL, 0, entries_r);
}

enum db_result
q_audit_seal(struct db *db)
{
	return db_query(db, "SELECT youyun.audit_seal()", NULL, 0, NULL);
}

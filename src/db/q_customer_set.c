#include "db/fetch.h"
#include "db/queries.h"

#define SET \
	"UPDATE youyun.customer c SET" \
	" status = CASE WHEN $2 < 0 THEN c.status ELSE $2 END," \
	" contact = coalesce($3, c.contact), note = coalesce($4, c.note)"

/* The group only when it is to change: support may not touch it. */
enum db_result
q_customer_set(struct db *db, int64_t id, int64_t status, const char *group,
    const char *contact, const char *note)
{
	struct db_param p[] = { db_int(id), db_int(status), db_text(contact),
		db_text(note), db_text(group) };

	if (group == NULL)
		return db_change(db, SET " WHERE c.id = $1 RETURNING c.id", p,
		    4);
	return db_change(db,
	    SET ", group_id = g.id FROM youyun.customer_group g"
	    " WHERE c.id = $1 AND g.name = $5 RETURNING c.id", p, 5);
}

enum db_result
q_customer_cut(struct db *db, int64_t id, bool cut)
{
	struct db_param p[] = { db_int(id), db_bool(cut) };

	return db_change(db, "UPDATE youyun.customer SET cut = $2"
	    " WHERE id = $1 RETURNING id", p, 2);
}

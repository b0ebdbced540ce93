#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_customer_set(struct db *db, int64_t id, int64_t status, const char *group,
    const char *contact, const char *note)
{
	struct db_param p[] = { db_int(id), db_int(status), db_text(group),
		db_text(contact), db_text(note) };

	return db_change(db,
	    "UPDATE youyun.customer c SET"
	    " status = CASE WHEN $2 < 0 THEN c.status ELSE $2 END,"
	    " group_id = g.id, contact = coalesce($4, c.contact),"
	    " note = coalesce($5, c.note)"
	    " FROM youyun.customer was, youyun.customer_group g"
	    " WHERE c.id = $1 AND was.id = c.id AND CASE WHEN $3::text IS NULL"
	    "  THEN g.id = was.group_id ELSE g.name = $3 END"
	    " RETURNING c.id", p, 5);
}

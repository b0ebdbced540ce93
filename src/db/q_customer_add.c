#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_customer_add(struct db *db, const char *name, const char *group,
    const char *contact, const char *note, int64_t *id_r)
{
	struct db_param p[] = { db_text(name),
		db_text(group == NULL ? "default" : group),
		db_text(contact == NULL ? "" : contact),
		db_text(note == NULL ? "" : note) };

	return db_fetch_int(db,
	    "INSERT INTO youyun.customer (name, group_id, contact, note)"
	    " SELECT $1, g.id, $3, $4 FROM youyun.customer_group g"
	    " WHERE g.name = $2 RETURNING id", p, 4, id_r);
}

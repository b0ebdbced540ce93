#include "flusher/node.h"

#include <string.h>

#include "base/log.h"
#include "db/value.h"

#define CONNECT_TIMEOUT_S 2

enum db_result
node_attach(struct db *db, const char *name, uint64_t journal_id,
    uint64_t incarnation, struct node *node_r)
{
	struct db_param p[] = { db_text(name), db_int((int64_t)journal_id),
		db_int((int64_t)incarnation) };
	struct db_rows *rows;
	enum db_result result;
	int64_t verdict;

	memset(node_r, 0, sizeof(*node_r));
	result = db_query(db, "SELECT verdict::bigint, node, session,"
	    " up::bigint FROM youyun.node_attach($1, $2, $3)", p, 3, &rows);
	if (result != DB_OK)
		return result;
	verdict = db_get_int(rows, 0, 0);
	node_r->verdict = verdict >= NODE_OURS && verdict <= NODE_UNKNOWN ?
	    (enum node_verdict)verdict : NODE_UNKNOWN;
	node_r->id = (uint16_t)db_get_int(rows, 0, 1);
	node_r->session = db_get_int(rows, 0, 2);
	node_r->up = (uint32_t)db_get_int(rows, 0, 3);
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
node_beat(struct db *db, struct node *node)
{
	struct db_param p[] = { db_int(node->id), db_int(node->session) };
	struct db_rows *rows;
	enum db_result result;
	int64_t up;

	result = db_query(db, "SELECT youyun.node_beat($1, $2)::bigint", p, 2,
	    &rows);
	if (result != DB_OK)
		return result;
	up = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	if (up < 0)
		return DB_CONFLICT;
	node->up = up > 0 ? (uint32_t)up : 1;
	return DB_OK;
}

void
node_release(const char *conninfo, uint16_t id, int64_t session)
{
	struct db_param p[] = { db_int(id), db_int(session) };
	struct db *db = db_open(conninfo);

	if (db == NULL)
		return;
	if (db_connect(db, CONNECT_TIMEOUT_S) != DB_OK ||
	    db_script(db, "SET statement_timeout = '2s'") != DB_OK ||
	    db_query(db, "SELECT youyun.node_release($1, $2)", p, 2, NULL) !=
	    DB_OK)
		log_notice("this node's leases stay with it until the next "
		    "start: why=%s", db_message(db));
	db_close(&db);
}

void
node_say(enum node_verdict verdict, const char *name)
{
	switch (verdict) {
	case NODE_OURS:
		return;
	case NODE_FENCED:
		log_error("new calls are refused: this node was fenced; what "
		    "it had spent is booked as far as it can be; to use it "
		    "again stop youyund, run \"youyunctl node admit %s\" and "
		    "start it: node=%s", name, name);
		return;
	case NODE_TAKEN:
		log_error("new calls are refused: another instance is this "
		    "node, or was and still has its money; give this one "
		    "another node, or fence and admit the node once the other "
		    "is gone for good: node=%s", name);
		return;
	case NODE_UNKNOWN:
		log_error("new calls are refused: the database has no such "
		    "node; \"youyunctl node add %s\" adds it: node=%s", name,
		    name);
		return;
	}
}

#include "db/transaction.h"

#include <assert.h>
#include <libpq-fe.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "db/internal.h"
#include "db/value.h"

/* Two that collided shouldn't meet again at once. */
static void
pause_before_retry(int try)
{
	uint16_t r;
	struct timespec t = { 0, 0 };

	bytes_random(&r, sizeof(r));
	t.tv_nsec = (long)(r % 1000) * 1000 * (2L << try);
	nanosleep(&t, NULL);
}

static bool
worth_retrying(const struct db *db)
{
	return strcmp(db->sqlstate, "40001") == 0 ||
	    strcmp(db->sqlstate, "40P01") == 0;
}

/* The error that made us roll back is kept for the caller. */
static void
roll_back(struct db *db)
{
	PGresult *res;

	if (db_connected(db)) {
		res = PQexec(db->pg, "ROLLBACK");
		/* A session in an unknown state is of no use. */
		if (PQresultStatus(res) != PGRES_COMMAND_OK)
			db_disconnect(db);
		PQclear(res);
	}
	db->in_transaction = false;
}

static enum db_result
commit(struct db *db)
{
	PGresult *res;
	enum db_result result = DB_OK;

	if (!db_connected(db))
		return DB_AWAY;
	res = PQexec(db->pg, "COMMIT");
	db->in_transaction = false;
	if (PQresultStatus(res) != PGRES_COMMAND_OK) {
		result = db_failed(db, res);
		/* From here on only the server knows. */
		if (result == DB_AWAY)
			result = DB_UNKNOWN;
	} else if (strcmp(PQcmdStatus(res), "COMMIT") != 0) {
		db_say(db, "the transaction was rolled back by the server");
		result = DB_ERROR;
	}
	PQclear(res);
	return result;
}

static enum db_result
run_once(struct db *db, enum db_isolation isolation, db_body *body, void *arg)
{
	enum db_result result;

	result = db_script(db, isolation == DB_SNAPSHOT ?
	    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" :
	    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
	if (result != DB_OK)
		return result;
	db->in_transaction = true;
	result = body(db, arg);
	if (result == DB_OK)
		result = commit(db);
	if (db->in_transaction)
		roll_back(db);
	return result;
}

enum db_result
db_transaction(struct db *db, enum db_isolation isolation, db_body *body,
    void *arg)
{
	enum db_result result;
	int try;

	assert(!db->in_transaction);
	for (try = 0; ; try++) {
		db_clear_error(db);
		result = run_once(db, isolation, body, arg);
		if (result == DB_OK || result == DB_AWAY ||
		    result == DB_UNKNOWN || !worth_retrying(db) ||
		    try + 1 == DB_TRANSACTION_TRIES)
			return result;
		pause_before_retry(try);
	}
}

enum db_result
db_actor(struct db *db, const char *actor, const char *reason)
{
	struct db_param p[2] = { db_text(actor == NULL ? "" : actor),
		db_text(reason == NULL ? "" : reason) };

	return db_query(db, "SELECT set_config('youyun.actor', $1, true),"
	    " set_config('youyun.reason', $2, true)", p, 2, NULL);
}

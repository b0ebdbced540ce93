#include "db/connection.h"

#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/internal.h"

static const char *const result_names[] = {
	[DB_OK] = "done",
	[DB_NONE] = "not found",
	[DB_CONFLICT] = "conflict",
	[DB_AWAY] = "database is away",
	[DB_UNKNOWN] = "outcome of the commit is unknown",
	[DB_ERROR] = "refused by the database",
};

const char *
db_explain(enum db_result result)
{
	return result_names[result];
}

/* Notices go nowhere: what matters comes as a result. */
static void
ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

struct db *
db_open(const char *conninfo)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		return NULL;
	db->conninfo = strdup(conninfo);
	if (db->conninfo == NULL) {
		free(db);
		return NULL;
	}
	return db;
}

void
db_close(struct db **db)
{
	if (*db == NULL)
		return;
	db_disconnect(*db);
	free((*db)->conninfo);
	free(*db);
	*db = NULL;
}

void
db_disconnect(struct db *db)
{
	if (db->pg != NULL)
		PQfinish(db->pg);
	db->pg = NULL;
	db->in_transaction = false;
}

bool
db_connected(const struct db *db)
{
	return db->pg != NULL && PQstatus(db->pg) == CONNECTION_OK;
}

enum db_result
db_connect(struct db *db, int timeout_s)
{
	char timeout[16];
	/* What comes before dbname can be overridden by the setting, what
	 * comes after it can't.  A server that went without a word is given
	 * up after 15 s. */
	const char *const keys[] = { "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "dbname",
		"connect_timeout", "client_encoding", NULL };
	const char *const values[] = { "10", "5", "1", "15000", db->conninfo,
		timeout, "UTF8", NULL };

	db_clear_error(db);
	if (db_connected(db))
		return DB_OK;
	db_disconnect(db);
	snprintf(timeout, sizeof(timeout), "%d", timeout_s < 2 ? 2 : timeout_s);
	db->pg = PQconnectdbParams(keys, values, 1);
	if (db->pg == NULL) {
		db_say(db, "out of memory");
		return DB_AWAY;
	}
	if (PQstatus(db->pg) != CONNECTION_OK) {
		(void)db_failed(db, NULL);
		db_disconnect(db);
		return DB_AWAY;
	}
	PQsetNoticeReceiver(db->pg, ignore_notice, NULL);
	db->generation++;
	return DB_OK;
}

uint64_t
db_generation(const struct db *db)
{
	return db->generation;
}

const char *
db_message(const struct db *db)
{
	return db->message;
}

const char *
db_sqlstate(const struct db *db)
{
	return db->sqlstate;
}

const char *
db_constraint(const struct db *db)
{
	return db->constraint;
}

struct pg_conn *
db_pg(struct db *db)
{
	return db->pg;
}

void
db_clear_error(struct db *db)
{
	db->message[0] = '\0';
	db->sqlstate[0] = '\0';
	db->constraint[0] = '\0';
}

void
db_say(struct db *db, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(db->message, sizeof(db->message), fmt, ap);
	va_end(ap);
}

static void
copy_line(char *to, size_t size, const char *from)
{
	size_t n = from == NULL ? 0 : strcspn(from, "\r\n");

	if (n >= size)
		n = size - 1;
	if (n != 0)
		memcpy(to, from, n);
	to[n] = '\0';
}

enum db_result
db_failed(struct db *db, const PGresult *res)
{
	/* The primary message only: a detail may quote a key's digest. */
	const char *primary = res == NULL ? NULL :
	    PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = res == NULL ? NULL :
	    PQresultErrorField(res, PG_DIAG_SQLSTATE);

	if (primary == NULL && db->pg != NULL)
		primary = PQerrorMessage(db->pg);
	copy_line(db->message, sizeof(db->message), primary);
	copy_line(db->sqlstate, sizeof(db->sqlstate), state);
	copy_line(db->constraint, sizeof(db->constraint), res == NULL ? NULL :
	    PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME));
	if (!db_connected(db))
		return DB_AWAY;
	if (strcmp(db->sqlstate, "P0002") == 0 ||
	    strcmp(db->sqlstate, "23503") == 0)
		return DB_NONE;
	if (strcmp(db->sqlstate, "23505") == 0 ||
	    strcmp(db->sqlstate, "YY001") == 0)
		return DB_CONFLICT;
	return DB_ERROR;
}

enum db_result
db_listen(struct db *db)
{
	PGresult *res;
	enum db_result result = DB_OK;

	if (!db_connected(db))
		return DB_AWAY;
	res = PQexec(db->pg, "LISTEN " DB_NOTIFY_CHANNEL);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		result = db_failed(db, res);
	PQclear(res);
	return result;
}

int
db_socket(const struct db *db)
{
	return db_connected(db) ? PQsocket(db->pg) : -1;
}

enum db_result
db_consume(struct db *db)
{
	if (!db_connected(db))
		return DB_AWAY;
	if (PQconsumeInput(db->pg) == 0)
		return db_failed(db, NULL);
	return DB_OK;
}

bool
db_notification(struct db *db, char payload_r[DB_NOTIFY_BYTES])
{
	PGnotify *n;

	if (db->pg == NULL || (n = PQnotifies(db->pg)) == NULL)
		return false;
	copy_line(payload_r, DB_NOTIFY_BYTES, n->extra);
	PQfreemem(n);
	return true;
}

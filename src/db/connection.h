/*
 * connection.h: one PostgreSQL connection, and what can come of using it.
 * Layer: db.  libpq, blocking for queries; the socket can be watched for
 * notifications by a loop or poll(2).
 * Written by: the one thread that opened it.
 */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* The schema that all our objects are in, and the one channel of NOTIFY. */
#define DB_SCHEMA "youyun"
#define DB_NOTIFY_CHANNEL "youyun"
#define DB_NOTIFY_BYTES 64

enum db_result {
	DB_OK,
	DB_NONE,	/* nothing there by that name or number */
	DB_CONFLICT,	/* it is there already, or differs from what is */
	DB_AWAY,	/* not connected, or lost before COMMIT was sent */
	DB_UNKNOWN,	/* COMMIT was sent, the answer was lost */
	DB_ERROR	/* refused by the server; db_message() says why */
};

/* "conflict" …; static text, for logs. */
const char *db_explain(enum db_result result);

/* conninfo is copied.  Doesn't connect.  NULL: no memory. */
struct db *db_open(const char *conninfo);
void	db_close(struct db **db);

/*
 * Connects if it is not connected; a lost connection is thrown away first.
 * Blocks for at most timeout_s seconds (at least 2).  DB_OK or DB_AWAY.
 */
enum db_result db_connect(struct db *db, int timeout_s)
	    __attribute__((warn_unused_result));
/* Drops the connection; the handle stays good for db_connect(). */
void	db_disconnect(struct db *db);
bool	db_connected(const struct db *db);
/* How often db_connect() made a new connection. */
uint64_t db_generation(const struct db *db);

/*
 * Why the last thing failed: one line of the server's or libpq's, borrowed
 * until the next call.  Never holds parameters' values of secret columns, but
 * may hold names; for the administrator's terminal and the log.
 */
const char *db_message(const struct db *db);
/* Five characters and NUL; "" when the server said nothing. */
const char *db_sqlstate(const struct db *db);
/* The constraint that was violated, or "". */
const char *db_constraint(const struct db *db);

/* From now on, and after each db_connect() again, notifications arrive. */
enum db_result db_listen(struct db *db) __attribute__((warn_unused_result));
/* To be watched for reading; -1 when not connected. */
int	db_socket(const struct db *db);
/* Reads what the socket has, without waiting.  DB_OK or DB_AWAY. */
enum db_result db_consume(struct db *db) __attribute__((warn_unused_result));
/* The next notification, like "key:123"; false: none left. */
bool	db_notification(struct db *db, char payload_r[DB_NOTIFY_BYTES]);

/* For the transaction runner and the query files only. */
struct pg_conn;
struct pg_conn *db_pg(struct db *db);

#endif

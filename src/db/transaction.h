/*
 * transaction.h: runs a body of queries as one transaction.
 * Layer: db.
 * Written by: the thread that owns the connection.
 */
#ifndef DB_TRANSACTION_H
#define DB_TRANSACTION_H

#include "db/connection.h"

/* Runs of a body before a serialization failure or deadlock is given up. */
#define DB_TRANSACTION_TRIES 8

enum db_isolation {
	DB_READ_COMMITTED,	/* for changes */
	DB_SNAPSHOT		/* repeatable read, read only: for reports */
};

/* Must be repeatable: it may be run several times, each in a transaction of
 * its own.  Anything but DB_OK rolls back and is handed on. */
typedef enum db_result db_body(struct db *db, void *arg);

/*
 * DB_OK: committed.  DB_AWAY: nothing happened.  DB_UNKNOWN: it may have
 * been committed; connect again and look.  Not to be nested.
 */
enum db_result db_transaction(struct db *db, enum db_isolation isolation,
	    db_body *body, void *arg) __attribute__((warn_unused_result));

/*
 * Inside a body: who changes something and why, for the audit table.  What
 * isn't told is audited as the database's role without a reason.
 */
enum db_result db_actor(struct db *db, const char *actor, const char *reason)
	    __attribute__((warn_unused_result));

#endif

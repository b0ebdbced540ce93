/*
 * internal.h: what the files of this folder share about a connection.
 * Layer: db; nobody else includes it.
 * Written by: the thread that owns the connection.
 */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include "db/connection.h"

#define DB_MESSAGE_BYTES 512

struct pg_conn;	/* libpq's own names */
struct pg_result;

struct db {
	struct pg_conn *pg;
	char *conninfo;
	uint64_t generation;
	bool in_transaction;
	char message[DB_MESSAGE_BYTES];
	char sqlstate[6];
	char constraint[64];
};

struct db_rows {
	struct pg_result *result;
};

/* Takes what failed into the handle and judges it; res may be NULL. */
enum db_result db_failed(struct db *db, const struct pg_result *res);
void	db_clear_error(struct db *db);
/* Sets the message for a failure of our own finding. */
void	db_say(struct db *db, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* A migration, as the build embeds it. */
struct db_migration {
	int version;
	const char *name;
	const char *sql;
};
extern const struct db_migration db_migrations[];
extern const int db_migration_count;
extern const char db_embedded_roles[];

#endif

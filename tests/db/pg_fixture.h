/*
 * pg_fixture.h: a throw-away PostgreSQL server for a test program.
 * Layer: tests.
 * Written by: the test that starts it.
 *
 * A cluster of its own in a temporary directory, reachable over a unix socket
 * there and nowhere else, trusting everybody who can open it.  It ends with
 * the test program, however that ends.
 */
#ifndef TESTS_PG_FIXTURE_H
#define TESTS_PG_FIXTURE_H

#include <stddef.h>

#include "db/connection.h"

/* What automake takes for "skipped". */
#define PG_SKIP 77
#define PG_CONNINFO_BYTES 512

struct pg_server;

/* Runs initdb and starts the server; as root both run as an unprivileged
 * user.  NULL, with a line on stderr, when PostgreSQL isn't installed; ends
 * the program when it doesn't come up. */
struct pg_server *pg_server_start(void);
/* Ends it and removes all its files. */
void	pg_server_stop(struct pg_server **server);

/* SIGKILL, as a crash; nothing is listening afterwards. */
void	pg_server_kill(struct pg_server *server);
/* After pg_server_kill(): starts it again, with recovery. */
void	pg_server_restart(struct pg_server *server);

/* "youyun_admin" …, "postgres"; text_r takes PG_CONNINFO_BYTES. */
void	pg_conninfo(const struct pg_server *server, const char *role,
	    const char *database, char *text_r);
/* A connection, ending the program when there is none. */
struct db *pg_connect(const struct pg_server *server, const char *role,
	    const char *database);
/* Roles, and the database newly made with the whole schema. */
void	pg_fresh_database(struct pg_server *server, const char *database);

#endif

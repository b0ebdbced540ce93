/*
 * embedded.h: where the private PostgreSQL cluster lives, and how every
 * process reaches the database, embedded or not.
 * Layer: conf.  Pure functions of the settings, but for the look for programs.
 * Written by: nobody; `youyunctl init` makes the cluster, the master runs it.
 *
 *	<state_dir>/postgres		data directory, made by initdb
 *	<run_dir>/pg			socket directory, mode 0700, service user
 *	<run_dir>/pg/.s.PGSQL.5432	the only way in: peer authentication
 *
 * pg_hba.conf maps the service user, and root, by the ident map "youyun" to
 * the four roles below.  Every function that fills a buffer returns false,
 * with an empty string, when it is too small.
 */
#ifndef CONF_EMBEDDED_H
#define CONF_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>

struct settings;

#define EMBEDDED_PORT		5432
#define EMBEDDED_DATABASE	"youyun"
#define EMBEDDED_IDENT_MAP	"youyun"

/* sockaddr_un.sun_path with its final NUL. */
#define EMBEDDED_SOCKET_PATH_MAX 108

/* Enough for every path and connection string that is made here. */
#define EMBEDDED_TEXT_BYTES 2048

enum db_role {
	DB_ROLE_OWNER,		/* youyun_owner: owns and migrates the schema */
	DB_ROLE_FLUSHER,	/* youyun_flusher */
	DB_ROLE_PORTAL,		/* youyun_portal */
	DB_ROLE_ADMIN,		/* youyun_admin: youyunctl, as are: */
	DB_ROLE_BILLING,	/* youyun_billing */
	DB_ROLE_SUPPORT,	/* youyun_support */
	DB_ROLE_AUDITOR		/* youyun_auditor */
};
#define DB_ROLES 7

/* "youyun_owner" …; static text. */
const char *db_role_name(enum db_role role);

/* Does the master run the database ("database = embedded")? */
bool	database_is_embedded(const struct settings *settings);

/* The data directory exists and initdb has finished there. */
bool	embedded_initialised(const struct settings *settings);

bool	embedded_data_dir(const struct settings *settings, char *path_r,
	    size_t size) __attribute__((warn_unused_result));
bool	embedded_socket_dir(const struct settings *settings, char *path_r,
	    size_t size) __attribute__((warn_unused_result));
/* The socket itself; false also when it passes EMBEDDED_SOCKET_PATH_MAX. */
bool	embedded_socket_path(const struct settings *settings, char *path_r,
	    size_t size) __attribute__((warn_unused_result));

/*
 * Path of one of PostgreSQL's own programs ("initdb", "postgres", "psql"):
 * in postgres_bin when that is set, else what `pg_config --bindir` says,
 * else the newest of /usr/lib/postgresql/<version>/bin.  False when there is
 * none; then path_r says where was looked, for an error message.
 */
bool	embedded_find_program(const struct settings *settings,
	    const char *program, char *path_r, size_t size)
	    __attribute__((warn_unused_result));

/*
 * A libpq connection string for this role: for the embedded cluster a
 * complete one; for the operator's own server the setting with user=<role>
 * and application_name=<application> appended (later members win).
 */
bool	database_conninfo(const struct settings *settings, enum db_role role,
	    const char *application, char *conninfo_r, size_t size)
	    __attribute__((warn_unused_result));

/* Like it, for the embedded cluster's bootstrap: database "postgres". */
bool	embedded_bootstrap_conninfo(const struct settings *settings,
	    const char *user, char *conninfo_r, size_t size)
	    __attribute__((warn_unused_result));

#endif

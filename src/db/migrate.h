/*
 * migrate.h: makes roles, database and schema, and brings them up to date.
 * Layer: db.
 * Written by: youyunctl init, and whoever upgrades; one at a time by an
 * advisory lock.
 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "db/connection.h"

/*
 * Superuser's connection, to any database of the cluster ("postgres"): the
 * four roles (LOGIN, without password) and the database, owned by
 * youyun_owner.  Harmless when they are there.
 */
enum db_result db_bootstrap(struct db *super, const char *database)
	    __attribute__((warn_unused_result));

/* The SQL of the roles, for an operator's own server ("init" prints it when
 * it may not create roles). */
const char *db_roles_sql(void);

/*
 * youyun_owner's connection to the database: makes the schema and applies
 * every migration that is missing, each in a transaction of its own.
 * applied_r (may be NULL): how many.  DB_CONFLICT: the schema is newer than
 * this program, or a migration that was applied has another content now.
 */
enum db_result db_migrate(struct db *owner, int *applied_r)
	    __attribute__((warn_unused_result));

/* The version that this program needs. */
int	db_schema_wanted(void);
/* The version that is there; 0: none.  Any of our roles may ask. */
enum db_result db_schema_version(struct db *db, int *version_r)
	    __attribute__((warn_unused_result));

#endif

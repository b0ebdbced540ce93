#include "db/migrate.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "db/internal.h"
#include "db/transaction.h"
#include "db/value.h"

/* Any number that nobody else's lock in this database has. */
#define MIGRATE_LOCK INT64_C(7954886219837401)

static const char version_table[] =
    "CREATE SCHEMA IF NOT EXISTS youyun;"
    "CREATE TABLE IF NOT EXISTS youyun.schema_version ("
    " version integer PRIMARY KEY, name text NOT NULL,"
    " content bigint NOT NULL,"
    " applied timestamptz NOT NULL DEFAULT now());"
    "COMMENT ON SCHEMA youyun IS 'The youyun gateway.';"
    "COMMENT ON TABLE youyun.schema_version IS 'Which migrations were"
    " applied. Operator: controller, no personal data.';"
    "COMMENT ON COLUMN youyun.schema_version.version IS 'The migration''s"
    " number. Operator: controller.';"
    "COMMENT ON COLUMN youyun.schema_version.name IS 'Its file''s name."
    " Operator: controller.';"
    "COMMENT ON COLUMN youyun.schema_version.content IS 'XXH3 of its text, so"
    " that a change afterwards is noticed. Operator: controller.';"
    "COMMENT ON COLUMN youyun.schema_version.applied IS 'When. Operator:"
    " controller.';";

const char *
db_roles_sql(void)
{
	return db_embedded_roles;
}

int
db_schema_wanted(void)
{
	return db_migrations[db_migration_count - 1].version;
}

enum db_result
db_schema_version(struct db *db, int *version_r)
{
	struct db_rows *rows;
	enum db_result result;

	*version_r = 0;
	result = db_query(db, "SELECT 1 WHERE"
	    " to_regclass('youyun.schema_version') IS NOT NULL", NULL, 0,
	    &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 0) {
		db_rows_free(&rows);
		return DB_OK;
	}
	db_rows_free(&rows);
	result = db_query(db, "SELECT max(version) FROM youyun.schema_version",
	    NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	*version_r = (int)db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return DB_OK;
}

/* CREATE DATABASE takes no parameters and no transaction. */
static enum db_result
create_database(struct db *super, const char *database)
{
	struct db_param name = db_text(database);
	struct db_rows *rows;
	enum db_result result;

	result = db_query(super, "SELECT format('CREATE DATABASE %I OWNER"
	    " youyun_owner TEMPLATE template0 ENCODING ''UTF8''', $1::text)"
	    " WHERE NOT EXISTS (SELECT 1 FROM pg_database"
	    " WHERE datname = $1::text)", &name, 1, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 1)
		result = db_script(super, db_get_text(rows, 0, 0));
	db_rows_free(&rows);
	return result;
}

enum db_result
db_bootstrap(struct db *super, const char *database)
{
	enum db_result result;

	result = db_script(super, db_embedded_roles);
	if (result == DB_OK)
		result = create_database(super, database);
	return result;
}

static int64_t
content_of(const struct db_migration *m)
{
	return (int64_t)XXH3_64bits(m->sql, strlen(m->sql));
}

static enum db_result
apply_body(struct db *db, void *arg)
{
	const struct db_migration *m = arg;
	struct db_param p[3] = { db_int(m->version), db_text(m->name),
		db_int(content_of(m)) };
	enum db_result result;

	result = db_script(db, "SET LOCAL search_path = youyun, pg_temp");
	if (result == DB_OK)
		result = db_script(db, m->sql);
	if (result == DB_OK)
		result = db_query(db, "INSERT INTO youyun.schema_version"
		    " (version, name, content) VALUES ($1, $2, $3)", p, 3,
		    NULL);
	return result;
}

/* DB_NONE: it wasn't applied yet. */
static enum db_result
compare(struct db *db, const struct db_migration *m)
{
	struct db_param version = db_int(m->version);
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT content FROM youyun.schema_version"
	    " WHERE version = $1", &version, 1, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 0) {
		result = DB_NONE;
	} else if (db_get_int(rows, 0, 0) != content_of(m)) {
		db_say(db, "migration %s was applied with another content",
		    m->name);
		result = DB_CONFLICT;
	}
	db_rows_free(&rows);
	return result;
}

static enum db_result
migrate_locked(struct db *db, int *applied)
{
	enum db_result result;
	int there, i;

	if ((result = db_script(db, version_table)) != DB_OK ||
	    (result = db_schema_version(db, &there)) != DB_OK)
		return result;
	if (there > db_schema_wanted()) {
		db_say(db, "the schema's version is %d, newer than this"
		    " program's %d; install the newer program", there,
		    db_schema_wanted());
		return DB_CONFLICT;
	}
	for (i = 0; i < db_migration_count; i++) {
		struct db_migration m = db_migrations[i];

		result = compare(db, &m);
		if (result == DB_OK)
			continue;
		if (result != DB_NONE)
			return result;
		result = db_transaction(db, DB_READ_COMMITTED, apply_body, &m);
		if (result != DB_OK)
			return result;
		(*applied)++;
	}
	return DB_OK;
}

enum db_result
db_migrate(struct db *owner, int *applied_r)
{
	struct db_param lock = db_int(MIGRATE_LOCK);
	enum db_result result;
	char message[DB_MESSAGE_BYTES];
	int applied = 0;

	result = db_query(owner, "SELECT pg_advisory_lock($1)", &lock, 1, NULL);
	if (result != DB_OK)
		return result;
	result = migrate_locked(owner, &applied);
	memcpy(message, owner->message, sizeof(message));
	if (db_connected(owner) && db_query(owner,
	    "SELECT pg_advisory_unlock($1)", &lock, 1, NULL) != DB_OK)
		db_disconnect(owner);
	memcpy(owner->message, message, sizeof(message));
	if (applied_r != NULL)
		*applied_r = applied;
	return result;
}

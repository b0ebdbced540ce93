#include <libpq-fe.h>

#include "db/internal.h"
#include "db/value.h"

enum db_result
db_copy_begin(struct db *db, const char *sql)
{
	enum db_result result = DB_OK;
	PGresult *res;

	db_clear_error(db);
	if (!db_connected(db))
		return DB_AWAY;
	res = PQexec(db->pg, sql);
	if (PQresultStatus(res) != PGRES_COPY_IN)
		result = db_failed(db, res);
	PQclear(res);
	return result;
}

enum db_result
db_copy_data(struct db *db, const void *data, size_t len)
{
	if (PQputCopyData(db->pg, data, (int)len) == 1)
		return DB_OK;
	return db_failed(db, NULL);
}

enum db_result
db_copy_end(struct db *db)
{
	enum db_result result = DB_OK;
	PGresult *res;

	if (PQputCopyEnd(db->pg, NULL) != 1)
		return db_failed(db, NULL);
	while ((res = PQgetResult(db->pg)) != NULL) {
		if (PQresultStatus(res) != PGRES_COMMAND_OK &&
		    result == DB_OK)
			result = db_failed(db, res);
		PQclear(res);
	}
	if (result == DB_OK && !db_connected(db))
		result = db_failed(db, NULL);
	return result;
}

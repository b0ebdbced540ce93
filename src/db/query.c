#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "db/internal.h"
#include "db/value.h"
#include "db/wire.h"

#define PARAMS_MAX 64

/* Parameters in the shape that libpq takes. */
struct encoded {
	Oid type[PARAMS_MAX];
	const char *value[PARAMS_MAX];
	int length[PARAMS_MAX];
	int format[PARAMS_MAX];
	uint8_t scalar[PARAMS_MAX][8];
	uint8_t *array[PARAMS_MAX];	/* ours to free */
};

static void
encoded_free(struct encoded *e, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(e->array[i]);
}

/* One dimension, no NULLs, lower bound 1, then each element with its length
 * (array_recv). */
static bool
encode_array(struct encoded *e, size_t i, const struct db_param *p)
{
	const char *const *texts = p->data;
	const int64_t *ints = p->data;
	bool text = p->type == DB_TYPE_TEXT_ARRAY;
	size_t size = 20, k;
	uint8_t *at;

	for (k = 0; k < p->len; k++)
		size += 4 + (text ? strlen(texts[k]) : 8);
	if ((at = malloc(size)) == NULL)
		return false;
	e->array[i] = at;
	e->value[i] = (const char *)at;
	wire_put32(at, p->len == 0 ? 0 : 1);
	wire_put32(at + 4, 0);
	wire_put32(at + 8, text ? PG_TEXT : PG_INT8);
	wire_put32(at + 12, (uint32_t)p->len);
	wire_put32(at + 16, 1);
	e->length[i] = p->len == 0 ? 12 : (int)size;
	at += 20;
	for (k = 0; k < p->len; k++) {
		size_t len = text ? strlen(texts[k]) : 8;

		wire_put32(at, (uint32_t)len);
		if (text)
			memcpy(at + 4, texts[k], len);
		else
			wire_put64(at + 4, (uint64_t)ints[k]);
		at += 4 + len;
	}
	return true;
}

static void
encode_scalar(struct encoded *e, size_t i, int64_t v, int bytes)
{
	if (bytes == 1)
		e->scalar[i][0] = (uint8_t)v;
	else
		wire_put64(e->scalar[i], (uint64_t)v);
	e->value[i] = (const char *)e->scalar[i];
	e->length[i] = bytes;
}

static bool
encode_one(struct encoded *e, size_t i, const struct db_param *p)
{
	static const Oid types[] = {
		[DB_TYPE_INT] = PG_INT8,
		[DB_TYPE_BOOL] = PG_BOOL,
		[DB_TYPE_TEXT] = PG_TEXT,
		[DB_TYPE_BYTES] = PG_BYTEA,
		[DB_TYPE_TIME] = PG_TIMESTAMPTZ,
		[DB_TYPE_INT_ARRAY] = PG_INT8_ARRAY,
		[DB_TYPE_TEXT_ARRAY] = PG_TEXT_ARRAY,
	};

	e->type[i] = types[p->type];
	e->format[i] = 1;
	e->value[i] = NULL;
	e->length[i] = 0;
	if (p->null)
		return true;
	switch (p->type) {
	case DB_TYPE_INT:
		encode_scalar(e, i, p->integer, 8);
		return true;
	case DB_TYPE_BOOL:
		encode_scalar(e, i, p->integer, 1);
		return true;
	case DB_TYPE_TIME:
		encode_scalar(e, i, p->integer - PG_EPOCH_US, 8);
		return true;
	case DB_TYPE_TEXT:
		e->value[i] = p->data;
		e->length[i] = (int)strlen(p->data);
		return true;
	case DB_TYPE_BYTES:
		e->value[i] = p->len == 0 ? "" : p->data;
		e->length[i] = (int)p->len;
		return true;
	case DB_TYPE_INT_ARRAY:
	case DB_TYPE_TEXT_ARRAY:
		return encode_array(e, i, p);
	}
	return false;
}

static enum db_result
encode(struct db *db, struct encoded *e, const struct db_param *params,
    size_t n)
{
	size_t i;

	assert(n <= PARAMS_MAX);
	memset(e->array, 0, sizeof(e->array));
	for (i = 0; i < n; i++) {
		if (!encode_one(e, i, &params[i])) {
			encoded_free(e, n);
			db_say(db, "out of memory");
			return DB_ERROR;
		}
	}
	return DB_OK;
}

static enum db_result
judge(struct db *db, const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
	    status == PGRES_SINGLE_TUPLE)
		return DB_OK;
	return db_failed(db, res);
}

enum db_result
db_query(struct db *db, const char *sql, const struct db_param *params,
    size_t n, struct db_rows **rows_r)
{
	struct encoded e;
	enum db_result result;
	PGresult *res;

	if (rows_r != NULL)
		*rows_r = NULL;
	db_clear_error(db);
	if (!db_connected(db))
		return DB_AWAY;
	if ((result = encode(db, &e, params, n)) != DB_OK)
		return result;
	res = PQexecParams(db->pg, sql, (int)n, e.type, e.value, e.length,
	    e.format, 1);
	encoded_free(&e, n);
	result = judge(db, res);
	if (result == DB_OK && rows_r != NULL) {
		*rows_r = malloc(sizeof(**rows_r));
		if (*rows_r != NULL) {
			(*rows_r)->result = res;
			return DB_OK;
		}
		db_say(db, "out of memory");
		result = DB_ERROR;
	}
	PQclear(res);
	return result;
}

enum db_result
db_query_each(struct db *db, const char *sql, const struct db_param *params,
    size_t n, bool (*each)(const struct db_rows *rows, void *arg), void *arg)
{
	struct encoded e;
	struct db_rows rows;
	enum db_result result;
	bool more = true;
	int sent;

	db_clear_error(db);
	if (!db_connected(db))
		return DB_AWAY;
	if ((result = encode(db, &e, params, n)) != DB_OK)
		return result;
	sent = PQsendQueryParams(db->pg, sql, (int)n, e.type, e.value,
	    e.length, e.format, 1);
	encoded_free(&e, n);
	if (sent == 0)
		return db_failed(db, NULL);
	PQsetSingleRowMode(db->pg);
	/* What isn't wanted any more is read all the same: to cancel the
	 * statement would spoil the transaction around it. */
	while ((rows.result = PQgetResult(db->pg)) != NULL) {
		if (result == DB_OK)
			result = judge(db, rows.result);
		if (result == DB_OK && more && PQntuples(rows.result) == 1)
			more = each(&rows, arg);
		PQclear(rows.result);
	}
	if (result == DB_OK && !db_connected(db))
		result = db_failed(db, NULL);
	return result;
}

enum db_result
db_script(struct db *db, const char *sql)
{
	PGresult *res;
	enum db_result result;

	db_clear_error(db);
	if (!db_connected(db))
		return DB_AWAY;
	res = PQexec(db->pg, sql);
	result = judge(db, res);
	PQclear(res);
	return result;
}

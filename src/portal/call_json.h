/*
 * call_json.h: a call's record as its customer sees it.
 * Layer: portal.
 * Written by: nobody.
 */
#ifndef PORTAL_CALL_JSON_H
#define PORTAL_CALL_JSON_H

#include <stddef.h>

#include "db/call_columns.h"

struct buf;
struct db_rows;
struct json_object;

/* CALL_COLUMNS of my_call, then these. */
#define CALL_JSON_NAMES \
	" (SELECT name FROM youyun.model m WHERE m.id = c.model_id)"
#define CALL_JSON_SELECT \
	"SELECT c.*," CALL_JSON_NAMES " FROM (SELECT " CALL_COLUMNS \
	" FROM youyun.my_call"

/* Returned, the caller releases it. */
struct json_object *call_json(const struct db_rows *rows, size_t row);

/* The line of names, and a line of values, as RFC 4180 has them.  A text that
 * a spreadsheet would take for a formula gets an apostrophe in front. */
bool	call_csv_head(struct buf *out);
bool	call_csv(struct buf *out, const struct db_rows *rows, size_t row);

/* "req_…" to 16 bytes. */
bool	call_id_parse(const char *text, uint8_t id_r[RECORD_ID_BYTES]);

/* The one call with an id: its time stands in that, so that a moment's calls
 * are looked at, not all. */
#define CALL_BY_ID " WHERE started_at >= $1 AND started_at <= $2" \
	" AND request_id = encode($3, 'hex')::uuid"
void	call_by_id(const uint8_t id[RECORD_ID_BYTES], struct db_param p_r[3]);

#endif

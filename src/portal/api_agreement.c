/* What customers are owed for their data: who else receives them, what
 * happened to them, what was asked for. */
#include <json-c/json.h>
#include <string.h>

#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"

static const char *const nothing[] = { NULL };

static struct json_object *
subprocessor_json(const struct db_rows *rows, size_t i)
{
	struct json_object *o = json_object_new_object();

	put(o, "name", json_text(db_get_text(rows, i, 0)));
	put(o, "entity", json_text(db_get_text(rows, i, 1)));
	put(o, "purpose", json_text(db_get_text(rows, i, 2)));
	put(o, "regions", json_lines(db_get_text(rows, i, 3)));
	put(o, "country", json_text(db_get_text(rows, i, 4)));
	put(o, "announced", json_time(db_get_time(rows, i, 5)));
	put(o, "valid_from", json_time(db_get_time(rows, i, 6)));
	put(o, "ended", json_time(db_get_time(rows, i, 7)));
	return o;
}

/* Also those that ended: they have received data. */
void
run_subprocessors(struct request *r)
{
	struct json_object *o, *list;
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, nothing))
		return;
	result = db_query(r->db, "SELECT name, entity, purpose,"
	    " array_to_string(regions, E'\\n'), country, announced,"
	    " valid_from, ended FROM youyun.subprocessor ORDER BY name"
	    " LIMIT 1000", NULL, 0, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	list = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++)
		json_object_array_add(list, subprocessor_json(rows, i));
	db_rows_free(&rows);
	o = json_object_new_object();
	put(o, "subprocessors", list);
	answer_json(r, 200, o);
}

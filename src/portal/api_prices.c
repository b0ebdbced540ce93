/* What is sold, and for how much: for anybody. */
#include <json-c/json.h>

#include "base/money.h"
#include "base/usage.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/price_columns.h"
#include "portal/price_json.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

struct json_object *
price_json(const struct price *price)
{
	struct json_object *o = json_object_new_object(), *d;

	for (int i = 0; i < USAGE_DIMS; i++) {
		if (price->nano[i] == PRICE_UNSET)
			continue;
		d = json_object_new_object();
		put(d, "price", json_amount(price->nano[i]));
		put_int(d, "per", usage_dims[i].per);
		put(d, "unit", json_text(usage_dims[i].unit));
		put(o, usage_dims[i].name, d);
	}
	return o;
}

static struct json_object *
model_json(const struct db_rows *rows, size_t i)
{
	struct json_object *o = json_object_new_object();
	struct price price;

	db_get_price(rows, i, 0, &price);
	put(o, "model", json_text(db_get_text(rows, i,
	    DB_PRICE_COLUMN_COUNT)));
	put_int(o, "version", (int64_t)price.version);
	put(o, "effective_from", json_time(db_get_time(rows, i,
	    DB_PRICE_COLUMN_COUNT + 1)));
	put(o, "free", json_object_new_boolean(
	    (price.flags & PRICE_FREE) != 0));
	put(o, "prices", price_json(&price));
	put(o, "minimum", price.minimum_nano > 0 ?
	    json_amount(price.minimum_nano) : NULL);
	put(o, "long_above", price.long_above > 0 ?
	    json_object_new_int64((int64_t)price.long_above) : NULL);
	return o;
}

void
run_prices(struct request *r)
{
	static const char *const known[] = { NULL };
	struct json_object *o, *list;
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, known))
		return;
	result = db_query(r->db, "SELECT " DB_PRICE_COLUMNS ", m.name,"
	    " p.effective_from FROM youyun.model m"
	    " JOIN LATERAL (SELECT * FROM youyun.price q"
	    "  WHERE q.model_id = m.id AND q.effective_from <= now()"
	    "  ORDER BY q.effective_from DESC, q.id DESC LIMIT 1) p ON true"
	    " ORDER BY m.name LIMIT 10000", NULL, 0, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	list = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++)
		json_object_array_add(list, model_json(rows, i));
	db_rows_free(&rows);
	o = json_object_new_object();
	put(o, "currency", json_text(
	    r->portal->heritage->settings->currency));
	put(o, "models", list);
	answer_json(r, 200, o);
}

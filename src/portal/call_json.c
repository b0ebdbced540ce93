#include "portal/call_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/csv.h"
#include "base/clock.h"
#include "base/money.h"
#include "portal/request.h"
#include "wire/error.h"
#include "wire/route.h"

bool
call_id_parse(const char *text, uint8_t id_r[RECORD_ID_BYTES])
{
	return strncmp(text, "req_", 4) == 0 &&
	    strspn(text + 4, "0123456789abcdef") == 2 * RECORD_ID_BYTES &&
	    hex_decode(text + 4, id_r, RECORD_ID_BYTES);
}

static const char *
route_text(unsigned int route)
{
	const struct wire_route_info *info =
	    wire_route_info((enum wire_route)route);

	return info != NULL ? info->name : "unknown";
}

void
call_by_id(const uint8_t id[RECORD_ID_BYTES], struct db_param p_r[3])
{
	p_r[0] = db_time(record_id_us(id) - 1000000);
	p_r[1] = db_time(record_id_us(id) + 1000000);
	p_r[2] = db_bytes(id, RECORD_ID_BYTES);
}

static const char *
error_text(unsigned int error)
{
	return error == 0 ? "" : wire_error_name((enum wire_error)error);
}

/* What both forms are made of. */
struct shown {
	struct call_record record;
	char id[RECORD_ID_TEXT_BYTES];
	char factor[MONEY_TEXT_BYTES];
	char fee[MONEY_TEXT_BYTES];
	char time[WALL_TEXT_BYTES];
	char address[ADDRESS_TEXT_BYTES];
	char agent[RECORD_AGENT_BYTES + 1];
	const char *model;
};

static void
show(const struct db_rows *rows, size_t row, struct shown *s)
{
	uint64_t journal_id, journal_seq;
	int64_t transaction_id;
	struct wall_time t;

	memset(s, 0, sizeof(*s));
	call_columns_read(rows, row, &s->record, &journal_id, &journal_seq,
	    &transaction_id);
	record_id_format(s->record.request_id, s->id);
	ppm_format(s->record.multiplier_ppm, s->factor);
	money_format(s->record.fee_nano, 2, s->fee);
	t.us = s->record.started_us;
	wall_format(t, s->time);
	address_text(s->record.address, s->address);
	memcpy(s->agent, s->record.agent, RECORD_AGENT_BYTES);
	s->model = db_get_text(rows, row, CALL_COLUMN_COUNT);
}

static struct json_object *
text_or_null(const char *text)
{
	return text[0] != '\0' ? json_text(text) : NULL;
}

struct json_object *
call_json(const struct db_rows *rows, size_t row)
{
	struct json_object *o = json_object_new_object(), *usage;
	const struct call_record *r;
	struct shown s;

	show(rows, row, &s);
	r = &s.record;
	put(o, "request_id", json_text(s.id));
	put(o, "time", json_text(s.time));
	put(o, "route", json_text(route_text(r->route)));
	put(o, "model", text_or_null(s.model));
	put_int(o, "key_id", (int64_t)r->key_id);
	put_int(o, "status", r->status);
	put(o, "error", text_or_null(error_text(r->error)));
	usage = json_object_new_object();
	for (int i = 0; i < USAGE_DIMS; i++)
		if (r->count[i] != 0)
			put_int(usage, usage_dims[i].name,
			    (int64_t)r->count[i]);
	put(o, "usage", usage);
	put(o, "fee", json_text(s.fee));
	put(o, "multiplier", json_text(s.factor));
	put(o, "price_version", r->price_version != 0 ?
	    json_object_new_int64((int64_t)r->price_version) : NULL);
	put(o, "streamed", json_object_new_boolean(
	    (r->flags & RECORD_STREAMED) != 0));
	put(o, "estimated", json_object_new_boolean(
	    (r->flags & RECORD_ESTIMATED) != 0));
	put_int(o, "duration_ms", r->total_ms);
	put(o, "address", text_or_null(s.address));
	put(o, "user_agent", text_or_null(s.agent));
	return o;
}

static bool
cell_number(struct buf *out, int64_t n)
{
	return buf_printf(out, ",%" PRId64, n);
}

static bool
cell_text(struct buf *out, const char *text)
{
	return buf_append(out, ",", 1) && csv_cell(out, text);
}

bool
call_csv_head(struct buf *out)
{
	bool ok = buf_printf(out, "request_id,time,route,model,key_id,status,"
	    "error");

	for (int i = 0; ok && i < USAGE_DIMS; i++)
		ok = buf_printf(out, ",%s", usage_dims[i].name);
	return ok && buf_printf(out, ",fee,multiplier,price_version,streamed,"
	    "estimated,duration_ms,address,user_agent\r\n");
}

bool
call_csv(struct buf *out, const struct db_rows *rows, size_t row)
{
	const struct call_record *r;
	struct shown s;
	bool ok;

	show(rows, row, &s);
	r = &s.record;
	ok = buf_printf(out, "%s,%s", s.id, s.time) &&
	    cell_text(out, route_text(r->route)) && cell_text(out, s.model) &&
	    cell_number(out, (int64_t)r->key_id) &&
	    cell_number(out, r->status) &&
	    cell_text(out, error_text(r->error));
	for (int i = 0; ok && i < USAGE_DIMS; i++)
		ok = cell_number(out, (int64_t)r->count[i]);
	return ok && cell_text(out, s.fee) && cell_text(out, s.factor) &&
	    cell_number(out, (int64_t)r->price_version) &&
	    cell_number(out, (r->flags & RECORD_STREAMED) != 0) &&
	    cell_number(out, (r->flags & RECORD_ESTIMATED) != 0) &&
	    cell_number(out, r->total_ms) && cell_text(out, s.address) &&
	    cell_text(out, s.agent) && buf_append(out, "\r\n", 2);
}

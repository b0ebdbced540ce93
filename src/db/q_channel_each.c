#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct channel_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct channel_row row = {
		.id = db_get_int(r, 0, 0),
		.slot = db_get_int(r, 0, 1),
		.name = db_get_text(r, 0, 2),
		.protocol = db_get_int(r, 0, 3),
		.host = db_get_text(r, 0, 4),
		.port = db_get_int(r, 0, 5),
		.tls = db_get_bool(r, 0, 6),
		.base_path = db_get_text(r, 0, 7),
		.ca = db_get_text(r, 0, 8),
		.priority = db_get_int(r, 0, 9),
		.weight = db_get_int(r, 0, 10),
		.status = db_get_int(r, 0, 11),
		.created_us = db_get_time(r, 0, 12),
		.bounds = {
			.region = db_get_text(r, 0, 13),
			.entity = db_get_text(r, 0, 14),
			.headers = db_get_text(r, 0, 15),
			.connect_ms = db_get_int(r, 0, 16),
			.first_byte_ms = db_get_int(r, 0, 17),
			.first_token_ms = db_get_int(r, 0, 18),
			.idle_ms = db_get_int(r, 0, 19),
			.total_ms = db_get_int(r, 0, 20),
			.max_concurrent = db_get_int(r, 0, 21),
			.max_per_minute = db_get_int(r, 0, 22),
			.translates_responses = db_get_bool(r, 0, 27),
			.purpose = db_get_text(r, 0, 28),
			.max_tokens = db_get_int(r, 0, 31),
			.max_day_nano = db_get_int(r, 0, 32),
			.max_month_nano = db_get_int(r, 0, 33),
		},
		.proxy_host = db_get_text(r, 0, 23),
		.proxy_port = db_get_int(r, 0, 24),
		.groups = db_get_text(r, 0, 26),
		.subprocessor = db_get_text(r, 0, 29),
		.subprocessor_why = db_get_text(r, 0, 30),
	};

	row.proxy_auth = db_get_bytes(r, 0, 25, &row.proxy_auth_bytes);
	return pass->each(&row, pass->arg);
}

#define CHANNELS(proxy_credential) \
	"SELECT c.id, slot, c.name, protocol, c.host, c.port, tls, base_path," \
	" ca, priority, weight, status, created, region, c.entity, headers," \
	" connect_ms, first_byte_ms, first_token_ms, idle_ms, total_ms," \
	" max_concurrent, max_per_minute, p.host, p.port, " \
	proxy_credential "," \
	" (SELECT string_agg(g.name, ',' ORDER BY g.name)" \
	"  FROM youyun.channel_group x" \
	"  JOIN youyun.customer_group g ON g.id = x.group_id" \
	"  WHERE x.channel_id = c.id), translates_responses, c.purpose," \
	" s.name, CASE WHEN s.ended <= now()" \
	"  THEN 'its sub-processor ended on '" \
	"   || to_char(s.ended AT TIME ZONE 'UTC', 'YYYY-MM-DD')" \
	"  WHEN s.valid_from > now()" \
	"  THEN 'its sub-processor may receive data from '" \
	"   || to_char(s.valid_from AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')" \
	"   || ' on' END, max_tokens_per_minute, max_day_nano, max_month_nano" \
	" FROM youyun.channel c" \
	" LEFT JOIN youyun.channel_proxy p ON p.channel_id = c.id" \
	" LEFT JOIN youyun.subprocessor s ON s.id = c.subprocessor_id" \
	" WHERE $1 = 0 OR c.id = $1" \
	" ORDER BY priority, c.name"

/* An auditor reads channels, but nothing that is sealed. */
enum db_result
q_channel_each(struct db *db, int64_t id,
    bool (*each)(const struct channel_row *, void *), void *arg)
{
	struct db_param p = db_int(id);
	struct pass pass = { each, arg };
	enum db_result result;
	int64_t reads_sealed;

	result = db_fetch_int(db, "SELECT has_column_privilege("
	    "'youyun.channel_proxy', 'credential', 'SELECT')::int::bigint",
	    NULL, 0, &reads_sealed);
	if (result != DB_OK)
		return result;
	return db_query_each(db, reads_sealed != 0 ?
	    CHANNELS("p.credential") : CHANNELS("NULL::bytea"), &p, 1, take,
	    &pass);
}

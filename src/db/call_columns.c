#include "db/call_columns.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "db/wire.h"

#define YEAR_2200_US INT64_C(7258118400000000)

/* Where the plain integers from customer_id to moderation are. */
struct member {
	uint16_t offset;
	uint8_t bytes;		/* in the record; int4 of 1 and 2, else int8 */
	bool zero_is_null;
};
#define AT(m) offsetof(struct call_record, m)
static const struct member members[] = {
	{ AT(account_id), 8, true },
	{ AT(key_id), 8, true },
	{ AT(group_id), 8, true },
	{ AT(model_id), 8, true },
	{ AT(channel_id), 8, true },
	{ AT(price_version), 8, true },
	{ AT(fee_nano), 8, false },
	{ AT(uncollected_nano), 8, false },
	{ AT(held_nano), 8, false },
	{ AT(count[USAGE_INPUT]), 8, false },
	{ AT(count[USAGE_OUTPUT]), 8, false },
	{ AT(count[USAGE_CACHE_READ]), 8, false },
	{ AT(count[USAGE_CACHE_WRITE_5M]), 8, false },
	{ AT(count[USAGE_CACHE_WRITE_1H]), 8, false },
	{ AT(reasoning), 8, false },
	{ AT(request_bytes), 8, false },
	{ AT(answer_bytes), 8, false },
	{ AT(multiplier_ppm), 4, false },
	{ AT(flags), 4, false },
	{ AT(queue_ms), 4, false },
	{ AT(first_byte_ms), 4, false },
	{ AT(total_ms), 4, false },
	{ AT(route), 2, false },
	{ AT(protocol), 2, false },
	{ AT(status), 2, false },
	{ AT(error), 2, false },
	{ AT(upstream_status), 2, false },
	{ AT(node), 2, false },
	{ AT(attempts), 2, false },
	{ AT(credential_id), 8, true },
	{ AT(count[USAGE_INPUT_AUDIO]), 8, false },
	{ AT(count[USAGE_OUTPUT_AUDIO]), 8, false },
	{ AT(count[USAGE_INPUT_IMAGE]), 8, false },
	{ AT(count[USAGE_OUTPUT_IMAGE]), 8, false },
	{ AT(count[USAGE_IMAGES]), 8, false },
	{ AT(count[USAGE_CALLS]), 8, false },
	{ AT(count[USAGE_MILLISECONDS]), 8, false },
	{ AT(count[USAGE_CHARACTERS]), 8, false },
	{ AT(count[USAGE_TOOL_CALLS]), 8, false },
	{ AT(count[USAGE_CACHE_READ_AUDIO]), 8, false },
	{ AT(other_model_id), 8, true },
	{ AT(other_price_version), 8, true },
	{ AT(other_count[USAGE_INPUT]), 4, false },
	{ AT(other_count[USAGE_OUTPUT]), 4, false },
	{ AT(other_count[USAGE_CACHE_READ]), 4, false },
	{ AT(other_count[USAGE_CACHE_WRITE_5M]), 4, false },
	{ AT(other_count[USAGE_CACHE_WRITE_1H]), 4, false },
	{ AT(image_width), 2, false },
	{ AT(image_height), 2, false },
	{ AT(tier), 1, false },
	{ AT(speed), 1, false },
	{ AT(region), 1, false },
	{ AT(image_quality), 1, false },
	{ AT(screen_list_id), 2, false },
	{ AT(moderation), 1, false },
};
#undef AT
#define MEMBERS ((int)(sizeof(members) / sizeof(members[0])))
#define FIRST_MEMBER 5		/* its column */
#define ADDRESS_COLUMN (FIRST_MEMBER + MEMBERS)

static_assert(FIRST_MEMBER + sizeof(members) / sizeof(members[0]) + 2 ==
    CALL_COLUMN_COUNT, "every column is written");

static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

size_t
call_copy_header(uint8_t *p)
{
	static const uint8_t signature[11] = "PGCOPY\n\377\r\n";

	memcpy(p, signature, 11);
	memset(p + 11, 0, 8);
	return CALL_COPY_HEADER_BYTES;
}

size_t
call_copy_trailer(uint8_t *p)
{
	wire_put16(p, 0xffff);
	return CALL_COPY_TRAILER_BYTES;
}

static uint8_t *
put_null(uint8_t *p)
{
	wire_put32(p, 0xffffffff);
	return p + 4;
}

static uint8_t *
put_int8(uint8_t *p, int64_t v)
{
	wire_put32(p, 8);
	wire_put64(p + 4, (uint64_t)v);
	return p + 12;
}

static uint8_t *
put_int4(uint8_t *p, int32_t v)
{
	wire_put32(p, 4);
	wire_put32(p + 4, (uint32_t)v);
	return p + 8;
}

static uint8_t *
put_time(uint8_t *p, int64_t us)
{
	if (us < PG_EPOCH_US)
		us = PG_EPOCH_US;
	if (us > YEAR_2200_US)
		us = YEAR_2200_US;
	return put_int8(p, us - PG_EPOCH_US);
}

static uint8_t *
put_member(uint8_t *p, const struct call_record *record,
    const struct member *m)
{
	const uint8_t *from = (const uint8_t *)record + m->offset;
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	if (m->bytes == 1)
		return put_int4(p, *from);
	if (m->bytes == 2) {
		memcpy(&v16, from, 2);
		return put_int4(p, v16);
	}
	if (m->bytes == 4) {
		memcpy(&v32, from, 4);
		return put_int8(p, v32);
	}
	memcpy(&v64, from, 8);
	if (v64 > INT64_MAX)
		v64 = INT64_MAX;
	if (m->zero_is_null && v64 == 0)
		return put_null(p);
	return put_int8(p, (int64_t)v64);
}

static uint8_t *
put_address(uint8_t *p, const uint8_t address[16])
{
	static const uint8_t none[16];
	bool v4 = memcmp(address, v4_mapped, sizeof(v4_mapped)) == 0;
	uint8_t len = v4 ? 4 : 16;

	if (memcmp(address, none, sizeof(none)) == 0)
		return put_null(p);
	wire_put32(p, 4U + len);
	p[4] = v4 ? PG_INET_V4 : PG_INET_V6;
	p[5] = (uint8_t)(len * 8);
	p[6] = 0;
	p[7] = len;
	memcpy(p + 8, address + 16 - len, len);
	return p + 8 + len;
}

static uint8_t *
put_agent(uint8_t *p, const uint8_t agent[RECORD_AGENT_BYTES])
{
	uint32_t i;

	for (i = 0; i < RECORD_AGENT_BYTES && agent[i] != 0; i++)
		p[4 + i] = agent[i] >= 0x20 && agent[i] < 0x7f ? agent[i] : '?';
	wire_put32(p, i);
	return p + 4 + i;
}

size_t
call_copy_row(const struct call_record *record, uint64_t journal_id,
    uint64_t journal_seq, int64_t transaction_id, uint8_t *p)
{
	uint8_t *start = p;
	int i;

	wire_put16(p, CALL_COLUMN_COUNT);
	p = put_time(p + 2, record->started_us);
	wire_put32(p, RECORD_ID_BYTES);
	memcpy(p + 4, record->request_id, RECORD_ID_BYTES);
	p = put_int8(p + 4 + RECORD_ID_BYTES, (int64_t)journal_id);
	p = put_int8(p, (int64_t)journal_seq);
	p = transaction_id == 0 ? put_null(p) : put_int8(p, transaction_id);
	for (i = 0; i < MEMBERS; i++)
		p = put_member(p, record, &members[i]);
	p = put_address(p, record->address);
	p = put_agent(p, record->agent);
	assert(p - start <= CALL_COPY_ROW_MAX_BYTES);
	return (size_t)(p - start);
}

static void
get_member(const struct db_rows *rows, size_t row, int column,
    const struct member *m, struct call_record *record_r)
{
	uint8_t *to = (uint8_t *)record_r + m->offset;
	int64_t v = db_get_int(rows, row, column);
	uint32_t v32 = (uint32_t)v;
	uint16_t v16 = (uint16_t)v;
	uint8_t v8 = (uint8_t)v;

	if (m->bytes == 8)
		memcpy(to, &v, 8);
	else if (m->bytes == 4)
		memcpy(to, &v32, 4);
	else if (m->bytes == 2)
		memcpy(to, &v16, 2);
	else
		*to = v8;
}

static void
get_address(const struct db_rows *rows, size_t row, uint8_t address_r[16])
{
	size_t len;
	const uint8_t *p = db_get_bytes(rows, row, ADDRESS_COLUMN, &len);

	if (len == 8 && p[0] == PG_INET_V4) {
		memcpy(address_r, v4_mapped, sizeof(v4_mapped));
		memcpy(address_r + 12, p + 4, 4);
	} else if (len == 20 && p[0] == PG_INET_V6) {
		memcpy(address_r, p + 4, 16);
	}
}

void
call_columns_read(const struct db_rows *rows, size_t row,
    struct call_record *record_r, uint64_t *journal_id_r,
    uint64_t *journal_seq_r, int64_t *transaction_id_r)
{
	const char *agent;
	const void *id;
	size_t len;
	int i;

	memset(record_r, 0, sizeof(*record_r));
	record_r->started_us = db_get_time(rows, row, 0);
	id = db_get_bytes(rows, row, 1, &len);
	assert(len == RECORD_ID_BYTES);
	memcpy(record_r->request_id, id, RECORD_ID_BYTES);
	*journal_id_r = (uint64_t)db_get_int(rows, row, 2);
	*journal_seq_r = (uint64_t)db_get_int(rows, row, 3);
	*transaction_id_r = db_get_int(rows, row, 4);
	for (i = 0; i < MEMBERS; i++)
		get_member(rows, row, FIRST_MEMBER + i, &members[i], record_r);
	get_address(rows, row, record_r->address);
	agent = db_get_text(rows, row, ADDRESS_COLUMN + 1);
	memcpy(record_r->agent, agent, strnlen(agent, RECORD_AGENT_BYTES));
}

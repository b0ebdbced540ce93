/*
 * record.c: a usage into a record, and out of it.
 */
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"

#include "shm/record.h"

void
record_id_format(const uint8_t id[RECORD_ID_BYTES],
    char text_r[RECORD_ID_TEXT_BYTES])
{
	memcpy(text_r, "req_", 4);
	hex_encode(id, RECORD_ID_BYTES, text_r + 4);
}

int64_t
record_id_us(const uint8_t id[RECORD_ID_BYTES])
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id[i];
	return ms * 1000;
}

void
record_minimise(struct call_record *r)
{
	/* /24, as mapped into IPv6; /48 */
	size_t kept = address_is_ipv4(r->address) ? 15 : 6;

	if ((r->flags & RECORD_ADDRESS_NONE) != 0)
		kept = 0;
	if ((r->flags & (RECORD_ADDRESS_NETWORK | RECORD_ADDRESS_NONE)) != 0)
		memset(r->address + kept, 0, sizeof(r->address) - kept);
	if ((r->flags & RECORD_AGENT_NONE) != 0)
		memset(r->agent, 0, sizeof(r->agent));
}

void
record_put_usage(struct call_record *r, const struct usage *usage)
{
	memcpy(r->count, usage->count, sizeof(r->count));
	r->reasoning = usage->reasoning;
	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		r->other_count[i] = (uint32_t)usage->other.count[i];
	r->tier = usage->tier;
	r->speed = usage->speed;
	r->region = usage->region;
	r->image_quality = usage->image_quality;
	r->image_width = usage->image_width;
	r->image_height = usage->image_height;
	if (usage->marks & USAGE_ESTIMATED)
		r->flags |= RECORD_ESTIMATED;
	if (usage->marks & USAGE_CLAMPED)
		r->flags |= RECORD_CLAMPED;
	if (usage->marks & USAGE_UNKNOWN_FIELD)
		r->flags |= RECORD_UNKNOWN_USAGE;
}

void
record_get_usage(const struct call_record *r, struct usage *usage_r)
{
	memset(usage_r, 0, sizeof(*usage_r));
	memcpy(usage_r->count, r->count, sizeof(r->count));
	usage_r->reasoning = r->reasoning;
	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		usage_r->other.count[i] = r->other_count[i];
	usage_r->tier = r->tier;
	usage_r->speed = r->speed;
	usage_r->region = r->region;
	usage_r->image_quality = r->image_quality;
	usage_r->image_width = r->image_width;
	usage_r->image_height = r->image_height;
}

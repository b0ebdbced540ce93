/*
 * served.c: the words in which answers say how they were served.
 */
#include <string.h>
#include <strings.h>

#include "wire/meter_reader.h"

struct word {
	const char *text;
	uint8_t number;
};

static const struct word tiers[] = {
	{ "", TIER_STANDARD },
	{ "auto", TIER_STANDARD },
	{ "default", TIER_STANDARD },
	{ "standard", TIER_STANDARD },
	{ "standard_only", TIER_STANDARD },
	{ "on_demand", TIER_STANDARD },
	{ "service_tier_unspecified", TIER_STANDARD },
	{ "unspecified", TIER_STANDARD },
	{ "traffic_type_unspecified", TIER_STANDARD },
	{ "flex", TIER_FLEX },
	{ "on_demand_flex", TIER_FLEX },
	{ "scale", TIER_SCALE },
	{ "provisioned_throughput", TIER_SCALE },
	{ "priority", TIER_PRIORITY },
	{ "on_demand_priority", TIER_PRIORITY },
	{ "fast", TIER_FAST },
	{ "ultrafast", TIER_ULTRAFAST },
	{ "batch", TIER_BATCH },
};

static const struct word regions[] = {
	{ "", REGION_GLOBAL },
	{ "global", REGION_GLOBAL },
	{ "not_available", REGION_GLOBAL },
	{ "us", REGION_US },
	{ "eu", REGION_EU },
};

static const struct word qualities[] = {
	{ "auto", IMAGE_QUALITY_AUTO },
	{ "standard", IMAGE_QUALITY_AUTO },
	{ "low", IMAGE_QUALITY_LOW },
	{ "medium", IMAGE_QUALITY_MEDIUM },
	{ "high", IMAGE_QUALITY_HIGH },
	{ "hd", IMAGE_QUALITY_HIGH },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Providers differ in letter case. */
static bool
find(const struct word *words, size_t n, const char *text, size_t len,
    uint8_t *number_r)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strlen(words[i].text) != len ||
		    strncasecmp(words[i].text, text, len) != 0)
			continue;
		*number_r = words[i].number;
		return true;
	}
	return false;
}

void
wire_meter_tier(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (value->type != JSON_STRING)
		return;
	if (value->text_cut || !find(tiers, COUNT(tiers), value->text,
	    value->text_len, &meter->tier))
		meter->tier = TIER_OTHER;
}

void
wire_meter_speed(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (value->type != JSON_STRING)
		return;
	meter->speed = wire_text_is(value, "fast") ? SPEED_FAST : SPEED_NORMAL;
}

void
wire_meter_region(struct wire_meter *meter,
    const struct json_pull_value *value)
{
	if (value->type != JSON_STRING)
		return;
	if (value->text_cut || !find(regions, COUNT(regions), value->text,
	    value->text_len, &meter->region))
		meter->region = REGION_OTHER;
}

void
wire_meter_id(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (value->type != JSON_STRING || value->text_cut ||
	    value->text_len >= sizeof(meter->id) ||
	    memchr(value->text, '\0', value->text_len) != NULL)
		return;
	memcpy(meter->id, value->text, value->text_len);
	meter->id[value->text_len] = '\0';
}

static size_t
take_side(const char *text, size_t len, uint16_t *side_r)
{
	uint32_t side = 0;
	size_t n;

	for (n = 0; n < len && text[n] >= '0' && text[n] <= '9'; n++) {
		side = side * 10 + (uint32_t)(text[n] - '0');
		if (side > UINT16_MAX)
			return 0;
	}
	*side_r = (uint16_t)side;
	return n;
}

bool
wire_image_size(const char *text, size_t len, uint16_t *width_r,
    uint16_t *height_r)
{
	uint16_t width, height;
	size_t n;

	n = take_side(text, len, &width);
	if (n == 0 || n >= len || (text[n] | 0x20) != 'x')
		return false;
	text += n + 1;
	len -= n + 1;
	n = take_side(text, len, &height);
	if (n == 0 || n != len)
		return false;
	*width_r = width;
	*height_r = height;
	return true;
}

bool
wire_image_quality(const char *text, size_t len, uint8_t *quality_r)
{
	return find(qualities, COUNT(qualities), text, len, quality_r);
}

/*
 * asked.c: see asked.h.
 */
#include "wire/asked.h"

#include <string.h>
#include <strings.h>

#include "base/usage.h"

#define BIT(n) (1u << (n))
#define WORD_BYTES 32

/* "auto" takes what the operator has bought, and is the default. */
#define TIERS_AUTO (BIT(TIER_STANDARD) | BIT(TIER_SCALE) | BIT(TIER_PRIORITY))
#define ALL(n) (BIT(n) - 1)

struct word {
	const char *text;
	uint8_t set;
};

/* An upstream may always fall back to the usual tier. */
static const struct word tiers[] = {
	{ "auto", TIERS_AUTO },
	{ "default", BIT(TIER_STANDARD) },
	{ "standard", BIT(TIER_STANDARD) },
	{ "standard_only", BIT(TIER_STANDARD) },
	{ "flex", BIT(TIER_STANDARD) | BIT(TIER_FLEX) },
	{ "scale", BIT(TIER_STANDARD) | BIT(TIER_SCALE) },
	{ "priority", BIT(TIER_STANDARD) | BIT(TIER_PRIORITY) },
	{ "fast", BIT(TIER_STANDARD) | BIT(TIER_FAST) },
	{ "ultrafast", BIT(TIER_STANDARD) | BIT(TIER_ULTRAFAST) },
	{ "batch", BIT(TIER_STANDARD) | BIT(TIER_BATCH) },
	{ NULL, ALL(USAGE_TIERS) }
};

static const struct word speeds[] = {
	{ "standard", BIT(SPEED_NORMAL) },
	{ "normal", BIT(SPEED_NORMAL) },
	{ NULL, ALL(USAGE_SPEEDS) }
};

static const struct word regions[] = {
	{ "global", BIT(REGION_GLOBAL) },
	{ "us", BIT(REGION_US) },
	{ "eu", BIT(REGION_EU) },
	{ NULL, ALL(USAGE_REGIONS) }
};

/* The last row's set for a word that we don't know. */
static uint8_t
set_of(const struct word *words, const char *body,
    const struct json_want *want, uint8_t unset)
{
	char text[WORD_BYTES] = "";
	size_t len;

	if (want == NULL || want->type == JSON_ABSENT ||
	    want->type == JSON_NULL)
		return unset;
	if (want->type != JSON_STRING ||
	    json_scan_string_copy(body + want->value_start,
	    want->value_end - want->value_start, text, sizeof(text), &len) !=
	    JSON_STRING_OK)
		text[0] = '\0';
	while (words->text != NULL && strcasecmp(words->text, text) != 0)
		words++;
	return words->set;
}

struct wire_asked
wire_asked_read(const char *body, const struct json_want *tier,
    const struct json_want *speed, const struct json_want *region)
{
	return (struct wire_asked) {
		.tiers = set_of(tiers, body, tier, TIERS_AUTO),
		.speeds = set_of(speeds, body, speed, BIT(SPEED_NORMAL)),
		.regions = set_of(regions, body, region, ALL(USAGE_REGIONS)),
	};
}

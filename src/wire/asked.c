/*
 * asked.c: see asked.h.
 */
#include "wire/asked.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/usage.h"
#include "http/json_pull.h"

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

/* What the types of tools begin with that a provider runs and counts. */
static const char *const served_tools[] = { "web_search", "file_search" };

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

enum tool_node { NODE_TOOLS, NODE_TOOL, NODE_TYPE, NODE_MAX_USES, TOOL_NODES };

static const struct json_node tool_nodes[TOOL_NODES] = {
	[NODE_TOOLS] = JSON_NODE("", NODE_TOOL, 1, 0),
	[NODE_TOOL] = JSON_NODE("[]", NODE_TYPE, 2, JSON_NODE_EDGES),
	[NODE_TYPE] = JSON_NODE("type", 0, 0, 0),
	[NODE_MAX_USES] = JSON_NODE("max_uses", 0, 0, 0),
};

struct tool_count {
	uint64_t calls;			/* of all tools so far */
	uint64_t max_uses;		/* of this one */
	bool served;
};

static bool
is_served(const struct json_pull_value *value)
{
	for (size_t i = 0; i < sizeof(served_tools) / sizeof(served_tools[0]);
	    i++) {
		size_t len = strlen(served_tools[i]);

		if (value->text_len >= len &&
		    memcmp(value->text, served_tools[i], len) == 0)
			return true;
	}
	return false;
}

static void
report_tool(void *context, const struct json_pull_value *value)
{
	struct tool_count *count = context;

	switch ((enum tool_node)value->node) {
	case NODE_TOOL:
		if (value->edge == JSON_PULL_BEGIN) {
			count->served = false;
			count->max_uses = WIRE_ASKED_TOOL_CALLS;
		} else if (value->edge == JSON_PULL_END && count->served) {
			count->calls += count->max_uses;
		}
		return;
	case NODE_TYPE:
		if (value->type == JSON_STRING)
			count->served = is_served(value);
		return;
	case NODE_MAX_USES:
		if (value->type == JSON_NUMBER && !value->negative &&
		    !value->absurd)
			count->max_uses = value->number;
		return;
	case NODE_TOOLS:
	case TOOL_NODES:
		return;
	}
}

uint32_t
wire_asked_tools(const char *body, const struct json_want *tools,
    const struct json_want *web_search)
{
	struct tool_count count = { 0 };
	struct json_pull pull;

	if (web_search != NULL && web_search->type == JSON_OBJECT)
		count.calls = WIRE_ASKED_TOOL_CALLS;
	if (tools != NULL && tools->type == JSON_ARRAY) {
		json_pull_init(&pull, tool_nodes, report_tool, &count);
		(void)json_pull_feed(&pull, body + tools->value_start,
		    tools->value_end - tools->value_start);
	}
	return count.calls < USAGE_COUNT_MAX ? (uint32_t)count.calls :
	    (uint32_t)USAGE_COUNT_MAX;
}

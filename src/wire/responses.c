/*
 * responses.c: usage of OpenAI responses.
 *
 * One response object, or events of which those named response.* carry it
 * whole under `response`; its usage is in the last one only.  One that is made
 * in the background is answered with at once, without usage, and asked for
 * again by its id.
 */
#include <string.h>

#include "wire/estimate.h"
#include "wire/meter_reader.h"

enum field {
	FIELD_INPUT,
	FIELD_OUTPUT,
	FIELD_CACHED,
	FIELD_CACHE_WRITE,
	FIELD_WRITE_30M,
	FIELD_WRITE_12H,
	FIELD_INPUT_AUDIO,
	FIELD_INPUT_IMAGE,
	FIELD_CACHED_AUDIO,
	FIELD_CACHED_IMAGE,
	FIELD_REASONING,
	FIELD_OUTPUT_AUDIO,
	FIELD_OUTPUT_IMAGE,
	FIELD_TOOLS,		/* all that the server ran, in one number */
	FIELD_TOOL_KINDS,	/* the sum of those that cost money */
	/* Of the response, not of its usage. */
	FIELD_SEARCHES,
	FIELD_DRAWN_INPUT,	/* by its tool that makes images */
	FIELD_DRAWN_OUTPUT,
	FIELD_SEARCH_ITEMS,
	FIELD_FILE_ITEMS
};

enum node {
	NODE_ROOT,
	/* root; from NODE_ID on it is the response's members */
	NODE_TYPE,
	NODE_RESPONSE,
	NODE_DELTA,
	NODE_WHOLE_OUTPUT,
	NODE_ID,
	NODE_STATUS,
	NODE_USAGE,
	NODE_TOOL_USAGE,
	NODE_SERVICE_TIER,
	NODE_ERROR,
	/* response */
	NODE_R_OUTPUT,
	NODE_R_ID,
	NODE_R_STATUS,
	NODE_R_USAGE,
	NODE_R_TOOL_USAGE,
	NODE_R_SERVICE_TIER,
	NODE_R_ERROR,
	/* output, response.output */
	NODE_ITEM,
	NODE_R_ITEM,
	/* output[] */
	NODE_ITEM_TYPE,
	NODE_ITEM_CONTENT,
	NODE_ITEM_SUMMARY,
	NODE_ITEM_ARGUMENTS,
	NODE_ITEM_INPUT,
	NODE_ITEM_CODE,
	/* output[].content, .summary */
	NODE_PART,
	/* output[].content[] */
	NODE_PART_TEXT,
	NODE_PART_REFUSAL,
	/* tool_usage */
	NODE_WEB_SEARCH,
	NODE_IMAGE_GEN,
	/* tool_usage.web_search */
	NODE_NUM_REQUESTS,
	/* tool_usage.image_gen */
	NODE_DRAWN_INPUT,
	NODE_DRAWN_OUTPUT,
	/* usage */
	NODE_INPUT,
	NODE_OUTPUT,
	NODE_TOTAL,
	NODE_NUM_TOOLS,
	NODE_TOOL_DETAILS,
	NODE_INPUT_DETAILS,
	NODE_OUTPUT_DETAILS,
	/* usage.server_side_tool_usage_details */
	NODE_MCP_CALLS,
	/* usage.input_tokens_details */
	NODE_CACHED,
	NODE_CACHE_WRITE,
	NODE_WRITE_DETAILS,
	NODE_CACHED_DETAILS,
	NODE_IN_AUDIO,
	NODE_IN_IMAGE,
	NODE_IN_TEXT,
	/* usage.input_tokens_details.cache_write_tokens_details */
	NODE_TTL_12H,
	NODE_TTL_30M,
	/* usage.input_tokens_details.cached_tokens_details */
	NODE_CACHED_AUDIO,
	NODE_CACHED_IMAGE,
	NODE_CACHED_TEXT,
	/* usage.output_tokens_details */
	NODE_REASONING,
	NODE_OUT_AUDIO,
	NODE_OUT_IMAGE,
	NODE_OUT_TEXT,
	NODES
};

#define LEAF(literal) JSON_NODE(literal, 0, 0, 0)
#define TEXT(literal) JSON_NODE(literal, 0, 0, JSON_NODE_COUNT_TEXT)
#define UNDER(literal, first, last, flags) \
	JSON_NODE(literal, first, (last) - (first) + 1, flags)
#define USAGE_NODE UNDER("usage", NODE_INPUT, NODE_OUTPUT_DETAILS, \
	JSON_NODE_EDGES | JSON_NODE_REPORT_REST)
#define TOOL_USAGE_NODE UNDER("tool_usage", NODE_WEB_SEARCH, NODE_IMAGE_GEN, 0)
/* An event of type "error" is flat; its members are no object. */
#define ERROR_NODE JSON_NODE("error", 0, 0, JSON_NODE_EDGES)

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = UNDER("", NODE_TYPE, NODE_ERROR, 0),
	[NODE_TYPE] = LEAF("type"),
	[NODE_RESPONSE] = UNDER("response", NODE_R_OUTPUT, NODE_R_ERROR, 0),
	[NODE_DELTA] = TEXT("delta"),
	[NODE_WHOLE_OUTPUT] = JSON_NODE("output", NODE_ITEM, 1,
	    JSON_NODE_EDGES),
	[NODE_ID] = LEAF("id"),
	[NODE_STATUS] = LEAF("status"),
	[NODE_USAGE] = USAGE_NODE,
	[NODE_TOOL_USAGE] = TOOL_USAGE_NODE,
	[NODE_SERVICE_TIER] = LEAF("service_tier"),
	[NODE_ERROR] = ERROR_NODE,
	/* The text went by in deltas. */
	[NODE_R_OUTPUT] = JSON_NODE("output", NODE_R_ITEM, 1,
	    JSON_NODE_EDGES),
	[NODE_R_ID] = LEAF("id"),
	[NODE_R_STATUS] = LEAF("status"),
	[NODE_R_USAGE] = USAGE_NODE,
	[NODE_R_TOOL_USAGE] = TOOL_USAGE_NODE,
	[NODE_R_SERVICE_TIER] = LEAF("service_tier"),
	[NODE_R_ERROR] = ERROR_NODE,
	[NODE_ITEM] = UNDER("[]", NODE_ITEM_TYPE, NODE_ITEM_CODE, 0),
	[NODE_R_ITEM] = JSON_NODE("[]", NODE_ITEM_TYPE, 1, 0),
	[NODE_ITEM_TYPE] = LEAF("type"),
	[NODE_ITEM_CONTENT] = JSON_NODE("content", NODE_PART, 1, 0),
	[NODE_ITEM_SUMMARY] = JSON_NODE("summary", NODE_PART, 1, 0),
	[NODE_ITEM_ARGUMENTS] = TEXT("arguments"),
	[NODE_ITEM_INPUT] = TEXT("input"),
	[NODE_ITEM_CODE] = TEXT("code"),
	[NODE_PART] = UNDER("[]", NODE_PART_TEXT, NODE_PART_REFUSAL, 0),
	[NODE_PART_TEXT] = TEXT("text"),
	[NODE_PART_REFUSAL] = TEXT("refusal"),
	[NODE_WEB_SEARCH] = JSON_NODE("web_search", NODE_NUM_REQUESTS, 1, 0),
	[NODE_IMAGE_GEN] = UNDER("image_gen", NODE_DRAWN_INPUT,
	    NODE_DRAWN_OUTPUT, 0),
	[NODE_NUM_REQUESTS] = LEAF("num_requests"),
	[NODE_DRAWN_INPUT] = LEAF("input_tokens"),
	[NODE_DRAWN_OUTPUT] = LEAF("output_tokens"),
	[NODE_INPUT] = LEAF("input_tokens"),
	[NODE_OUTPUT] = LEAF("output_tokens"),
	[NODE_TOTAL] = LEAF("total_tokens"),
	[NODE_NUM_TOOLS] = LEAF("num_server_side_tools_used"),
	[NODE_TOOL_DETAILS] = JSON_NODE("server_side_tool_usage_details",
	    NODE_MCP_CALLS, 1, JSON_NODE_REPORT_REST),
	[NODE_INPUT_DETAILS] = UNDER("input_tokens_details", NODE_CACHED,
	    NODE_IN_TEXT, JSON_NODE_REPORT_REST),
	[NODE_OUTPUT_DETAILS] = UNDER("output_tokens_details", NODE_REASONING,
	    NODE_OUT_TEXT, JSON_NODE_REPORT_REST),
	/* Calls of the customer's own servers cost tokens only. */
	[NODE_MCP_CALLS] = LEAF("mcp_calls"),
	[NODE_CACHED] = LEAF("cached_tokens"),
	[NODE_CACHE_WRITE] = LEAF("cache_write_tokens"),
	[NODE_WRITE_DETAILS] = UNDER("cache_write_tokens_details",
	    NODE_TTL_12H, NODE_TTL_30M, JSON_NODE_REPORT_REST),
	[NODE_CACHED_DETAILS] = UNDER("cached_tokens_details",
	    NODE_CACHED_AUDIO, NODE_CACHED_TEXT, JSON_NODE_REPORT_REST),
	[NODE_IN_AUDIO] = LEAF("audio_tokens"),
	[NODE_IN_IMAGE] = LEAF("image_tokens"),
	[NODE_IN_TEXT] = LEAF("text_tokens"),
	[NODE_TTL_12H] = LEAF("ttl_12h_tokens"),
	[NODE_TTL_30M] = LEAF("ttl_30m_tokens"),
	[NODE_CACHED_AUDIO] = LEAF("audio_tokens"),
	[NODE_CACHED_IMAGE] = LEAF("image_tokens"),
	[NODE_CACHED_TEXT] = LEAF("text_tokens"),
	[NODE_REASONING] = LEAF("reasoning_tokens"),
	[NODE_OUT_AUDIO] = LEAF("audio_tokens"),
	[NODE_OUT_IMAGE] = LEAF("image_tokens"),
	[NODE_OUT_TEXT] = LEAF("text_tokens"),
};

static void
report_type(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (wire_text_is(value, "response.completed") ||
	    wire_text_is(value, "response.incomplete") ||
	    wire_text_is(value, "response.failed") ||
	    wire_text_is(value, "response.cancelled"))
		meter->last_frame = true;
	else if (wire_text_is(value, "error"))
		meter->error_seen = true;
}

static void
report_status(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (value->type != JSON_STRING)
		return;
	meter->has_status = true;
	meter->pending = wire_text_is(value, "queued") ||
	    wire_text_is(value, "in_progress");
}

static void
report_usage_edge(struct wire_meter *meter, enum json_pull_edge edge)
{
	struct wire_meter_fields *part = &meter->part;

	if (edge == JSON_PULL_BEGIN)
		memset(part, 0, sizeof(*part));
	else if (edge == JSON_PULL_END && (wire_field_seen(part, FIELD_INPUT) ||
	    wire_field_seen(part, FIELD_OUTPUT)))
		meter->total = *part;
}

/* The items of one output; the last output that is told is all of it. */
static void
report_item(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (wire_text_is(value, "web_search_call"))
		meter->own.value[FIELD_SEARCH_ITEMS]++;
	else if (wire_text_is(value, "file_search_call"))
		meter->own.value[FIELD_FILE_ITEMS]++;
}

static void
report_unlisted(struct wire_meter *meter, const struct json_pull_value *value)
{
	struct wire_meter_fields *part = &meter->part;
	struct wire_meter_fields one = { 0 };

	if (value->node != NODE_TOOL_DETAILS) {
		wire_field_unknown(part, value);
		return;
	}
	wire_field_take(&one, FIELD_TOOL_KINDS, value);
	part->value[FIELD_TOOL_KINDS] = wire_count_add(
	    part->value[FIELD_TOOL_KINDS], one.value[FIELD_TOOL_KINDS],
	    &part->marks);
	part->seen |= one.seen;
}

/* The field of a usage's member; false: it is none. */
static bool
field_of(enum node node, enum field *field_r)
{
	static const struct {
		uint8_t node;
		uint8_t field;
	} rows[] = {
		{ NODE_INPUT, FIELD_INPUT },
		{ NODE_OUTPUT, FIELD_OUTPUT },
		{ NODE_NUM_TOOLS, FIELD_TOOLS },
		{ NODE_CACHED, FIELD_CACHED },
		{ NODE_CACHE_WRITE, FIELD_CACHE_WRITE },
		{ NODE_TTL_12H, FIELD_WRITE_12H },
		{ NODE_TTL_30M, FIELD_WRITE_30M },
		{ NODE_IN_AUDIO, FIELD_INPUT_AUDIO },
		{ NODE_IN_IMAGE, FIELD_INPUT_IMAGE },
		{ NODE_CACHED_AUDIO, FIELD_CACHED_AUDIO },
		{ NODE_CACHED_IMAGE, FIELD_CACHED_IMAGE },
		{ NODE_REASONING, FIELD_REASONING },
		{ NODE_OUT_AUDIO, FIELD_OUTPUT_AUDIO },
		{ NODE_OUT_IMAGE, FIELD_OUTPUT_IMAGE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].node == node) {
			*field_r = (enum field)rows[i].field;
			return true;
		}
	return false;
}

static void
report(void *context, const struct json_pull_value *value)
{
	struct wire_meter *meter = context;
	enum field field;

	if (value->unlisted) {
		report_unlisted(meter, value);
		return;
	}
	switch ((enum node)value->node) {
	case NODE_TYPE:
		report_type(meter, value);
		return;
	case NODE_ID:
		/* An event's own id is not the response's. */
		if (!meter->streamed)
			wire_meter_id(meter, value);
		return;
	case NODE_R_ID:
		wire_meter_id(meter, value);
		return;
	case NODE_STATUS:
	case NODE_R_STATUS:
		report_status(meter, value);
		return;
	case NODE_USAGE:
	case NODE_R_USAGE:
		report_usage_edge(meter, value->edge);
		return;
	case NODE_SERVICE_TIER:
	case NODE_R_SERVICE_TIER:
		wire_meter_tier(meter, value);
		return;
	case NODE_ERROR:
	case NODE_R_ERROR:
		if (value->type != JSON_NULL)
			meter->error_seen = true;
		return;
	case NODE_WHOLE_OUTPUT:
	case NODE_R_OUTPUT:
		if (value->edge == JSON_PULL_BEGIN)
			meter->own.value[FIELD_SEARCH_ITEMS] =
			    meter->own.value[FIELD_FILE_ITEMS] = 0;
		return;
	case NODE_ITEM_TYPE:
		report_item(meter, value);
		return;
	case NODE_NUM_REQUESTS:
		wire_field_take_max(&meter->own, FIELD_SEARCHES, value);
		return;
	case NODE_DRAWN_INPUT:
		wire_field_take_max(&meter->own, FIELD_DRAWN_INPUT, value);
		return;
	case NODE_DRAWN_OUTPUT:
		wire_field_take_max(&meter->own, FIELD_DRAWN_OUTPUT, value);
		return;
	default:
		break;
	}
	if (field_of((enum node)value->node, &field))
		wire_field_take(&meter->part, field, value);
}

/* What was written for 30 minutes at most, and for longer. */
static void
split_writes(const struct wire_meter_fields *total,
    struct wire_input_split *input, struct usage *usage)
{
	uint64_t all = total->value[FIELD_CACHE_WRITE];

	if (!wire_field_seen(total, FIELD_CACHE_WRITE))
		all = wire_count_add(total->value[FIELD_WRITE_30M],
		    total->value[FIELD_WRITE_12H], &usage->marks);
	input->written_long = wire_count_within(
	    total->value[FIELD_WRITE_12H], all, &usage->marks);
	input->written = all - input->written_long;
}

/* By our knowledge of the tools, or by the sum that some providers state. */
static uint64_t
tool_calls(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	const struct wire_meter_fields *own = &meter->own;

	if (wire_field_seen(total, FIELD_TOOL_KINDS))
		return total->value[FIELD_TOOL_KINDS];
	if (wire_field_seen(total, FIELD_TOOLS))
		return total->value[FIELD_TOOLS];
	return wire_count_add(wire_field_seen(own, FIELD_SEARCHES) ?
	    own->value[FIELD_SEARCHES] :
	    wire_count_within(own->value[FIELD_SEARCH_ITEMS],
	    USAGE_COUNT_MAX, &usage->marks),
	    wire_count_within(own->value[FIELD_FILE_ITEMS], USAGE_COUNT_MAX,
	    &usage->marks), &usage->marks);
}

static uint64_t
output_of(const struct wire_meter *meter, struct usage *usage)
{
	if (wire_field_seen(&meter->total, FIELD_OUTPUT))
		return meter->total.value[FIELD_OUTPUT];
	usage->marks |= USAGE_ESTIMATED;
	return wire_count_within(
	    wire_estimate_output_tokens(meter->output_bytes_seen),
	    USAGE_COUNT_MAX, &usage->marks);
}

static void
settle(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	struct wire_input_split input = {
		.total = total->value[FIELD_INPUT],
		.cached = total->value[FIELD_CACHED],
		.audio = total->value[FIELD_INPUT_AUDIO],
		.image = total->value[FIELD_INPUT_IMAGE],
		.cached_audio = total->value[FIELD_CACHED_AUDIO],
		.cached_image = total->value[FIELD_CACHED_IMAGE],
		.cached_split = wire_field_seen(total, FIELD_CACHED_AUDIO) ||
		    wire_field_seen(total, FIELD_CACHED_IMAGE),
	};

	if (total->seen == 0)
		return;
	usage->marks = USAGE_SEEN | total->marks | meter->own.marks;
	split_writes(total, &input, usage);
	wire_split_input(&input, usage);
	wire_split_output(output_of(meter, usage),
	    total->value[FIELD_OUTPUT_AUDIO],
	    total->value[FIELD_OUTPUT_IMAGE], usage);
	usage->count[USAGE_TOOL_CALLS] = tool_calls(meter, usage);
	/* The tool's own tokens are not among the response's. */
	usage->count[USAGE_INPUT_IMAGE] = wire_count_add(
	    usage->count[USAGE_INPUT_IMAGE],
	    meter->own.value[FIELD_DRAWN_INPUT], &usage->marks);
	usage->count[USAGE_OUTPUT_IMAGE] = wire_count_add(
	    usage->count[USAGE_OUTPUT_IMAGE],
	    meter->own.value[FIELD_DRAWN_OUTPUT], &usage->marks);
	usage->reasoning = wire_count_within(total->value[FIELD_REASONING],
	    usage->count[USAGE_OUTPUT], &usage->marks);
}

const struct wire_meter_reader wire_meter_responses = { nodes, report, settle };

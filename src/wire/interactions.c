/*
 * interactions.c: usage of Gemini's interactions.
 *
 * One interaction, or events of which interaction.* carry it under
 * `interaction`; its usage is in the completed one.  The input includes what
 * was cached; the output leaves the thoughts out.
 */
#include <string.h>

#include "wire/estimate.h"
#include "wire/meter_reader.h"
#include "wire/modality.h"

enum field {
	FIELD_INPUT,
	FIELD_CACHED,
	FIELD_OUTPUT,
	FIELD_TOOL_USE,
	FIELD_THOUGHTS,
	FIELD_IN_AUDIO,
	FIELD_IN_IMAGE,
	FIELD_CACHED_AUDIO,
	FIELD_CACHED_IMAGE,
	FIELD_OUT_AUDIO,
	FIELD_OUT_IMAGE,
	FIELD_TOOL_AUDIO,
	FIELD_TOOL_IMAGE,
	FIELD_SEARCHES
};

enum node {
	NODE_ROOT,
	/* root; from NODE_ID on it is the interaction's members */
	NODE_EVENT_TYPE,
	NODE_INTERACTION,
	NODE_DELTA,
	NODE_STEPS,
	NODE_OUTPUTS,
	NODE_ID,
	NODE_STATUS,
	NODE_USAGE,
	NODE_TIER,
	NODE_ERROR,
	/* interaction */
	NODE_I_ID,
	NODE_I_STATUS,
	NODE_I_USAGE,
	NODE_I_TIER,
	NODE_I_ERROR,
	/* delta */
	NODE_DELTA_TYPE,
	NODE_DELTA_SIGNATURE,
	NODE_DELTA_DATA,
	NODE_DELTA_ID,
	/* steps, outputs */
	NODE_STEP,
	/* steps[] */
	NODE_STEP_CONTENT,
	NODE_STEP_TEXT,
	NODE_STEP_ARGUMENTS,
	/* steps[].content */
	NODE_PART,
	/* steps[].content[] */
	NODE_PART_TEXT,
	/* usage */
	NODE_TOTAL,
	NODE_INPUT,
	NODE_CACHED,
	NODE_OUTPUT,
	NODE_TOOL_USE,
	NODE_THOUGHTS,
	NODE_REASONING,
	NODE_INPUT_LIST,
	NODE_CACHED_LIST,
	NODE_OUTPUT_LIST,
	NODE_TOOL_LIST,
	NODE_GROUNDING_LIST,
	/* usage.*_by_modality */
	NODE_INPUT_ENTRY,
	NODE_CACHED_ENTRY,
	NODE_OUTPUT_ENTRY,
	NODE_TOOL_ENTRY,
	NODE_GROUNDING_ENTRY,
	/* usage.*_by_modality[] */
	NODE_MODALITY,
	NODE_TOKENS,
	/* usage.grounding_tool_count[] */
	NODE_GROUNDING_COUNT,
	NODES
};

#define LEAF(literal) JSON_NODE(literal, 0, 0, 0)
#define TEXT(literal) JSON_NODE(literal, 0, 0, JSON_NODE_COUNT_TEXT)
#define UNDER(literal, first, last, flags) \
	JSON_NODE(literal, first, (last) - (first) + 1, flags)
#define USAGE_NODE UNDER("usage", NODE_TOTAL, NODE_GROUNDING_LIST, \
	JSON_NODE_EDGES | JSON_NODE_REPORT_REST)
#define ENTRY UNDER("[]", NODE_MODALITY, NODE_TOKENS, JSON_NODE_EDGES)
#define STEPS(literal) JSON_NODE(literal, NODE_STEP, 1, 0)
#define ERROR_NODE JSON_NODE("error", 0, 0, JSON_NODE_EDGES)

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = UNDER("", NODE_EVENT_TYPE, NODE_ERROR, 0),
	[NODE_EVENT_TYPE] = LEAF("event_type"),
	[NODE_INTERACTION] = UNDER("interaction", NODE_I_ID, NODE_I_ERROR, 0),
	/* Kinds of deltas to come count too; those known not to don't. */
	[NODE_DELTA] = UNDER("delta", NODE_DELTA_TYPE, NODE_DELTA_ID,
	    JSON_NODE_COUNT_TEXT),
	[NODE_STEPS] = STEPS("steps"),
	[NODE_OUTPUTS] = STEPS("outputs"),
	[NODE_ID] = LEAF("id"),
	[NODE_STATUS] = LEAF("status"),
	[NODE_USAGE] = USAGE_NODE,
	[NODE_TIER] = LEAF("service_tier"),
	[NODE_ERROR] = ERROR_NODE,
	[NODE_I_ID] = LEAF("id"),
	[NODE_I_STATUS] = LEAF("status"),
	[NODE_I_USAGE] = USAGE_NODE,
	[NODE_I_TIER] = LEAF("service_tier"),
	[NODE_I_ERROR] = ERROR_NODE,
	[NODE_DELTA_TYPE] = LEAF("type"),
	[NODE_DELTA_SIGNATURE] = LEAF("signature"),
	[NODE_DELTA_DATA] = LEAF("data"),
	[NODE_DELTA_ID] = LEAF("id"),
	[NODE_STEP] = UNDER("[]", NODE_STEP_CONTENT, NODE_STEP_ARGUMENTS, 0),
	[NODE_STEP_CONTENT] = JSON_NODE("content", NODE_PART, 1, 0),
	[NODE_STEP_TEXT] = TEXT("text"),
	[NODE_STEP_ARGUMENTS] = TEXT("arguments"),
	[NODE_PART] = JSON_NODE("[]", NODE_PART_TEXT, 1, 0),
	[NODE_PART_TEXT] = TEXT("text"),
	[NODE_TOTAL] = LEAF("total_tokens"),
	[NODE_INPUT] = LEAF("total_input_tokens"),
	[NODE_CACHED] = LEAF("total_cached_tokens"),
	[NODE_OUTPUT] = LEAF("total_output_tokens"),
	[NODE_TOOL_USE] = LEAF("total_tool_use_tokens"),
	[NODE_THOUGHTS] = LEAF("total_thought_tokens"),
	[NODE_REASONING] = LEAF("total_reasoning_tokens"),
	[NODE_INPUT_LIST] = JSON_NODE("input_tokens_by_modality",
	    NODE_INPUT_ENTRY, 1, 0),
	[NODE_CACHED_LIST] = JSON_NODE("cached_tokens_by_modality",
	    NODE_CACHED_ENTRY, 1, 0),
	[NODE_OUTPUT_LIST] = JSON_NODE("output_tokens_by_modality",
	    NODE_OUTPUT_ENTRY, 1, 0),
	[NODE_TOOL_LIST] = JSON_NODE("tool_use_tokens_by_modality",
	    NODE_TOOL_ENTRY, 1, 0),
	[NODE_GROUNDING_LIST] = JSON_NODE("grounding_tool_count",
	    NODE_GROUNDING_ENTRY, 1, 0),
	[NODE_INPUT_ENTRY] = ENTRY,
	[NODE_CACHED_ENTRY] = ENTRY,
	[NODE_OUTPUT_ENTRY] = ENTRY,
	[NODE_TOOL_ENTRY] = ENTRY,
	[NODE_GROUNDING_ENTRY] = JSON_NODE("[]", NODE_GROUNDING_COUNT, 1, 0),
	[NODE_MODALITY] = LEAF("modality"),
	[NODE_TOKENS] = LEAF("tokens"),
	[NODE_GROUNDING_COUNT] = LEAF("count"),
};

static void
report_event_type(struct wire_meter *meter,
    const struct json_pull_value *value)
{
	if (!meter->streamed)
		return;
	/* The name changed between versions of the protocol. */
	if (wire_text_is(value, "interaction.completed") ||
	    wire_text_is(value, "interaction.complete"))
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

static void
report_grounding(struct wire_meter *meter, const struct json_pull_value *value)
{
	struct wire_meter_fields *part = &meter->part;
	struct wire_meter_fields one = { 0 };

	wire_field_take(&one, FIELD_SEARCHES, value);
	part->value[FIELD_SEARCHES] = wire_count_add(
	    part->value[FIELD_SEARCHES], one.value[FIELD_SEARCHES],
	    &part->marks);
	part->marks |= one.marks;
}

static bool
report_entry(struct wire_meter *meter, const struct json_pull_value *value)
{
	switch ((enum node)value->node) {
	case NODE_INPUT_ENTRY:
		wire_modality_edge(meter, value->edge, FIELD_IN_AUDIO,
		    FIELD_IN_IMAGE);
		return true;
	case NODE_CACHED_ENTRY:
		wire_modality_edge(meter, value->edge, FIELD_CACHED_AUDIO,
		    FIELD_CACHED_IMAGE);
		return true;
	case NODE_OUTPUT_ENTRY:
		wire_modality_edge(meter, value->edge, FIELD_OUT_AUDIO,
		    FIELD_OUT_IMAGE);
		return true;
	case NODE_TOOL_ENTRY:
		wire_modality_edge(meter, value->edge, FIELD_TOOL_AUDIO,
		    FIELD_TOOL_IMAGE);
		return true;
	case NODE_MODALITY:
		wire_modality_take(meter, value);
		return true;
	case NODE_TOKENS:
		wire_modality_count(meter, value);
		return true;
	default:
		return false;
	}
}

static void
report(void *context, const struct json_pull_value *value)
{
	struct wire_meter *meter = context;

	if (value->unlisted) {
		wire_field_unknown(&meter->part, value);
		return;
	}
	if (report_entry(meter, value))
		return;
	switch ((enum node)value->node) {
	case NODE_EVENT_TYPE:
		report_event_type(meter, value);
		return;
	case NODE_ID:
		if (!meter->streamed)
			wire_meter_id(meter, value);
		return;
	case NODE_I_ID:
		wire_meter_id(meter, value);
		return;
	case NODE_STATUS:
		/* A stream's own events of that name are about steps too. */
		if (!meter->streamed)
			report_status(meter, value);
		return;
	case NODE_I_STATUS:
		report_status(meter, value);
		return;
	case NODE_USAGE:
	case NODE_I_USAGE:
		report_usage_edge(meter, value->edge);
		return;
	case NODE_TIER:
	case NODE_I_TIER:
		wire_meter_tier(meter, value);
		return;
	case NODE_ERROR:
	case NODE_I_ERROR:
		if (value->type != JSON_NULL)
			meter->error_seen = true;
		return;
	case NODE_INPUT:
		wire_field_take(&meter->part, FIELD_INPUT, value);
		return;
	case NODE_CACHED:
		wire_field_take(&meter->part, FIELD_CACHED, value);
		return;
	case NODE_OUTPUT:
		wire_field_take(&meter->part, FIELD_OUTPUT, value);
		return;
	case NODE_TOOL_USE:
		wire_field_take(&meter->part, FIELD_TOOL_USE, value);
		return;
	case NODE_THOUGHTS:
	case NODE_REASONING:
		wire_field_take_max(&meter->part, FIELD_THOUGHTS, value);
		return;
	case NODE_GROUNDING_COUNT:
		report_grounding(meter, value);
		return;
	default:
		return;
	}
}

static void
settle(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	const uint64_t *value = total->value;
	struct wire_input_split input = {
		.total = value[FIELD_INPUT],
		.cached = value[FIELD_CACHED],
		.audio = value[FIELD_IN_AUDIO],
		.image = value[FIELD_IN_IMAGE],
		.cached_audio = value[FIELD_CACHED_AUDIO],
		.cached_image = value[FIELD_CACHED_IMAGE],
		.cached_split = wire_field_seen(total, FIELD_CACHED_AUDIO) ||
		    wire_field_seen(total, FIELD_CACHED_IMAGE),
	};
	struct wire_input_split tools = {
		.total = value[FIELD_TOOL_USE],
		.audio = value[FIELD_TOOL_AUDIO],
		.image = value[FIELD_TOOL_IMAGE],
	};
	uint64_t output = value[FIELD_OUTPUT];

	if (total->seen == 0)
		return;
	usage->marks = USAGE_SEEN | total->marks;
	if (!wire_field_seen(total, FIELD_OUTPUT) &&
	    !wire_field_seen(total, FIELD_THOUGHTS)) {
		usage->marks |= USAGE_ESTIMATED;
		output = wire_count_within(
		    wire_estimate_output_tokens(meter->output_bytes_seen),
		    USAGE_COUNT_MAX, &usage->marks);
	}
	wire_split_input(&input, usage);
	wire_split_input(&tools, usage);
	wire_split_output(output, value[FIELD_OUT_AUDIO],
	    value[FIELD_OUT_IMAGE], usage);
	usage->count[USAGE_OUTPUT] = wire_count_add(usage->count[USAGE_OUTPUT],
	    value[FIELD_THOUGHTS], &usage->marks);
	usage->count[USAGE_TOOL_CALLS] = value[FIELD_SEARCHES];
	usage->reasoning = value[FIELD_THOUGHTS];
}

const struct wire_meter_reader wire_meter_interactions = { nodes, report,
	settle };

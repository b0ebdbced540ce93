/*
 * gemini.c: usage of Gemini's generateContent, its streams, and embeddings.
 *
 * One document, events, or one array whose elements come as they are made;
 * each may carry a usageMetadata, cumulative, of which the last wins.  The
 * prompt includes what was cached; the candidates leave the thoughts out.
 * Nothing marks the end of a stream but its end.
 */
#include <string.h>

#include "wire/estimate.h"
#include "wire/meter_reader.h"
#include "wire/modality.h"

enum field {
	FIELD_PROMPT,
	FIELD_CACHED,
	FIELD_CANDIDATES,
	FIELD_THOUGHTS,
	FIELD_TOOL_USE,
	FIELD_TOTAL,
	FIELD_IN_AUDIO,
	FIELD_IN_IMAGE,
	FIELD_CACHED_AUDIO,
	FIELD_CACHED_IMAGE,
	FIELD_OUT_AUDIO,
	FIELD_OUT_IMAGE,
	FIELD_TOOL_AUDIO,
	FIELD_TOOL_IMAGE,
	/* Of the answer, not of its usage. */
	FIELD_QUERIES,		/* in the list being read */
	FIELD_MOST_QUERIES	/* in the longest */
};

enum node {
	NODE_ROOT,
	/* root; of an array the elements only, which have the other members */
	NODE_ELEMENT,
	NODE_CANDIDATES,
	NODE_USAGE,
	NODE_ERROR,
	/* candidates */
	NODE_CANDIDATE,
	/* candidates[] */
	NODE_CONTENT,
	NODE_GROUNDING,
	NODE_FINISH,
	/* candidates[].content */
	NODE_PARTS,
	/* candidates[].content.parts */
	NODE_PART,
	/* candidates[].content.parts[] */
	NODE_TEXT,
	NODE_CALL,
	NODE_CODE,
	NODE_CODE_RESULT,
	/* candidates[].groundingMetadata */
	NODE_QUERIES,
	/* candidates[].groundingMetadata.webSearchQueries */
	NODE_QUERY,
	/* usageMetadata */
	NODE_PROMPT,
	NODE_CACHED,
	NODE_CANDIDATE_TOKENS,
	NODE_RESPONSE_TOKENS,
	NODE_THOUGHTS,
	NODE_TOOL_USE,
	NODE_TOTAL,
	NODE_TIER,
	NODE_TRAFFIC,
	NODE_PROMPT_DETAILS,
	NODE_CACHE_DETAILS,
	NODE_CANDIDATES_DETAILS,
	NODE_RESPONSE_DETAILS,
	NODE_TOOL_DETAILS,
	/* usageMetadata.*Details */
	NODE_PROMPT_DETAIL,
	NODE_CACHE_DETAIL,
	NODE_CANDIDATES_DETAIL,
	NODE_TOOL_DETAIL,
	/* usageMetadata.*Details[] */
	NODE_MODALITY,
	NODE_TOKENS,
	NODES
};

#define LEAF(literal) JSON_NODE(literal, 0, 0, 0)
#define TEXT(literal) JSON_NODE(literal, 0, 0, JSON_NODE_COUNT_TEXT)
#define UNDER(literal, first, last, flags) \
	JSON_NODE(literal, first, (last) - (first) + 1, flags)
#define DETAIL UNDER("[]", NODE_MODALITY, NODE_TOKENS, JSON_NODE_EDGES)

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = UNDER("", NODE_ELEMENT, NODE_ERROR, 0),
	[NODE_ELEMENT] = UNDER("[]", NODE_CANDIDATES, NODE_ERROR,
	    JSON_NODE_EDGES),
	[NODE_CANDIDATES] = JSON_NODE("candidates", NODE_CANDIDATE, 1, 0),
	[NODE_USAGE] = UNDER("usageMetadata", NODE_PROMPT, NODE_TOOL_DETAILS,
	    JSON_NODE_EDGES | JSON_NODE_REPORT_REST),
	[NODE_ERROR] = JSON_NODE("error", 0, 0, JSON_NODE_EDGES),
	[NODE_CANDIDATE] = UNDER("[]", NODE_CONTENT, NODE_FINISH, 0),
	[NODE_CONTENT] = JSON_NODE("content", NODE_PARTS, 1, 0),
	[NODE_GROUNDING] = JSON_NODE("groundingMetadata", NODE_QUERIES, 1, 0),
	[NODE_FINISH] = LEAF("finishReason"),
	[NODE_PARTS] = JSON_NODE("parts", NODE_PART, 1, 0),
	[NODE_PART] = UNDER("[]", NODE_TEXT, NODE_CODE_RESULT, 0),
	[NODE_TEXT] = TEXT("text"),
	[NODE_CALL] = TEXT("functionCall"),
	[NODE_CODE] = TEXT("executableCode"),
	[NODE_CODE_RESULT] = TEXT("codeExecutionResult"),
	[NODE_QUERIES] = JSON_NODE("webSearchQueries", NODE_QUERY, 1,
	    JSON_NODE_EDGES),
	[NODE_QUERY] = LEAF("[]"),
	[NODE_PROMPT] = LEAF("promptTokenCount"),
	[NODE_CACHED] = LEAF("cachedContentTokenCount"),
	[NODE_CANDIDATE_TOKENS] = LEAF("candidatesTokenCount"),
	[NODE_RESPONSE_TOKENS] = LEAF("responseTokenCount"),
	[NODE_THOUGHTS] = LEAF("thoughtsTokenCount"),
	[NODE_TOOL_USE] = LEAF("toolUsePromptTokenCount"),
	[NODE_TOTAL] = LEAF("totalTokenCount"),
	[NODE_TIER] = LEAF("serviceTier"),
	[NODE_TRAFFIC] = LEAF("trafficType"),
	[NODE_PROMPT_DETAILS] = JSON_NODE("promptTokensDetails",
	    NODE_PROMPT_DETAIL, 1, 0),
	[NODE_CACHE_DETAILS] = JSON_NODE("cacheTokensDetails",
	    NODE_CACHE_DETAIL, 1, 0),
	[NODE_CANDIDATES_DETAILS] = JSON_NODE("candidatesTokensDetails",
	    NODE_CANDIDATES_DETAIL, 1, 0),
	[NODE_RESPONSE_DETAILS] = JSON_NODE("responseTokensDetails",
	    NODE_CANDIDATES_DETAIL, 1, 0),
	[NODE_TOOL_DETAILS] = JSON_NODE("toolUsePromptTokensDetails",
	    NODE_TOOL_DETAIL, 1, 0),
	[NODE_PROMPT_DETAIL] = DETAIL,
	[NODE_CACHE_DETAIL] = DETAIL,
	[NODE_CANDIDATES_DETAIL] = DETAIL,
	[NODE_TOOL_DETAIL] = DETAIL,
	[NODE_MODALITY] = LEAF("modality"),
	[NODE_TOKENS] = LEAF("tokenCount"),
};

static void
report_usage_edge(struct wire_meter *meter, enum json_pull_edge edge)
{
	struct wire_meter_fields *part = &meter->part;

	if (edge == JSON_PULL_BEGIN)
		memset(part, 0, sizeof(*part));
	else if (edge == JSON_PULL_END &&
	    (wire_field_seen(part, FIELD_PROMPT) ||
	    wire_field_seen(part, FIELD_CANDIDATES) ||
	    wire_field_seen(part, FIELD_THOUGHTS)))
		meter->total = *part;
}

/* A query is what a search costs; later elements tell the list again. */
static void
report_queries(struct wire_meter *meter, enum json_pull_edge edge)
{
	uint64_t *value = meter->own.value;

	if (edge == JSON_PULL_BEGIN)
		value[FIELD_QUERIES] = 0;
	else if (edge == JSON_PULL_END &&
	    value[FIELD_QUERIES] > value[FIELD_MOST_QUERIES])
		value[FIELD_MOST_QUERIES] = value[FIELD_QUERIES];
}

static void
report_count(struct wire_meter *meter, const struct json_pull_value *value)
{
	static const uint8_t field[] = {
		[NODE_PROMPT - NODE_PROMPT] = FIELD_PROMPT,
		[NODE_CACHED - NODE_PROMPT] = FIELD_CACHED,
		[NODE_CANDIDATE_TOKENS - NODE_PROMPT] = FIELD_CANDIDATES,
		[NODE_RESPONSE_TOKENS - NODE_PROMPT] = FIELD_CANDIDATES,
		[NODE_THOUGHTS - NODE_PROMPT] = FIELD_THOUGHTS,
		[NODE_TOOL_USE - NODE_PROMPT] = FIELD_TOOL_USE,
		[NODE_TOTAL - NODE_PROMPT] = FIELD_TOTAL,
	};

	wire_field_take(&meter->part, field[value->node - NODE_PROMPT], value);
}

static void
report(void *context, const struct json_pull_value *value)
{
	struct wire_meter *meter = context;

	if (value->unlisted) {
		wire_field_unknown(&meter->part, value);
		return;
	}
	switch ((enum node)value->node) {
	case NODE_ELEMENT:
		meter->in_element = value->edge == JSON_PULL_BEGIN;
		meter->elements += value->edge == JSON_PULL_END;
		return;
	case NODE_USAGE:
		report_usage_edge(meter, value->edge);
		return;
	case NODE_ERROR:
		if (value->type != JSON_NULL)
			meter->error_seen = true;
		return;
	case NODE_QUERIES:
		report_queries(meter, value->edge);
		return;
	case NODE_QUERY:
		meter->own.value[FIELD_QUERIES]++;
		return;
	case NODE_PROMPT:
	case NODE_CACHED:
	case NODE_CANDIDATE_TOKENS:
	case NODE_RESPONSE_TOKENS:
	case NODE_THOUGHTS:
	case NODE_TOOL_USE:
	case NODE_TOTAL:
		report_count(meter, value);
		return;
	case NODE_TIER:
	case NODE_TRAFFIC:
		/* "ON_DEMAND" says nothing against what the tier says. */
		if (value->node == NODE_TIER || meter->tier == TIER_STANDARD)
			wire_meter_tier(meter, value);
		return;
	case NODE_PROMPT_DETAIL:
		wire_modality_edge(meter, value->edge, FIELD_IN_AUDIO,
		    FIELD_IN_IMAGE);
		return;
	case NODE_CACHE_DETAIL:
		wire_modality_edge(meter, value->edge, FIELD_CACHED_AUDIO,
		    FIELD_CACHED_IMAGE);
		return;
	case NODE_CANDIDATES_DETAIL:
		wire_modality_edge(meter, value->edge, FIELD_OUT_AUDIO,
		    FIELD_OUT_IMAGE);
		return;
	case NODE_TOOL_DETAIL:
		wire_modality_edge(meter, value->edge, FIELD_TOOL_AUDIO,
		    FIELD_TOOL_IMAGE);
		return;
	case NODE_MODALITY:
		wire_modality_take(meter, value);
		return;
	case NODE_TOKENS:
		wire_modality_count(meter, value);
		return;
	default:
		return;
	}
}

static bool
makes_text(const struct wire_meter *meter)
{
	return meter->route == WIRE_ROUTE_GENERATE ||
	    meter->route == WIRE_ROUTE_STREAM_GENERATE;
}

/*
 * What candidates there were, without the thoughts.  None is stated where the
 * prompt was refused; where text went by, it must have cost something.
 */
static uint64_t
candidates_of(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;

	if (wire_field_seen(total, FIELD_CANDIDATES) || !makes_text(meter) ||
	    meter->output_bytes_seen == 0)
		return total->value[FIELD_CANDIDATES];
	if (wire_field_seen(total, FIELD_THOUGHTS))
		return 0;
	usage->marks |= USAGE_ESTIMATED;
	return wire_count_within(
	    wire_estimate_output_tokens(meter->output_bytes_seen),
	    USAGE_COUNT_MAX, &usage->marks);
}

static void
settle(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	const uint64_t *value = total->value;
	struct wire_input_split input = {
		.total = value[FIELD_PROMPT],
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

	if (total->seen == 0)
		return;
	usage->marks = USAGE_SEEN | total->marks;
	wire_split_input(&input, usage);
	wire_split_input(&tools, usage);
	wire_split_output(candidates_of(meter, usage), value[FIELD_OUT_AUDIO],
	    value[FIELD_OUT_IMAGE], usage);
	usage->count[USAGE_OUTPUT] = wire_count_add(usage->count[USAGE_OUTPUT],
	    value[FIELD_THOUGHTS], &usage->marks);
	usage->count[USAGE_TOOL_CALLS] = wire_count_within(
	    meter->own.value[FIELD_MOST_QUERIES], USAGE_COUNT_MAX,
	    &usage->marks);
	usage->reasoning = value[FIELD_THOUGHTS];
}

const struct wire_meter_reader wire_meter_gemini = { nodes, report, settle };

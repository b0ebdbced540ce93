/*
 * openai.c: usage of OpenAI completions, embeddings, moderations and rankings,
 * and of those who speak alike.
 *
 * One JSON document, or a stream of chunks of which any may carry a usage; the
 * last that states something wins, unless it takes back what was stated.
 * Dialects: DeepSeek prompt_cache_hit_tokens,
 * Moonshot usage.cached_tokens and a usage within the choice, Mistral
 * num_cached_tokens and prompt_audio_seconds, Groq x_groq.usage, xAI reasoning
 * outside of completion_tokens, Voyage and Jina total_tokens alone, Cohere
 * meta.billed_units; Anthropic's names beside OpenAI's, from proxies.
 */
#include <string.h>

#include "wire/estimate.h"
#include "wire/meter_reader.h"

enum field {
	FIELD_PROMPT,
	FIELD_COMPLETION,
	FIELD_TOTAL,
	FIELD_CACHED,
	FIELD_CACHE_WRITE,
	FIELD_REASONING,
	FIELD_INPUT_AUDIO,
	FIELD_INPUT_IMAGE,
	FIELD_OUTPUT_AUDIO,
	FIELD_OUTPUT_IMAGE,
	FIELD_SEARCHES,
	FIELD_UNITS,
	FIELD_AUDIO_MS
};

enum node {
	NODE_ROOT,
	/* root */
	NODE_CHOICES,
	NODE_USAGE,
	NODE_X_GROQ,
	NODE_META,
	NODE_SERVICE_TIER,
	NODE_ERROR,
	/* choices */
	NODE_CHOICE,
	/* choices[] */
	NODE_TEXT,
	NODE_DELTA,
	NODE_MESSAGE,
	NODE_CHOICE_USAGE,
	/* choices[].delta, choices[].message */
	NODE_ROLE,
	NODE_REASONING_DETAILS,
	NODE_ANNOTATIONS,
	NODE_AUDIO,
	NODE_IMAGES,
	/* choices[].delta.audio */
	NODE_TRANSCRIPT,
	/* x_groq */
	NODE_GROQ_USAGE,
	/* meta */
	NODE_BILLED_UNITS,
	/* meta.billed_units */
	NODE_UNITS_INPUT,
	NODE_UNITS_OUTPUT,
	NODE_UNITS_SEARCH,
	/* usage, wherever it stands */
	NODE_PROMPT,
	NODE_COMPLETION,
	NODE_TOTAL,
	NODE_CACHE_HIT,
	NODE_CACHE_MISS,
	NODE_CACHED,
	NODE_NUM_CACHED,
	NODE_INPUT,
	NODE_OUTPUT,
	NODE_SOURCES,
	NODE_QUERIES,
	NODE_TOOLS,
	NODE_AUDIO_SECONDS,
	NODE_CACHE_READ_INPUT,
	NODE_CACHE_CREATION_INPUT,
	NODE_PROMPT_DETAILS,
	NODE_COMPLETION_DETAILS,
	/* usage.server_tool_use */
	NODE_WEB_SEARCHES,
	/* usage.prompt_tokens_details */
	NODE_PROMPT_CACHED,
	NODE_PROMPT_CACHE_WRITE,
	NODE_PROMPT_CACHE_CREATION,
	NODE_PROMPT_CACHE_CREATED,
	NODE_PROMPT_AUDIO,
	NODE_PROMPT_IMAGE,
	NODE_PROMPT_VIDEO,
	NODE_PROMPT_TEXT,
	/* usage.completion_tokens_details */
	NODE_REASONING,
	NODE_COMPLETION_AUDIO,
	NODE_COMPLETION_IMAGE,
	NODE_COMPLETION_TEXT,
	NODE_ACCEPTED,
	NODE_REJECTED,
	NODES
};

#define USAGE_NODE(literal) \
	JSON_NODE(literal, NODE_PROMPT, \
	NODE_COMPLETION_DETAILS - NODE_PROMPT + 1, \
	JSON_NODE_EDGES | JSON_NODE_REPORT_REST)
#define LEAF(literal) JSON_NODE(literal, 0, 0, 0)

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = JSON_NODE("", NODE_CHOICES,
	    NODE_ERROR - NODE_CHOICES + 1, 0),
	[NODE_CHOICES] = JSON_NODE("choices", NODE_CHOICE, 1, 0),
	[NODE_USAGE] = USAGE_NODE("usage"),
	[NODE_X_GROQ] = JSON_NODE("x_groq", NODE_GROQ_USAGE, 1, 0),
	[NODE_META] = JSON_NODE("meta", NODE_BILLED_UNITS, 1, 0),
	[NODE_SERVICE_TIER] = LEAF("service_tier"),
	[NODE_ERROR] = JSON_NODE("error", 0, 0, JSON_NODE_EDGES),
	[NODE_CHOICE] = JSON_NODE("[]", NODE_TEXT,
	    NODE_CHOICE_USAGE - NODE_TEXT + 1, 0),
	/* Completions that are no chat. */
	[NODE_TEXT] = JSON_NODE("text", 0, 0, JSON_NODE_COUNT_TEXT),
	[NODE_DELTA] = JSON_NODE("delta", NODE_ROLE,
	    NODE_IMAGES - NODE_ROLE + 1, JSON_NODE_COUNT_TEXT),
	[NODE_MESSAGE] = JSON_NODE("message", NODE_ROLE,
	    NODE_IMAGES - NODE_ROLE + 1, JSON_NODE_COUNT_TEXT),
	[NODE_CHOICE_USAGE] = USAGE_NODE("usage"),
	[NODE_ROLE] = LEAF("role"),
	/* The reasoning's text a second time, and what was cited. */
	[NODE_REASONING_DETAILS] = LEAF("reasoning_details"),
	[NODE_ANNOTATIONS] = LEAF("annotations"),
	/* Their base64 says nothing of tokens. */
	[NODE_AUDIO] = JSON_NODE("audio", NODE_TRANSCRIPT, 1, 0),
	[NODE_IMAGES] = LEAF("images"),
	[NODE_TRANSCRIPT] = JSON_NODE("transcript", 0, 0,
	    JSON_NODE_COUNT_TEXT),
	[NODE_GROQ_USAGE] = USAGE_NODE("usage"),
	[NODE_BILLED_UNITS] = JSON_NODE("billed_units", NODE_UNITS_INPUT,
	    NODE_UNITS_SEARCH - NODE_UNITS_INPUT + 1, JSON_NODE_EDGES),
	[NODE_UNITS_INPUT] = LEAF("input_tokens"),
	[NODE_UNITS_OUTPUT] = LEAF("output_tokens"),
	[NODE_UNITS_SEARCH] = LEAF("search_units"),
	[NODE_PROMPT] = LEAF("prompt_tokens"),
	[NODE_COMPLETION] = LEAF("completion_tokens"),
	[NODE_TOTAL] = LEAF("total_tokens"),
	[NODE_CACHE_HIT] = LEAF("prompt_cache_hit_tokens"),
	[NODE_CACHE_MISS] = LEAF("prompt_cache_miss_tokens"),
	[NODE_CACHED] = LEAF("cached_tokens"),
	[NODE_NUM_CACHED] = LEAF("num_cached_tokens"),
	[NODE_INPUT] = LEAF("input_tokens"),
	[NODE_OUTPUT] = LEAF("output_tokens"),
	[NODE_SOURCES] = LEAF("num_sources_used"),
	[NODE_QUERIES] = LEAF("num_search_queries"),
	[NODE_TOOLS] = JSON_NODE("server_tool_use", NODE_WEB_SEARCHES, 1, 0),
	[NODE_AUDIO_SECONDS] = LEAF("prompt_audio_seconds"),
	[NODE_CACHE_READ_INPUT] = LEAF("cache_read_input_tokens"),
	[NODE_CACHE_CREATION_INPUT] = LEAF("cache_creation_input_tokens"),
	[NODE_WEB_SEARCHES] = LEAF("web_search_requests"),
	[NODE_PROMPT_DETAILS] = JSON_NODE("prompt_tokens_details",
	    NODE_PROMPT_CACHED, NODE_PROMPT_TEXT - NODE_PROMPT_CACHED + 1,
	    JSON_NODE_REPORT_REST),
	[NODE_COMPLETION_DETAILS] = JSON_NODE("completion_tokens_details",
	    NODE_REASONING, NODE_REJECTED - NODE_REASONING + 1,
	    JSON_NODE_REPORT_REST),
	[NODE_PROMPT_CACHED] = LEAF("cached_tokens"),
	[NODE_PROMPT_CACHE_WRITE] = LEAF("cache_write_tokens"),
	[NODE_PROMPT_CACHE_CREATION] = LEAF("cache_creation_input_tokens"),
	[NODE_PROMPT_CACHE_CREATED] = LEAF("cache_creation_tokens"),
	[NODE_PROMPT_AUDIO] = LEAF("audio_tokens"),
	[NODE_PROMPT_IMAGE] = LEAF("image_tokens"),
	[NODE_PROMPT_VIDEO] = LEAF("video_tokens"),
	[NODE_PROMPT_TEXT] = LEAF("text_tokens"),
	[NODE_REASONING] = LEAF("reasoning_tokens"),
	[NODE_COMPLETION_AUDIO] = LEAF("audio_tokens"),
	[NODE_COMPLETION_IMAGE] = LEAF("image_tokens"),
	[NODE_COMPLETION_TEXT] = LEAF("text_tokens"),
	[NODE_ACCEPTED] = LEAF("accepted_prediction_tokens"),
	[NODE_REJECTED] = LEAF("rejected_prediction_tokens"),
};

static bool
makes_text(const struct wire_meter *meter)
{
	return meter->route == WIRE_ROUTE_CHAT_COMPLETIONS ||
	    meter->route == WIRE_ROUTE_COMPLETIONS;
}

/* Who makes no text may state nothing but a total. */
static bool
states_something(const struct wire_meter *meter)
{
	const struct wire_meter_fields *part = &meter->part;

	return wire_field_seen(part, FIELD_PROMPT) ||
	    wire_field_seen(part, FIELD_COMPLETION) ||
	    wire_field_seen(part, FIELD_UNITS) ||
	    (wire_field_seen(part, FIELD_TOTAL) && !makes_text(meter));
}

static uint64_t
sum_of(const struct wire_meter_fields *fields)
{
	return fields->value[FIELD_PROMPT] + fields->value[FIELD_COMPLETION];
}

/* Statements are of the answer so far: what was used can't become less.
 * Cohere's units of ranking stand apart from tokens. */
static void
take_part(struct wire_meter *meter)
{
	struct wire_meter_fields *total = &meter->total;
	const struct wire_meter_fields *part = &meter->part;

	if (sum_of(part) < sum_of(total)) {
		if (!wire_field_seen(part, FIELD_UNITS))
			total->marks |= USAGE_CLAMPED;
		else if (part->value[FIELD_UNITS] > total->value[FIELD_UNITS])
			total->value[FIELD_UNITS] = part->value[FIELD_UNITS];
		return;
	}
	*total = *part;
	meter->usage_fresh = true;
}

static void
report_usage_edge(struct wire_meter *meter, enum json_pull_edge edge)
{
	if (edge == JSON_PULL_BEGIN)
		memset(&meter->part, 0, sizeof(meter->part));
	else if (edge == JSON_PULL_END && states_something(meter))
		take_part(meter);
}

/* The field that a member of a usage is; FIELD_NONE for all else. */
#define FIELD_NONE WIRE_METER_FIELDS

static unsigned int
field_of(enum node node)
{
	switch (node) {
	case NODE_PROMPT:
	case NODE_INPUT:
	case NODE_UNITS_INPUT:
		return FIELD_PROMPT;
	case NODE_COMPLETION:
	case NODE_OUTPUT:
	case NODE_UNITS_OUTPUT:
		return FIELD_COMPLETION;
	case NODE_TOTAL:
		return FIELD_TOTAL;
	case NODE_CACHE_HIT:
	case NODE_CACHED:
	case NODE_NUM_CACHED:
	case NODE_PROMPT_CACHED:
	case NODE_CACHE_READ_INPUT:
		return FIELD_CACHED;
	case NODE_PROMPT_CACHE_WRITE:
	case NODE_PROMPT_CACHE_CREATION:
	case NODE_PROMPT_CACHE_CREATED:
	case NODE_CACHE_CREATION_INPUT:
		return FIELD_CACHE_WRITE;
	case NODE_REASONING:
		return FIELD_REASONING;
	case NODE_PROMPT_AUDIO:
		return FIELD_INPUT_AUDIO;
	case NODE_PROMPT_IMAGE:
		return FIELD_INPUT_IMAGE;
	case NODE_COMPLETION_AUDIO:
		return FIELD_OUTPUT_AUDIO;
	case NODE_COMPLETION_IMAGE:
		return FIELD_OUTPUT_IMAGE;
	case NODE_SOURCES:
	case NODE_QUERIES:
	case NODE_WEB_SEARCHES:
		return FIELD_SEARCHES;
	case NODE_UNITS_SEARCH:
		return FIELD_UNITS;
	default:
		return FIELD_NONE;
	}
}

static void
report(void *context, const struct json_pull_value *value)
{
	struct wire_meter *meter = context;
	unsigned int field;

	if (value->unlisted) {
		wire_field_unknown(&meter->part, value);
		return;
	}
	switch ((enum node)value->node) {
	case NODE_USAGE:
	case NODE_CHOICE_USAGE:
	case NODE_GROQ_USAGE:
	case NODE_BILLED_UNITS:
		report_usage_edge(meter, value->edge);
		return;
	case NODE_SERVICE_TIER:
		wire_meter_tier(meter, value);
		return;
	case NODE_ERROR:
		if (value->type != JSON_NULL)
			meter->error_seen = true;
		return;
	case NODE_AUDIO_SECONDS:
		wire_field_take_seconds(&meter->part, FIELD_AUDIO_MS, value);
		return;
	default:
		break;
	}
	field = field_of((enum node)value->node);
	/* Several spellings of one thing: the largest. */
	if (field == FIELD_CACHED || field == FIELD_CACHE_WRITE ||
	    field == FIELD_SEARCHES)
		wire_field_take_max(&meter->part, field, value);
	else if (field != FIELD_NONE)
		wire_field_take(&meter->part, field, value);
}

/* All that was read. */
static uint64_t
prompt_of(const struct wire_meter *meter)
{
	const struct wire_meter_fields *total = &meter->total;

	if (!wire_field_seen(total, FIELD_PROMPT) &&
	    !wire_field_seen(total, FIELD_COMPLETION) &&
	    !wire_field_seen(total, FIELD_UNITS))
		return total->value[FIELD_TOTAL];
	return total->value[FIELD_PROMPT];
}

/* Output as stated, reasoning included. */
static uint64_t
stated_output(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	const uint64_t prompt = prompt_of(meter);
	const uint64_t completion = total->value[FIELD_COMPLETION];
	const uint64_t reasoning = total->value[FIELD_REASONING];

	if (!wire_field_seen(total, FIELD_TOTAL))
		return completion;
	/* xAI counts reasoning beside the completion, and its total says so. */
	if (reasoning > 0 && total->value[FIELD_TOTAL] ==
	    prompt + completion + reasoning)
		return wire_count_add(completion, reasoning, &usage->marks);
	/* Smaller totals leave something out, which is nobody's loss. */
	if (total->value[FIELD_TOTAL] > prompt + completion)
		usage->marks |= USAGE_CLAMPED;
	return completion;
}

static uint64_t
output_of(const struct wire_meter *meter, struct usage *usage)
{
	const uint64_t stated = stated_output(meter, usage);
	uint64_t guess;

	if (!makes_text(meter))
		return stated;
	/* A statement counts for what had passed when its frame was over. */
	if (wire_field_seen(&meter->total, FIELD_COMPLETION) &&
	    (!meter->streamed || meter->usage_fresh ||
	    meter->pull.text_bytes == meter->usage_at_bytes))
		return stated;
	guess = wire_count_within(
	    wire_estimate_output_tokens(meter->pull.text_bytes),
	    USAGE_COUNT_MAX, &usage->marks);
	if (wire_field_seen(&meter->total, FIELD_COMPLETION) &&
	    guess <= stated)
		return stated;
	usage->marks |= USAGE_ESTIMATED;
	return guess;
}

static void
settle(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	struct wire_input_split input = {
		.total = prompt_of(meter),
		.cached = total->value[FIELD_CACHED],
		.written = total->value[FIELD_CACHE_WRITE],
		.audio = total->value[FIELD_INPUT_AUDIO],
		.image = total->value[FIELD_INPUT_IMAGE],
	};

	if (total->seen == 0)
		return;
	usage->marks = USAGE_SEEN | total->marks;
	wire_split_input(&input, usage);
	wire_split_output(output_of(meter, usage),
	    total->value[FIELD_OUTPUT_AUDIO],
	    total->value[FIELD_OUTPUT_IMAGE], usage);
	usage->count[USAGE_TOOL_CALLS] = total->value[FIELD_SEARCHES];
	usage->count[USAGE_CALLS] = total->value[FIELD_UNITS];
	usage->count[USAGE_MILLISECONDS] = total->value[FIELD_AUDIO_MS];
	usage->reasoning = wire_count_within(total->value[FIELD_REASONING],
	    usage->count[USAGE_OUTPUT], &usage->marks);
}

const struct wire_meter_reader wire_meter_openai = { nodes, report, settle };

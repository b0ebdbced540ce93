/*
 * openai.c: usage of OpenAI chat completions and of those who speak alike.
 *
 * One JSON document, or a stream of chunks of which any may carry a usage; the
 * last that states something wins, unless it takes back what was stated.
 * Dialects: DeepSeek prompt_cache_hit_tokens, Moonshot usage.cached_tokens and
 * a usage within the choice, Mistral num_cached_tokens, Groq x_groq.usage, xAI
 * reasoning outside of completion_tokens.
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
	FIELD_REASONING
};

enum node {
	NODE_ROOT,
	/* root */
	NODE_CHOICES,
	NODE_USAGE,
	NODE_X_GROQ,
	NODE_SERVICE_TIER,
	NODE_ERROR,
	/* choices */
	NODE_CHOICE,
	/* choices[] */
	NODE_DELTA,
	NODE_MESSAGE,
	NODE_CHOICE_USAGE,
	/* choices[].delta, choices[].message */
	NODE_ROLE,
	NODE_REASONING_DETAILS,
	NODE_ANNOTATIONS,
	/* x_groq */
	NODE_GROQ_USAGE,
	/* usage, wherever it stands */
	NODE_PROMPT,
	NODE_COMPLETION,
	NODE_TOTAL,
	NODE_CACHE_HIT,
	NODE_CACHE_MISS,
	NODE_CACHED,
	NODE_NUM_CACHED,
	NODE_PROMPT_DETAILS,
	NODE_COMPLETION_DETAILS,
	/* usage.prompt_tokens_details */
	NODE_PROMPT_CACHED,
	NODE_PROMPT_CACHE_WRITE,
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
	[NODE_SERVICE_TIER] = LEAF("service_tier"),
	[NODE_ERROR] = JSON_NODE("error", 0, 0, JSON_NODE_EDGES),
	[NODE_CHOICE] = JSON_NODE("[]", NODE_DELTA,
	    NODE_CHOICE_USAGE - NODE_DELTA + 1, 0),
	[NODE_DELTA] = JSON_NODE("delta", NODE_ROLE,
	    NODE_ANNOTATIONS - NODE_ROLE + 1, JSON_NODE_COUNT_TEXT),
	[NODE_MESSAGE] = JSON_NODE("message", NODE_ROLE,
	    NODE_ANNOTATIONS - NODE_ROLE + 1, JSON_NODE_COUNT_TEXT),
	[NODE_CHOICE_USAGE] = USAGE_NODE("usage"),
	[NODE_ROLE] = LEAF("role"),
	/* The reasoning's text a second time, and what was cited. */
	[NODE_REASONING_DETAILS] = LEAF("reasoning_details"),
	[NODE_ANNOTATIONS] = LEAF("annotations"),
	[NODE_GROQ_USAGE] = USAGE_NODE("usage"),
	[NODE_PROMPT] = LEAF("prompt_tokens"),
	[NODE_COMPLETION] = LEAF("completion_tokens"),
	[NODE_TOTAL] = LEAF("total_tokens"),
	[NODE_CACHE_HIT] = LEAF("prompt_cache_hit_tokens"),
	[NODE_CACHE_MISS] = LEAF("prompt_cache_miss_tokens"),
	[NODE_CACHED] = LEAF("cached_tokens"),
	[NODE_NUM_CACHED] = LEAF("num_cached_tokens"),
	[NODE_PROMPT_DETAILS] = JSON_NODE("prompt_tokens_details",
	    NODE_PROMPT_CACHED, NODE_PROMPT_TEXT - NODE_PROMPT_CACHED + 1,
	    JSON_NODE_REPORT_REST),
	[NODE_COMPLETION_DETAILS] = JSON_NODE("completion_tokens_details",
	    NODE_REASONING, NODE_REJECTED - NODE_REASONING + 1,
	    JSON_NODE_REPORT_REST),
	[NODE_PROMPT_CACHED] = LEAF("cached_tokens"),
	[NODE_PROMPT_CACHE_WRITE] = LEAF("cache_write_tokens"),
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

static uint64_t
sum_of(const struct wire_meter_fields *fields)
{
	return fields->value[FIELD_PROMPT] + fields->value[FIELD_COMPLETION];
}

/* Statements are of the answer so far: what was used can't become less. */
static void
take_part(struct wire_meter *meter)
{
	if (sum_of(&meter->part) < sum_of(&meter->total)) {
		meter->total.marks |= USAGE_CLAMPED;
		return;
	}
	meter->total = meter->part;
	meter->usage_fresh = true;
}

static void
report_usage_edge(struct wire_meter *meter, enum json_pull_edge edge)
{
	if (edge == JSON_PULL_BEGIN)
		memset(&meter->part, 0, sizeof(meter->part));
	else if (edge == JSON_PULL_END &&
	    (wire_field_seen(&meter->part, FIELD_PROMPT) ||
	    wire_field_seen(&meter->part, FIELD_COMPLETION)))
		take_part(meter);
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
	case NODE_USAGE:
	case NODE_CHOICE_USAGE:
	case NODE_GROQ_USAGE:
		report_usage_edge(meter, value->edge);
		return;
	case NODE_SERVICE_TIER:
		wire_meter_tier(meter, value);
		return;
	case NODE_ERROR:
		if (value->type != JSON_NULL)
			meter->error_seen = true;
		return;
	case NODE_PROMPT:
		wire_field_take(&meter->part, FIELD_PROMPT, value);
		return;
	case NODE_COMPLETION:
		wire_field_take(&meter->part, FIELD_COMPLETION, value);
		return;
	case NODE_TOTAL:
		wire_field_take(&meter->part, FIELD_TOTAL, value);
		return;
	case NODE_CACHE_HIT:
	case NODE_CACHED:
	case NODE_NUM_CACHED:
	case NODE_PROMPT_CACHED:
		wire_field_take_max(&meter->part, FIELD_CACHED, value);
		return;
	case NODE_PROMPT_CACHE_WRITE:
		wire_field_take(&meter->part, FIELD_CACHE_WRITE, value);
		return;
	case NODE_REASONING:
		wire_field_take(&meter->part, FIELD_REASONING, value);
		return;
	default:
		return;
	}
}

/* Output as stated, reasoning included. */
static uint64_t
stated_output(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	const uint64_t prompt = total->value[FIELD_PROMPT];
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
	const uint64_t prompt = total->value[FIELD_PROMPT];
	uint64_t read, written;

	if (total->seen == 0)
		return;
	usage->marks = USAGE_SEEN | total->marks;
	read = wire_count_within(total->value[FIELD_CACHED], prompt,
	    &usage->marks);
	written = wire_count_within(total->value[FIELD_CACHE_WRITE],
	    prompt - read, &usage->marks);
	usage->count[USAGE_INPUT] = prompt - read - written;
	usage->count[USAGE_CACHE_READ] = read;
	usage->count[USAGE_CACHE_WRITE_5M] = written;
	usage->count[USAGE_OUTPUT] = output_of(meter, usage);
	usage->reasoning = wire_count_within(total->value[FIELD_REASONING],
	    usage->count[USAGE_OUTPUT], &usage->marks);
}

const struct wire_meter_reader wire_meter_openai = { nodes, report, settle };

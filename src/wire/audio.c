/*
 * audio.c: usage of transcriptions, translations and speech.
 *
 * A transcription states tokens or a duration; the verbose form of older
 * models has the duration beside the text.  Speech is audio, in which nothing
 * stands, unless it is asked for as events: the last one states tokens.
 */
#include <string.h>

#include "wire/meter_reader.h"

enum field {
	FIELD_INPUT,
	FIELD_OUTPUT,
	FIELD_AUDIO,
	FIELD_SECONDS,		/* in milliseconds */
	FIELD_DURATION		/* likewise, beside the text */
};

enum node {
	NODE_ROOT,
	/* root */
	NODE_TYPE,
	NODE_USAGE,
	NODE_DURATION,
	NODE_TEXT,
	NODE_DELTA,
	NODE_ERROR,
	/* usage */
	NODE_USAGE_TYPE,
	NODE_INPUT,
	NODE_OUTPUT,
	NODE_TOTAL,
	NODE_PROMPT,
	NODE_COMPLETION,
	NODE_SECONDS,
	NODE_AUDIO_SECONDS,
	NODE_INPUT_DETAIL,
	NODE_INPUT_DETAILS,
	/* usage.input_token_details */
	NODE_IN_AUDIO,
	NODE_IN_TEXT,
	NODES
};

#define LEAF(literal) JSON_NODE(literal, 0, 0, 0)
#define UNDER(literal, first, last, flags) \
	JSON_NODE(literal, first, (last) - (first) + 1, flags)

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = UNDER("", NODE_TYPE, NODE_ERROR, 0),
	[NODE_TYPE] = LEAF("type"),
	[NODE_USAGE] = UNDER("usage", NODE_USAGE_TYPE, NODE_INPUT_DETAILS,
	    JSON_NODE_EDGES | JSON_NODE_REPORT_REST),
	[NODE_DURATION] = LEAF("duration"),
	[NODE_TEXT] = JSON_NODE("text", 0, 0, JSON_NODE_COUNT_TEXT),
	[NODE_DELTA] = JSON_NODE("delta", 0, 0, JSON_NODE_COUNT_TEXT),
	[NODE_ERROR] = JSON_NODE("error", 0, 0, JSON_NODE_EDGES),
	[NODE_USAGE_TYPE] = LEAF("type"),
	[NODE_INPUT] = LEAF("input_tokens"),
	[NODE_OUTPUT] = LEAF("output_tokens"),
	[NODE_TOTAL] = LEAF("total_tokens"),
	/* Mistral's spelling. */
	[NODE_PROMPT] = LEAF("prompt_tokens"),
	[NODE_COMPLETION] = LEAF("completion_tokens"),
	[NODE_SECONDS] = LEAF("seconds"),
	[NODE_AUDIO_SECONDS] = LEAF("prompt_audio_seconds"),
	[NODE_INPUT_DETAIL] = UNDER("input_token_details", NODE_IN_AUDIO,
	    NODE_IN_TEXT, JSON_NODE_REPORT_REST),
	[NODE_INPUT_DETAILS] = UNDER("input_tokens_details", NODE_IN_AUDIO,
	    NODE_IN_TEXT, JSON_NODE_REPORT_REST),
	[NODE_IN_AUDIO] = LEAF("audio_tokens"),
	[NODE_IN_TEXT] = LEAF("text_tokens"),
};

static void
report_usage_edge(struct wire_meter *meter, enum json_pull_edge edge)
{
	struct wire_meter_fields *part = &meter->part;

	if (edge == JSON_PULL_BEGIN)
		memset(part, 0, sizeof(*part));
	else if (edge == JSON_PULL_END && part->seen != 0)
		meter->total = *part;
}

static void
report_type(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (!meter->streamed)
		return;
	if (wire_text_is(value, "transcript.text.done") ||
	    wire_text_is(value, "speech.audio.done"))
		meter->last_frame = true;
	else if (wire_text_is(value, "error"))
		meter->error_seen = true;
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
	case NODE_TYPE:
		report_type(meter, value);
		return;
	case NODE_USAGE:
		report_usage_edge(meter, value->edge);
		return;
	case NODE_DURATION:
		wire_field_take_seconds(&meter->own, FIELD_DURATION, value);
		return;
	case NODE_ERROR:
		if (value->type != JSON_NULL)
			meter->error_seen = true;
		return;
	case NODE_INPUT:
	case NODE_PROMPT:
		wire_field_take_max(&meter->part, FIELD_INPUT, value);
		return;
	case NODE_OUTPUT:
	case NODE_COMPLETION:
		wire_field_take_max(&meter->part, FIELD_OUTPUT, value);
		return;
	case NODE_IN_AUDIO:
		wire_field_take(&meter->part, FIELD_AUDIO, value);
		return;
	case NODE_SECONDS:
	case NODE_AUDIO_SECONDS:
		wire_field_take_seconds(&meter->part, FIELD_SECONDS, value);
		return;
	default:
		return;
	}
}

static void
settle(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	const struct wire_meter_fields *own = &meter->own;
	struct wire_input_split input = {
		.total = total->value[FIELD_INPUT],
		.audio = total->value[FIELD_AUDIO],
	};

	/* What is charged by tokens isn't by time as well, but Mistral does
	 * both: only the duration beside the text is a stop-gap. */
	if (total->seen == 0 && own->seen == 0)
		return;
	usage->marks = USAGE_SEEN | total->marks;
	usage->count[USAGE_MILLISECONDS] = total->value[FIELD_SECONDS];
	if (total->seen == 0) {
		usage->marks |= own->marks;
		usage->count[USAGE_MILLISECONDS] = own->value[FIELD_DURATION];
	}
	wire_split_input(&input, usage);
	wire_split_output(total->value[FIELD_OUTPUT],
	    meter->route == WIRE_ROUTE_SPEECH ? total->value[FIELD_OUTPUT] : 0,
	    0, usage);
}

const struct wire_meter_reader wire_meter_audio = { nodes, report, settle };

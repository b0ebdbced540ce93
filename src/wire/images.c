/*
 * images.c: usage of answers that are images.
 *
 * One document with data[], or events of which each *.completed brings one
 * image.  Newer models state tokens; of older ones the number, the size and
 * the quality is all there is, and those may stand in the request only.
 */
#include <string.h>

#include "wire/meter_reader.h"

enum field {
	FIELD_INPUT,
	FIELD_OUTPUT,
	FIELD_IMAGE,
	FIELD_TEXT_OUTPUT,
	FIELD_CACHED,
	FIELD_CACHED_IMAGE,
	FIELD_IMAGES
};

enum node {
	NODE_ROOT,
	/* root */
	NODE_TYPE,
	NODE_DATA,
	NODE_USAGE,
	NODE_SIZE,
	NODE_QUALITY,
	NODE_SERVICE_TIER,
	NODE_ERROR,
	/* data */
	NODE_DATUM,
	/* usage */
	NODE_INPUT,
	NODE_OUTPUT,
	NODE_TOTAL,
	NODE_INPUT_DETAILS,
	NODE_OUTPUT_DETAILS,
	/* usage.input_tokens_details */
	NODE_IN_IMAGE,
	NODE_IN_TEXT,
	NODE_CACHED,
	NODE_CACHED_DETAILS,
	/* usage.input_tokens_details.cached_tokens_details */
	NODE_CACHED_IMAGE,
	NODE_CACHED_TEXT,
	/* usage.output_tokens_details */
	NODE_OUT_TEXT,
	NODE_OUT_IMAGE,
	NODES
};

#define LEAF(literal) JSON_NODE(literal, 0, 0, 0)
#define UNDER(literal, first, last, flags) \
	JSON_NODE(literal, first, (last) - (first) + 1, flags)

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = UNDER("", NODE_TYPE, NODE_ERROR, 0),
	[NODE_TYPE] = LEAF("type"),
	[NODE_DATA] = JSON_NODE("data", NODE_DATUM, 1, JSON_NODE_EDGES),
	[NODE_USAGE] = UNDER("usage", NODE_INPUT, NODE_OUTPUT_DETAILS,
	    JSON_NODE_EDGES | JSON_NODE_REPORT_REST),
	[NODE_SIZE] = LEAF("size"),
	[NODE_QUALITY] = LEAF("quality"),
	[NODE_SERVICE_TIER] = LEAF("service_tier"),
	[NODE_ERROR] = JSON_NODE("error", 0, 0, JSON_NODE_EDGES),
	[NODE_DATUM] = JSON_NODE("[]", 0, 0, JSON_NODE_EDGES),
	[NODE_INPUT] = LEAF("input_tokens"),
	[NODE_OUTPUT] = LEAF("output_tokens"),
	[NODE_TOTAL] = LEAF("total_tokens"),
	[NODE_INPUT_DETAILS] = UNDER("input_tokens_details", NODE_IN_IMAGE,
	    NODE_CACHED_DETAILS, JSON_NODE_REPORT_REST),
	[NODE_OUTPUT_DETAILS] = UNDER("output_tokens_details", NODE_OUT_TEXT,
	    NODE_OUT_IMAGE, JSON_NODE_REPORT_REST),
	[NODE_IN_IMAGE] = LEAF("image_tokens"),
	[NODE_IN_TEXT] = LEAF("text_tokens"),
	[NODE_CACHED] = LEAF("cached_tokens"),
	[NODE_CACHED_DETAILS] = UNDER("cached_tokens_details",
	    NODE_CACHED_IMAGE, NODE_CACHED_TEXT, JSON_NODE_REPORT_REST),
	[NODE_CACHED_IMAGE] = LEAF("image_tokens"),
	[NODE_CACHED_TEXT] = LEAF("text_tokens"),
	[NODE_OUT_TEXT] = LEAF("text_tokens"),
	[NODE_OUT_IMAGE] = LEAF("image_tokens"),
};

static bool
ends_with(const struct json_pull_value *value, const char *end)
{
	size_t len = strlen(end);

	return value->type == JSON_STRING && !value->text_cut &&
	    value->text_len >= len &&
	    memcmp(value->text + value->text_len - len, end, len) == 0;
}

static void
report_type(struct wire_meter *meter, const struct json_pull_value *value)
{
	/* image_generation.completed, image_edit.completed.  With n > 1 there
	 * are several: only the stream's end is the end. */
	if (meter->streamed && ends_with(value, ".completed"))
		meter->own.value[FIELD_IMAGES]++;
	else if (wire_text_is(value, "error"))
		meter->error_seen = true;
}

/* Each event of a stream states its own image's; they add up. */
static void
end_usage(struct wire_meter *meter)
{
	struct wire_meter_fields *total = &meter->total;
	const struct wire_meter_fields *part = &meter->part;

	if (!wire_field_seen(part, FIELD_INPUT) &&
	    !wire_field_seen(part, FIELD_OUTPUT))
		return;
	if (!meter->streamed) {
		*total = *part;
		return;
	}
	for (unsigned int i = 0; i < FIELD_IMAGES; i++)
		total->value[i] = wire_count_add(total->value[i],
		    part->value[i], &total->marks);
	total->seen |= part->seen;
	total->marks |= part->marks;
}

static void
report_usage_edge(struct wire_meter *meter, enum json_pull_edge edge)
{
	if (edge == JSON_PULL_BEGIN)
		memset(&meter->part, 0, sizeof(meter->part));
	else if (edge == JSON_PULL_END)
		end_usage(meter);
}

static void
report_text(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (value->type != JSON_STRING || value->text_cut)
		return;
	if (value->node == NODE_SIZE)
		(void)wire_image_size(value->text, value->text_len,
		    &meter->image_width, &meter->image_height);
	else
		(void)wire_image_quality(value->text, value->text_len,
		    &meter->image_quality);
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
	case NODE_DATA:
		if (value->edge == JSON_PULL_BEGIN)
			meter->own.value[FIELD_IMAGES] = 0;
		return;
	case NODE_DATUM:
		if (value->edge == JSON_PULL_BEGIN)
			meter->own.value[FIELD_IMAGES]++;
		return;
	case NODE_USAGE:
		report_usage_edge(meter, value->edge);
		return;
	case NODE_SIZE:
	case NODE_QUALITY:
		report_text(meter, value);
		return;
	case NODE_SERVICE_TIER:
		wire_meter_tier(meter, value);
		return;
	case NODE_ERROR:
		if (value->type != JSON_NULL)
			meter->error_seen = true;
		return;
	case NODE_INPUT:
		wire_field_take(&meter->part, FIELD_INPUT, value);
		return;
	case NODE_OUTPUT:
		wire_field_take(&meter->part, FIELD_OUTPUT, value);
		return;
	case NODE_IN_IMAGE:
		wire_field_take(&meter->part, FIELD_IMAGE, value);
		return;
	case NODE_CACHED:
		wire_field_take(&meter->part, FIELD_CACHED, value);
		return;
	case NODE_CACHED_IMAGE:
		wire_field_take(&meter->part, FIELD_CACHED_IMAGE, value);
		return;
	case NODE_OUT_TEXT:
		wire_field_take(&meter->part, FIELD_TEXT_OUTPUT, value);
		return;
	default:
		return;
	}
}

static void
settle(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	const uint64_t output = total->value[FIELD_OUTPUT];
	struct wire_input_split input = {
		.total = total->value[FIELD_INPUT],
		.cached = total->value[FIELD_CACHED],
		.image = total->value[FIELD_IMAGE],
		.cached_image = total->value[FIELD_CACHED_IMAGE],
		.cached_split = wire_field_seen(total, FIELD_CACHED_IMAGE),
	};
	uint64_t text;

	usage->count[USAGE_IMAGES] = wire_count_within(
	    meter->own.value[FIELD_IMAGES], USAGE_COUNT_MAX, &usage->marks);
	if (usage->count[USAGE_IMAGES] > 0)
		usage->marks |= USAGE_SEEN;
	if (total->seen == 0)
		return;
	usage->marks |= USAGE_SEEN | total->marks;
	wire_split_input(&input, usage);
	/* What isn't said to be text is image. */
	text = wire_count_within(total->value[FIELD_TEXT_OUTPUT], output,
	    &usage->marks);
	wire_split_output(output, 0, output - text, usage);
}

const struct wire_meter_reader wire_meter_images = { nodes, report, settle };

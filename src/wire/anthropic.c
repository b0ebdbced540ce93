/*
 * anthropic.c: usage of Anthropic messages.
 *
 * A stream states usage in message_start and again, cumulatively, in every
 * message_delta; a field that is carried there replaces the older value, be it
 * larger or smaller, but for the output, which only grows.
 *
 * Each of iterations[] was billed by itself.  Those of type "message" are what
 * the totals add up, "compaction" comes on top of them, and the others were
 * made by another model at another price.  After a "fallback_message" the
 * totals are that one's alone, and say nothing of what the model itself used
 * before it gave up.
 */
#include <string.h>

#include "wire/estimate.h"
#include "wire/meter_reader.h"

enum field {
	FIELD_INPUT,
	FIELD_OUTPUT,
	FIELD_CACHE_READ,
	FIELD_CACHE_WRITE,	/* both lifetimes */
	FIELD_WRITE_5M,
	FIELD_WRITE_1H,
	FIELD_THINKING,
	FIELD_SEARCHES,
	FIELDS
};

enum extra_kind {
	EXTRA_UNKNOWN,
	EXTRA_MESSAGE,
	EXTRA_COMPACTION,
	EXTRA_ADVISOR,
	EXTRA_FALLBACK
};

enum node {
	NODE_ROOT,
	/* root */
	NODE_TYPE,
	NODE_MESSAGE,
	NODE_USAGE,
	NODE_DELTA,
	NODE_CONTENT_BLOCK,
	NODE_CONTENT,
	NODE_ERROR,
	/* message */
	NODE_MESSAGE_USAGE,
	/* delta */
	NODE_DELTA_TYPE,
	NODE_DELTA_SIGNATURE,
	NODE_DELTA_CITATION,
	NODE_DELTA_CONTAINER,
	NODE_DELTA_STOP_REASON,
	NODE_DELTA_STOP_SEQUENCE,
	/* content_block, content[] */
	NODE_BLOCK_TEXT,
	NODE_BLOCK_THINKING,
	NODE_BLOCK_INPUT,
	/* content */
	NODE_BLOCK,
	/* usage; its first fields stand in the order of an iteration's */
	NODE_INPUT,
	NODE_OUTPUT,
	NODE_CACHE_READ,
	NODE_CACHE_WRITE,
	NODE_CACHE_CREATION,
	NODE_OUTPUT_DETAILS,
	NODE_SERVICE_TIER,
	NODE_SPEED,
	NODE_REGION,
	NODE_ITERATIONS,
	NODE_SERVER_TOOL_USE,
	/* usage.cache_creation */
	NODE_WRITE_5M,
	NODE_WRITE_1H,
	/* usage.output_tokens_details */
	NODE_THINKING,
	/* usage.server_tool_use; fetching pages costs tokens only */
	NODE_SEARCHES,
	/* usage.iterations */
	NODE_ITERATION,
	/* usage.iterations[] */
	NODE_EXTRA_INPUT,
	NODE_EXTRA_OUTPUT,
	NODE_EXTRA_CACHE_READ,
	NODE_EXTRA_CACHE_WRITE,
	NODE_EXTRA_CACHE_CREATION,
	NODE_EXTRA_TYPE,
	NODE_EXTRA_MODEL,
	/* usage.iterations[].cache_creation */
	NODE_EXTRA_WRITE_5M,
	NODE_EXTRA_WRITE_1H,
	NODES
};

#define USAGE_NODE JSON_NODE("usage", NODE_INPUT, \
	NODE_SERVER_TOOL_USE - NODE_INPUT + 1, \
	JSON_NODE_EDGES | JSON_NODE_REPORT_REST)
#define LEAF(literal) JSON_NODE(literal, 0, 0, 0)
#define TEXT(literal) JSON_NODE(literal, 0, 0, JSON_NODE_COUNT_TEXT)
#define BLOCK(literal) JSON_NODE(literal, NODE_BLOCK_TEXT, \
	NODE_BLOCK_INPUT - NODE_BLOCK_TEXT + 1, 0)

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = JSON_NODE("", NODE_TYPE, NODE_ERROR - NODE_TYPE + 1, 0),
	[NODE_TYPE] = LEAF("type"),
	[NODE_MESSAGE] = JSON_NODE("message", NODE_MESSAGE_USAGE, 1, 0),
	[NODE_USAGE] = USAGE_NODE,
	/* Kinds of deltas to come count too; those known not to don't. */
	[NODE_DELTA] = JSON_NODE("delta", NODE_DELTA_TYPE,
	    NODE_DELTA_STOP_SEQUENCE - NODE_DELTA_TYPE + 1,
	    JSON_NODE_COUNT_TEXT),
	[NODE_CONTENT_BLOCK] = BLOCK("content_block"),
	[NODE_CONTENT] = JSON_NODE("content", NODE_BLOCK, 1, 0),
	[NODE_ERROR] = JSON_NODE("error", 0, 0, JSON_NODE_EDGES),
	[NODE_MESSAGE_USAGE] = USAGE_NODE,
	[NODE_DELTA_TYPE] = LEAF("type"),
	[NODE_DELTA_SIGNATURE] = LEAF("signature"),
	[NODE_DELTA_CITATION] = LEAF("citation"),
	[NODE_DELTA_CONTAINER] = LEAF("container"),
	[NODE_DELTA_STOP_REASON] = LEAF("stop_reason"),
	[NODE_DELTA_STOP_SEQUENCE] = LEAF("stop_sequence"),
	[NODE_BLOCK_TEXT] = TEXT("text"),
	[NODE_BLOCK_THINKING] = TEXT("thinking"),
	[NODE_BLOCK_INPUT] = TEXT("input"),
	[NODE_BLOCK] = BLOCK("[]"),
	[NODE_INPUT] = LEAF("input_tokens"),
	[NODE_OUTPUT] = LEAF("output_tokens"),
	[NODE_CACHE_READ] = LEAF("cache_read_input_tokens"),
	[NODE_CACHE_WRITE] = LEAF("cache_creation_input_tokens"),
	[NODE_CACHE_CREATION] = JSON_NODE("cache_creation", NODE_WRITE_5M, 2,
	    JSON_NODE_REPORT_REST),
	[NODE_OUTPUT_DETAILS] = JSON_NODE("output_tokens_details",
	    NODE_THINKING, 1, 0),
	[NODE_SERVICE_TIER] = LEAF("service_tier"),
	[NODE_SPEED] = LEAF("speed"),
	[NODE_REGION] = LEAF("inference_geo"),
	[NODE_ITERATIONS] = JSON_NODE("iterations", NODE_ITERATION, 1,
	    JSON_NODE_EDGES),
	[NODE_SERVER_TOOL_USE] = JSON_NODE("server_tool_use", NODE_SEARCHES, 1,
	    0),
	[NODE_WRITE_5M] = LEAF("ephemeral_5m_input_tokens"),
	[NODE_WRITE_1H] = LEAF("ephemeral_1h_input_tokens"),
	[NODE_THINKING] = LEAF("thinking_tokens"),
	[NODE_SEARCHES] = LEAF("web_search_requests"),
	[NODE_ITERATION] = JSON_NODE("[]", NODE_EXTRA_INPUT,
	    NODE_EXTRA_MODEL - NODE_EXTRA_INPUT + 1, JSON_NODE_EDGES),
	[NODE_EXTRA_INPUT] = LEAF("input_tokens"),
	[NODE_EXTRA_OUTPUT] = LEAF("output_tokens"),
	[NODE_EXTRA_CACHE_READ] = LEAF("cache_read_input_tokens"),
	[NODE_EXTRA_CACHE_WRITE] = LEAF("cache_creation_input_tokens"),
	[NODE_EXTRA_CACHE_CREATION] = JSON_NODE("cache_creation",
	    NODE_EXTRA_WRITE_5M, 2, 0),
	[NODE_EXTRA_TYPE] = LEAF("type"),
	[NODE_EXTRA_MODEL] = LEAF("model"),
	[NODE_EXTRA_WRITE_5M] = LEAF("ephemeral_5m_input_tokens"),
	[NODE_EXTRA_WRITE_1H] = LEAF("ephemeral_1h_input_tokens"),
};

static bool
has_split(const struct wire_meter_fields *fields)
{
	return wire_field_seen(fields, FIELD_WRITE_5M) ||
	    wire_field_seen(fields, FIELD_WRITE_1H);
}

/*
 * The two lifetimes of what was written to the cache.  The split may be of an
 * older event than the total (stale); what it leaves over was then written for
 * the lifetime that this call was seen to use.
 */
static void
split_writes(const struct wire_meter_fields *fields, bool stale,
    uint64_t *short_r, uint64_t *long_r, uint32_t *marks)
{
	uint64_t five = fields->value[FIELD_WRITE_5M];
	uint64_t hour = fields->value[FIELD_WRITE_1H];
	uint64_t total = fields->value[FIELD_CACHE_WRITE];

	if (!wire_field_seen(fields, FIELD_CACHE_WRITE)) {
		*short_r = five;
		*long_r = hour;
		return;
	}
	if (has_split(fields) && !stale && five + hour != total)
		*marks |= USAGE_CLAMPED;
	if (five == 0 && hour > 0)
		hour = total;
	else if (hour > total)
		hour = total;
	*long_r = hour;
	*short_r = total - hour;
}

static void
add_up(struct wire_meter_fields *sum, const struct wire_meter_fields *extra)
{
	unsigned int i;

	for (i = 0; i < FIELDS; i++)
		sum->value[i] = wire_count_add(sum->value[i], extra->value[i],
		    &sum->marks);
	sum->marks |= extra->marks;
}

/* There is room for one other model; what a second one used, or one without a
 * name, is charged as the model's own, and marked. */
static void
add_other(struct wire_meter *meter)
{
	if (meter->other_model[0] == '\0')
		memcpy(meter->other_model, meter->extra_model,
		    sizeof(meter->other_model));
	if (meter->extra_model[0] != '\0' &&
	    strcmp(meter->other_model, meter->extra_model) == 0) {
		add_up(&meter->other, &meter->extra);
		return;
	}
	add_up(&meter->compaction, &meter->extra);
	meter->compaction.marks |= USAGE_UNKNOWN_FIELD;
}

/* One iteration is complete. */
static void
end_iteration(struct wire_meter *meter)
{
	struct wire_meter_fields *extra = &meter->extra;

	split_writes(extra, false, &extra->value[FIELD_WRITE_5M],
	    &extra->value[FIELD_WRITE_1H], &extra->marks);
	switch ((enum extra_kind)meter->extra_kind) {
	case EXTRA_MESSAGE:
		add_up(&meter->own, extra);
		return;
	case EXTRA_COMPACTION:
		add_up(&meter->compaction, extra);
		return;
	case EXTRA_FALLBACK:
		meter->fallback = true;
		add_other(meter);
		return;
	case EXTRA_ADVISOR:
		add_other(meter);
		return;
	case EXTRA_UNKNOWN:
		break;
	}
	meter->compaction.marks |= USAGE_UNKNOWN_FIELD;
	if (meter->extra_model[0] != '\0')
		add_other(meter);
}

/* The list is cumulative like all else. */
static void
begin_iterations(struct wire_meter *meter)
{
	memset(&meter->compaction, 0, sizeof(meter->compaction));
	memset(&meter->own, 0, sizeof(meter->own));
	memset(&meter->other, 0, sizeof(meter->other));
	meter->other_model[0] = '\0';
	meter->fallback = false;
}

static void
report_iteration(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (value->node == NODE_ITERATIONS) {
		if (value->edge == JSON_PULL_BEGIN)
			begin_iterations(meter);
	} else if (value->edge == JSON_PULL_BEGIN) {
		memset(&meter->extra, 0, sizeof(meter->extra));
		meter->extra_kind = EXTRA_UNKNOWN;
		meter->extra_model[0] = '\0';
	} else if (value->edge == JSON_PULL_END)
		end_iteration(meter);
}

/* The fields that are carried replace; the others stay. */
static void
merge_usage(struct wire_meter *meter)
{
	struct wire_meter_fields *total = &meter->total, *part = &meter->part;
	unsigned int i;

	/* A split that comes alone says what the total is. */
	if (has_split(part) && !wire_field_seen(part, FIELD_CACHE_WRITE)) {
		part->value[FIELD_CACHE_WRITE] = wire_count_add(
		    part->value[FIELD_WRITE_5M], part->value[FIELD_WRITE_1H],
		    &part->marks);
		part->seen |= UINT32_C(1) << FIELD_CACHE_WRITE;
	}
	if (wire_field_seen(part, FIELD_CACHE_WRITE))
		meter->split_stale = !has_split(part);
	if (has_split(part)) {
		total->value[FIELD_WRITE_5M] = 0;
		total->value[FIELD_WRITE_1H] = 0;
	}
	for (i = 0; i < FIELDS; i++)
		if (wire_field_seen(part, i))
			total->value[i] = part->value[i];
	total->seen |= part->seen;
	total->marks |= part->marks;
}

/* Output grows; a later statement can't take it back. */
static void
keep_output(const struct wire_meter *meter, struct wire_meter_fields *part)
{
	const uint64_t before = meter->total.value[FIELD_OUTPUT];

	if (meter->final_usage && wire_field_seen(part, FIELD_OUTPUT) &&
	    part->value[FIELD_OUTPUT] < before) {
		part->value[FIELD_OUTPUT] = before;
		part->marks |= USAGE_CLAMPED;
	}
}

static void
report_usage_edge(struct wire_meter *meter,
    const struct json_pull_value *value)
{
	if (value->edge == JSON_PULL_BEGIN)
		memset(&meter->part, 0, sizeof(meter->part));
	else if (value->edge == JSON_PULL_END) {
		keep_output(meter, &meter->part);
		merge_usage(meter);
		if (value->node == NODE_USAGE &&
		    wire_field_seen(&meter->part, FIELD_OUTPUT))
			meter->final_usage = true;
	}
}

static void
report_type(struct wire_meter *meter, const struct json_pull_value *value)
{
	if (meter->streamed && wire_text_is(value, "message_stop"))
		meter->finished = true;
	if (wire_text_is(value, "error"))
		meter->error_seen = true;
}

static void
report_extra_type(struct wire_meter *meter,
    const struct json_pull_value *value)
{
	if (wire_text_is(value, "message"))
		meter->extra_kind = EXTRA_MESSAGE;
	else if (wire_text_is(value, "compaction"))
		meter->extra_kind = EXTRA_COMPACTION;
	else if (wire_text_is(value, "advisor_message"))
		meter->extra_kind = EXTRA_ADVISOR;
	else if (wire_text_is(value, "fallback_message"))
		meter->extra_kind = EXTRA_FALLBACK;
}

static void
report_extra_model(struct wire_meter *meter,
    const struct json_pull_value *value)
{
	if (value->type != JSON_STRING || value->text_cut ||
	    value->text_len >= sizeof(meter->extra_model) ||
	    memchr(value->text, '\0', value->text_len) != NULL)
		return;
	memcpy(meter->extra_model, value->text, value->text_len);
	meter->extra_model[value->text_len] = '\0';
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
	case NODE_ERROR:
		if (value->type != JSON_NULL)
			meter->error_seen = true;
		return;
	case NODE_USAGE:
	case NODE_MESSAGE_USAGE:
		report_usage_edge(meter, value);
		return;
	case NODE_INPUT:
	case NODE_OUTPUT:
	case NODE_CACHE_READ:
	case NODE_CACHE_WRITE:
		wire_field_take(&meter->part, value->node - NODE_INPUT, value);
		return;
	case NODE_WRITE_5M:
	case NODE_WRITE_1H:
		wire_field_take(&meter->part,
		    FIELD_WRITE_5M + value->node - NODE_WRITE_5M, value);
		return;
	case NODE_THINKING:
		wire_field_take(&meter->part, FIELD_THINKING, value);
		return;
	case NODE_SERVICE_TIER:
		wire_meter_tier(meter, value);
		return;
	case NODE_SPEED:
		wire_meter_speed(meter, value);
		return;
	case NODE_REGION:
		wire_meter_region(meter, value);
		return;
	case NODE_SEARCHES:
		wire_field_take(&meter->part, FIELD_SEARCHES, value);
		return;
	case NODE_ITERATIONS:
	case NODE_ITERATION:
		report_iteration(meter, value);
		return;
	case NODE_EXTRA_TYPE:
		report_extra_type(meter, value);
		return;
	case NODE_EXTRA_MODEL:
		report_extra_model(meter, value);
		return;
	case NODE_EXTRA_INPUT:
	case NODE_EXTRA_OUTPUT:
	case NODE_EXTRA_CACHE_READ:
	case NODE_EXTRA_CACHE_WRITE:
		wire_field_take(&meter->extra, value->node - NODE_EXTRA_INPUT,
		    value);
		return;
	case NODE_EXTRA_WRITE_5M:
	case NODE_EXTRA_WRITE_1H:
		wire_field_take(&meter->extra,
		    FIELD_WRITE_5M + value->node - NODE_EXTRA_WRITE_5M, value);
		return;
	default:
		return;
	}
}

/*
 * message_start states the output before there is any.  Where the stream was
 * cut before a message_delta, what went by is nearer to the truth.
 */
static uint64_t
output_of(const struct wire_meter *meter, struct usage *usage)
{
	const uint64_t stated = meter->total.value[FIELD_OUTPUT];
	uint64_t guess;

	if (!meter->streamed && wire_field_seen(&meter->total, FIELD_OUTPUT))
		return stated;
	if (meter->final_usage)
		return stated;
	guess = wire_count_within(
	    wire_estimate_output_tokens(meter->output_bytes_seen),
	    USAGE_COUNT_MAX, &usage->marks);
	usage->marks |= USAGE_ESTIMATED;
	return guess > stated ? guess : stated;
}

static void
settle_other(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *other = &meter->other;
	uint64_t *count = usage->other.count;

	if (meter->other_model[0] == '\0')
		return;
	usage->marks |= other->marks;
	memcpy(usage->other.model, meter->other_model,
	    sizeof(usage->other.model));
	count[USAGE_INPUT] = other->value[FIELD_INPUT];
	count[USAGE_OUTPUT] = other->value[FIELD_OUTPUT];
	count[USAGE_CACHE_READ] = other->value[FIELD_CACHE_READ];
	count[USAGE_CACHE_WRITE_5M] = other->value[FIELD_WRITE_5M];
	count[USAGE_CACHE_WRITE_1H] = other->value[FIELD_WRITE_1H];
}

static void
settle(const struct wire_meter *meter, struct usage *usage)
{
	const struct wire_meter_fields *total = &meter->total;
	const struct wire_meter_fields *extra = &meter->compaction;
	const struct wire_meter_fields *base = total;
	uint64_t five, hour, output;

	if (!wire_field_seen(total, FIELD_INPUT) &&
	    !wire_field_seen(total, FIELD_OUTPUT))
		return;
	usage->marks = USAGE_SEEN | total->marks | extra->marks;
	split_writes(total, meter->split_stale, &five, &hour, &usage->marks);
	output = output_of(meter, usage);
	if (meter->fallback) {
		base = &meter->own;
		usage->marks |= base->marks;
		five = base->value[FIELD_WRITE_5M];
		hour = base->value[FIELD_WRITE_1H];
		output = base->value[FIELD_OUTPUT];
	}
	usage->count[USAGE_INPUT] = wire_count_add(base->value[FIELD_INPUT],
	    extra->value[FIELD_INPUT], &usage->marks);
	usage->count[USAGE_OUTPUT] = wire_count_add(output,
	    extra->value[FIELD_OUTPUT], &usage->marks);
	usage->count[USAGE_CACHE_READ] = wire_count_add(
	    base->value[FIELD_CACHE_READ], extra->value[FIELD_CACHE_READ],
	    &usage->marks);
	usage->count[USAGE_CACHE_WRITE_5M] = wire_count_add(five,
	    extra->value[FIELD_WRITE_5M], &usage->marks);
	usage->count[USAGE_CACHE_WRITE_1H] = wire_count_add(hour,
	    extra->value[FIELD_WRITE_1H], &usage->marks);
	usage->count[USAGE_TOOL_CALLS] = total->value[FIELD_SEARCHES];
	settle_other(meter, usage);
	usage->reasoning = total->value[FIELD_THINKING];
	if (usage->reasoning > usage->count[USAGE_OUTPUT]) {
		/* After a fallback it is the other's. */
		if (!meter->fallback)
			usage->marks |= USAGE_CLAMPED;
		usage->reasoning = usage->count[USAGE_OUTPUT];
	}
}

const struct wire_meter_reader wire_meter_anthropic = { nodes, report, settle };

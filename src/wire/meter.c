/*
 * meter.c: see meter.h.  What all protocols share; each has its own file.
 */
#include "wire/meter.h"

#include <assert.h>
#include <string.h>

#include "wire/meter_reader.h"

static const char done_line[] = "[DONE]";
#define DONE_LEN (sizeof(done_line) - 1)

/* What is stated, made possible; false: nothing is. */
static bool
count_of(const struct json_pull_value *value, uint64_t *count_r,
    uint32_t *marks)
{
	uint64_t count = value->number;

	if (value->type == JSON_NULL || value->edge != JSON_PULL_SCALAR)
		return false;
	if (value->type != JSON_NUMBER) {
		*marks |= USAGE_CLAMPED;
		return false;
	}
	if (value->absurd || value->negative || value->fraction ||
	    count > USAGE_COUNT_MAX) {
		if (!value->negative || count > 0 || value->fraction ||
		    value->absurd)
			*marks |= USAGE_CLAMPED;
		if (value->negative)
			count = 0;
		else if (value->absurd || count >= USAGE_COUNT_MAX)
			count = USAGE_COUNT_MAX;
		else if (value->fraction)
			count++;
	}
	*count_r = count;
	return true;
}

static void
raise_field(struct wire_meter_fields *fields, unsigned int field,
    uint64_t count)
{
	if (fields->value[field] < count)
		fields->value[field] = count;
	fields->seen |= UINT32_C(1) << field;
}

void
wire_field_take(struct wire_meter_fields *fields, unsigned int field,
    const struct json_pull_value *value)
{
	uint64_t count;

	assert(field < WIRE_METER_FIELDS);
	if (!count_of(value, &count, &fields->marks))
		return;
	/* One object that says it twice, and not the same. */
	if (wire_field_seen(fields, field) && fields->value[field] != count)
		fields->marks |= USAGE_CLAMPED;
	raise_field(fields, field, count);
}

void
wire_field_take_max(struct wire_meter_fields *fields, unsigned int field,
    const struct json_pull_value *value)
{
	uint64_t count;

	assert(field < WIRE_METER_FIELDS);
	if (count_of(value, &count, &fields->marks))
		raise_field(fields, field, count);
}

void
wire_field_unknown(struct wire_meter_fields *fields,
    const struct json_pull_value *value)
{
	static const char *const suffixes[] = { "_tokens", "TokenCount" };
	size_t i, len;

	if (value->type != JSON_NUMBER || value->number == 0)
		return;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		len = strlen(suffixes[i]);
		if (value->name_len >= len && memcmp(value->name +
		    value->name_len - len, suffixes[i], len) == 0)
			fields->marks |= USAGE_UNKNOWN_FIELD;
	}
}

/* "12.5" in thousandths, the rest rounded away; false: another text. */
static bool
take_thousandths(const char *text, size_t len, uint64_t *n_r)
{
	uint64_t n = 0;
	size_t i = 0, places = 0;

	while (i < len && text[i] >= '0' && text[i] <= '9' &&
	    n <= USAGE_COUNT_MAX)
		n = n * 10 + (uint64_t)(text[i++] - '0');
	if (i == 0)
		return false;
	if (i < len && text[i] == '.')
		i++;
	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++, places++)
		if (places < 3)
			n = n * 10 + (uint64_t)(text[i] - '0');
		else if (places == 3 && text[i] >= '5')
			n++;
	for (; places < 3; places++)
		n *= 10;
	*n_r = n;
	return i == len;
}

void
wire_field_take_seconds(struct wire_meter_fields *fields, unsigned int field,
    const struct json_pull_value *value)
{
	uint64_t count = 0;

	assert(field < WIRE_METER_FIELDS);
	if (value->type == JSON_NULL || value->edge != JSON_PULL_SCALAR)
		return;
	if ((value->type != JSON_NUMBER && value->type != JSON_STRING) ||
	    value->text_cut ||
	    !take_thousandths(value->text, value->text_len, &count)) {
		fields->marks |= USAGE_CLAMPED;
		return;
	}
	fields->value[field] = wire_count_within(count, USAGE_COUNT_MAX,
	    &fields->marks);
	fields->seen |= UINT32_C(1) << field;
}

uint64_t
wire_count_add(uint64_t a, uint64_t b, uint32_t *marks)
{
	assert(a <= USAGE_COUNT_MAX && b <= USAGE_COUNT_MAX);
	if (a + b <= USAGE_COUNT_MAX)
		return a + b;
	*marks |= USAGE_CLAMPED;
	return USAGE_COUNT_MAX;
}

uint64_t
wire_count_within(uint64_t part, uint64_t whole, uint32_t *marks)
{
	if (part <= whole)
		return part;
	*marks |= USAGE_CLAMPED;
	return whole;
}

static const struct wire_meter_reader *
reader_of(enum wire_route route)
{
	switch (route) {
	case WIRE_ROUTE_MESSAGES:
	case WIRE_ROUTE_COUNT_TOKENS:
		return &wire_meter_anthropic;
	case WIRE_ROUTE_RESPONSES:
	case WIRE_ROUTE_RESPONSE:
	case WIRE_ROUTE_RESPONSE_DELETE:
	case WIRE_ROUTE_RESPONSE_CANCEL:
	case WIRE_ROUTE_RESPONSE_INPUT:
		return &wire_meter_responses;
	case WIRE_ROUTE_IMAGES:
	case WIRE_ROUTE_IMAGE_EDITS:
	case WIRE_ROUTE_IMAGE_VARIATIONS:
		return &wire_meter_images;
	case WIRE_ROUTE_TRANSCRIPTIONS:
	case WIRE_ROUTE_TRANSLATIONS:
	case WIRE_ROUTE_SPEECH:
		return &wire_meter_audio;
	case WIRE_ROUTE_GENERATE:
	case WIRE_ROUTE_STREAM_GENERATE:
	case WIRE_ROUTE_GEMINI_COUNT:
	case WIRE_ROUTE_EMBED:
	case WIRE_ROUTE_BATCH_EMBED:
		return &wire_meter_gemini;
	case WIRE_ROUTE_INTERACTIONS:
		return &wire_meter_interactions;
	case WIRE_ROUTE_CHAT_COMPLETIONS:
	case WIRE_ROUTE_COMPLETIONS:
	case WIRE_ROUTE_EMBEDDINGS:
	case WIRE_ROUTE_MODERATIONS:
	case WIRE_ROUTE_RERANK:
		return &wire_meter_openai;
	case WIRE_ROUTE_NONE:
	case WIRE_ROUTE_MODELS:
	case WIRE_ROUTE_MODEL:
	case WIRE_ROUTE_HEALTHZ:
	case WIRE_ROUTE_READYZ:
	case WIRE_ROUTE_RESPONSES_SOCKET:
	case WIRE_ROUTE_BATCHES:
	case WIRE_ROUTE_HELLO:
	case WIRE_ROUTE_PORTAL:
		break;
	}
	assert(false);
	return &wire_meter_openai;
}

void
wire_meter_init(struct wire_meter *meter, enum wire_route route, bool streamed)
{
	memset(meter, 0, sizeof(*meter));
	meter->route = route;
	meter->reader = reader_of(route);
	meter->streamed = streamed;
	sse_init(&meter->sse);
	json_pull_init(&meter->pull, meter->reader->nodes,
	    meter->reader->report, NULL);
}

void
wire_meter_opaque(struct wire_meter *meter)
{
	meter->opaque = true;
}

/* Data of an event, which is a JSON text or the word that ends a stream. */
static void
feed_data(struct wire_meter *meter, const char *p, size_t len)
{
	size_t i;

	if (!meter->in_frame) {
		/* After its end a stream states nothing. */
		if (meter->finished)
			return;
		meter->in_frame = true;
		meter->maybe_done = true;
		meter->done_at = 0;
		meter->last_frame = false;
		meter->named_final = false;
		json_pull_reset(&meter->pull);
	}
	for (i = 0; meter->maybe_done && i < len; i++)
		if (meter->done_at < DONE_LEN &&
		    p[i] == done_line[meter->done_at])
			meter->done_at++;
		else
			meter->maybe_done = false;
	json_pull_feed(&meter->pull, p, len);
}

static void
end_frame(struct wire_meter *meter)
{
	if (!meter->in_frame)
		return;
	meter->in_frame = false;
	if (meter->usage_fresh)
		meter->usage_at_bytes = meter->pull.text_bytes;
	meter->usage_fresh = false;
	if (meter->maybe_done && meter->done_at == DONE_LEN)
		meter->finished = true;
	else if (json_pull_feed(&meter->pull, NULL, 0) != JSON_PULL_DONE)
		meter->malformed = true;
	else if (meter->last_frame)
		meter->finished = true;
}

static void
feed_stream(struct wire_meter *meter, const char *in, size_t len)
{
	struct span data;
	size_t used;

	while (len > 0) {
		switch (sse_next(&meter->sse, in, len, &used, &data)) {
		case SSE_DATA:
			feed_data(meter, data.p, data.len);
			break;
		case SSE_END:
			end_frame(meter);
			break;
		case SSE_MORE:
			break;
		}
		in += used;
		len -= used;
	}
}

static void
feed_document(struct wire_meter *meter, const char *in, size_t len)
{
	switch (json_pull_feed(&meter->pull, in, len)) {
	case JSON_PULL_MORE:
		return;
	case JSON_PULL_DONE:
		meter->finished = true;
		return;
	case JSON_PULL_BAD:
		meter->finished = false;
		meter->malformed = true;
		return;
	}
}

void
wire_meter_feed(struct wire_meter *meter, const char *in, size_t len)
{
	/* Set anew each time, so that the struct may be moved. */
	meter->pull.context = meter;
	if (meter->opaque)
		return;
	if (meter->streamed)
		feed_stream(meter, in, len);
	else
		feed_document(meter, in, len);
	meter->output_bytes_seen = meter->pull.text_bytes;
}

void
wire_meter_finish(struct wire_meter *meter)
{
	if (meter->streamed)
		end_frame(meter);
	else if (meter->opaque)
		meter->finished = true;
	else if (!meter->finished)
		meter->malformed = true;
}

const struct usage *
wire_meter_usage(struct wire_meter *meter)
{
	struct usage *usage = &meter->usage;

	memset(usage, 0, sizeof(*usage));
	usage->tier = meter->tier;
	usage->speed = meter->speed;
	usage->region = meter->region;
	usage->image_quality = meter->image_quality;
	usage->image_width = meter->image_width;
	usage->image_height = meter->image_height;
	meter->reader->settle(meter, usage);
	return &meter->usage;
}

bool
wire_meter_frame_open(const struct wire_meter *meter)
{
	return meter->streamed ? meter->sse.open : meter->in_element;
}

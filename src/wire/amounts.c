/*
 * amounts.c: what a request will use, before its answer says so; and the
 * members of forms, which are what such requests say it by.
 */
#include <stdio.h>
#include <string.h>

#include "wire/estimate.h"
#include "wire/meter_reader.h"
#include "wire/request.h"

/* The most tokens that one image takes, by quality; and a preview of it. */
static const uint64_t image_tokens[] = {
	[IMAGE_QUALITY_AUTO] = 6240,
	[IMAGE_QUALITY_LOW] = 408,
	[IMAGE_QUALITY_MEDIUM] = 1584,
	[IMAGE_QUALITY_HIGH] = 6240,
};
#define PARTIAL_IMAGE_TOKENS 100

/* Speech and its transcript: a second is some 15 characters, 3 tokens of text
 * and 10 of audio read or 20 of audio made. */
#define TRANSCRIPT_BASE_TOKENS 64
#define TRANSCRIPT_MS_PER_TOKEN 200
#define AUDIO_MS_PER_TOKEN 100
#define SPOKEN_TOKENS_PER_CHARACTER 2

/* So many documents make a unit of ranking. */
#define DOCUMENTS_PER_UNIT 100

static uint64_t
cut(uint64_t n)
{
	return n < USAGE_COUNT_MAX ? n : USAGE_COUNT_MAX;
}

uint64_t
wire_request_input_tokens(const struct wire_request *req)
{
	switch (req->route) {
	case WIRE_ROUTE_IMAGE_EDITS:
	case WIRE_ROUTE_IMAGE_VARIATIONS:
		return WIRE_REQUEST_FORM_TEXT_TOKENS;
	case WIRE_ROUTE_TRANSCRIPTIONS:
	case WIRE_ROUTE_TRANSLATIONS:
		return TRANSCRIPT_BASE_TOKENS;
	default:
		return cut(wire_estimate_input_tokens(req->body_bytes) +
		    req->context_tokens);
	}
}

uint64_t
wire_request_output_tokens(const struct wire_request *req,
    uint64_t ceiling_tokens)
{
	uint64_t each = req->has_max_tokens ? req->max_tokens : ceiling_tokens;

	switch (req->route) {
	case WIRE_ROUTE_EMBEDDINGS:
	case WIRE_ROUTE_MODERATIONS:
	case WIRE_ROUTE_RERANK:
	case WIRE_ROUTE_EMBED:
	case WIRE_ROUTE_BATCH_EMBED:
	case WIRE_ROUTE_COUNT_TOKENS:
	case WIRE_ROUTE_GEMINI_COUNT:
	case WIRE_ROUTE_SPEECH:
	case WIRE_ROUTE_IMAGES:
	case WIRE_ROUTE_IMAGE_EDITS:
	case WIRE_ROUTE_IMAGE_VARIATIONS:
		return 0;
	case WIRE_ROUTE_TRANSCRIPTIONS:
	case WIRE_ROUTE_TRANSLATIONS:
		return cut(TRANSCRIPT_BASE_TOKENS +
		    req->audio_ms / TRANSCRIPT_MS_PER_TOKEN);
	default:
		break;
	}
	if (each > USAGE_COUNT_MAX / req->n)
		return USAGE_COUNT_MAX;
	return each * req->n;
}

void
wire_request_most(const struct wire_request *req, struct usage *usage_r)
{
	uint64_t *count = usage_r->count;

	memset(usage_r, 0, sizeof(*usage_r));
	usage_r->image_width = req->image_width;
	usage_r->image_height = req->image_height;
	usage_r->image_quality = req->image_quality;
	count[USAGE_CALLS] = 1;
	switch (req->route) {
	case WIRE_ROUTE_IMAGES:
	case WIRE_ROUTE_IMAGE_EDITS:
	case WIRE_ROUTE_IMAGE_VARIATIONS:
		count[USAGE_IMAGES] = req->n;
		count[USAGE_OUTPUT_IMAGE] = cut(req->n *
		    (image_tokens[req->image_quality] +
		    (uint64_t)req->partial_images * PARTIAL_IMAGE_TOKENS));
		return;
	case WIRE_ROUTE_TRANSCRIPTIONS:
	case WIRE_ROUTE_TRANSLATIONS:
		count[USAGE_MILLISECONDS] = cut(req->audio_ms);
		count[USAGE_INPUT_AUDIO] = cut(req->audio_ms /
		    AUDIO_MS_PER_TOKEN + 1);
		return;
	case WIRE_ROUTE_SPEECH:
		count[USAGE_CHARACTERS] = cut(req->characters);
		count[USAGE_OUTPUT_AUDIO] = cut(TRANSCRIPT_BASE_TOKENS +
		    req->characters * SPOKEN_TOKENS_PER_CHARACTER);
		return;
	case WIRE_ROUTE_RERANK:
		count[USAGE_CALLS] = cut(1 + req->documents /
		    DOCUMENTS_PER_UNIT);
		return;
	default:
		return;
	}
}

static void
complete_images(const struct wire_request *req, struct usage *usage)
{
	if (usage->count[USAGE_IMAGES] == 0)
		usage->count[USAGE_IMAGES] = req->n;
	if (usage->image_width == 0) {
		usage->image_width = req->image_width;
		usage->image_height = req->image_height;
	}
	if (usage->image_quality == IMAGE_QUALITY_AUTO)
		usage->image_quality = req->image_quality;
}

bool
wire_request_complete(const struct wire_request *req, struct usage *usage)
{
	uint64_t *count = usage->count;

	if (count[USAGE_CALLS] == 0)
		count[USAGE_CALLS] = 1;
	switch (req->route) {
	case WIRE_ROUTE_IMAGES:
	case WIRE_ROUTE_IMAGE_EDITS:
	case WIRE_ROUTE_IMAGE_VARIATIONS:
		complete_images(req, usage);
		return true;
	case WIRE_ROUTE_SPEECH:
		count[USAGE_CHARACTERS] = cut(req->characters);
		return true;
	case WIRE_ROUTE_TRANSCRIPTIONS:
	case WIRE_ROUTE_TRANSLATIONS:
		if ((usage->marks & USAGE_SEEN) == 0) {
			count[USAGE_MILLISECONDS] = cut(req->audio_ms);
			usage->marks |= USAGE_ESTIMATED;
		}
		return true;
	default:
		return false;
	}
}

static bool
refuse(struct wire_fault *fault, const char *param)
{
	fault->error = WIRE_ERROR_BAD_PARAM;
	snprintf(fault->param, sizeof(fault->param), "%s", param);
	return false;
}

static bool
take_number(struct span value, uint32_t least, uint32_t *number_r)
{
	uint32_t number = 0;
	size_t i;

	if (value.len == 0 || value.len > 4)
		return false;
	for (i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return false;
		number = number * 10 + (uint32_t)(value.p[i] - '0');
	}
	*number_r = number;
	return number >= least && number <= WIRE_REQUEST_N_MAX;
}

static bool
is(struct span value, const char *text)
{
	return value.len == strlen(text) &&
	    memcmp(value.p, text, value.len) == 0;
}

bool
wire_request_field_costs(const char *name)
{
	static const char *const names[] = { "model", "n", "size", "quality",
		"stream", "partial_images", "response_format" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

bool
wire_request_field(struct wire_request *req, const char *name,
    struct span value, struct wire_fault *fault_r)
{
	bool good = true;

	memset(fault_r, 0, sizeof(*fault_r));
	if (strcmp(name, "model") == 0)
		return wire_request_name(req, value, fault_r);
	if (strcmp(name, "n") == 0)
		good = take_number(value, 1, &req->n);
	else if (strcmp(name, "partial_images") == 0)
		good = take_number(value, 0, &req->partial_images);
	else if (strcmp(name, "size") == 0)
		(void)wire_image_size(value.p, value.len,
		    &req->image_width, &req->image_height);
	else if (strcmp(name, "quality") == 0)
		(void)wire_image_quality(value.p, value.len,
		    &req->image_quality);
	else if (strcmp(name, "stream") == 0) {
		req->stream = is(value, "true") || is(value, "True") ||
		    is(value, "1");
		good = req->stream || is(value, "false") ||
		    is(value, "False") || is(value, "0") || value.len == 0;
	}
	return good || refuse(fault_r, name);
}

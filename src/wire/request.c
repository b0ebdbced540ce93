/*
 * request.c: see request.h.
 *
 * What a call may cost is decided here from the client's own words, so nothing
 * ambiguous passes: a member that stands twice is read by us and by the
 * upstream in different ways, and the difference would be ours to pay.
 */
#include "wire/request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/fee.h"

/* Members on which the price of a call depends, in any route. */
enum member {
	MEMBER_MODEL,
	MEMBER_STREAM,
	MEMBER_MAX_TOKENS,
	MEMBER_SERVICE_TIER,
	MEMBER_TOOLS,
	/* OpenAI */
	MEMBER_MAX_COMPLETION_TOKENS,
	MEMBER_N,
	MEMBER_STREAM_OPTIONS,
	MEMBER_WEB_SEARCH,
	OPENAI_BILLED,
	/* Not billed by: where the choice of a channel looks. */
	MEMBER_MESSAGES = OPENAI_BILLED,
	MEMBER_PROMPT_CACHE_KEY,
	OPENAI_MEMBERS,
	/* Anthropic: in their place */
	MEMBER_SPEED = MEMBER_MAX_COMPLETION_TOKENS,
	MEMBER_INFERENCE_GEO,
	ANTHROPIC_BILLED,
	MEMBER_ANTHROPIC_MESSAGES = ANTHROPIC_BILLED,
	MEMBER_SYSTEM,
	ANTHROPIC_MEMBERS
};

static const struct json_want openai_wants[OPENAI_MEMBERS] = {
	[MEMBER_MODEL] = JSON_WANT("model"),
	[MEMBER_STREAM] = JSON_WANT("stream"),
	[MEMBER_MAX_TOKENS] = JSON_WANT("max_tokens"),
	[MEMBER_SERVICE_TIER] = JSON_WANT("service_tier"),
	[MEMBER_MAX_COMPLETION_TOKENS] = JSON_WANT("max_completion_tokens"),
	[MEMBER_N] = JSON_WANT("n"),
	[MEMBER_STREAM_OPTIONS] = JSON_WANT("stream_options"),
	[MEMBER_MESSAGES] = JSON_WANT("messages"),
	[MEMBER_PROMPT_CACHE_KEY] = JSON_WANT("prompt_cache_key"),
	[MEMBER_TOOLS] = JSON_WANT("tools"),
	[MEMBER_WEB_SEARCH] = JSON_WANT("web_search_options"),
};

static const struct json_want anthropic_wants[ANTHROPIC_MEMBERS] = {
	[MEMBER_MODEL] = JSON_WANT("model"),
	[MEMBER_STREAM] = JSON_WANT("stream"),
	[MEMBER_MAX_TOKENS] = JSON_WANT("max_tokens"),
	[MEMBER_SERVICE_TIER] = JSON_WANT("service_tier"),
	[MEMBER_TOOLS] = JSON_WANT("tools"),
	[MEMBER_SPEED] = JSON_WANT("speed"),
	[MEMBER_INFERENCE_GEO] = JSON_WANT("inference_geo"),
	[MEMBER_ANTHROPIC_MESSAGES] = JSON_WANT("messages"),
	[MEMBER_SYSTEM] = JSON_WANT("system"),
};

#define INCLUDE_USAGE_PATH "stream_options.include_usage"

static bool
refuse(struct wire_fault *fault, enum wire_error error, const char *param)
{
	fault->error = error;
	snprintf(fault->param, sizeof(fault->param), "%s", param);
	return false;
}

static bool
check_scan(enum json_scan_result result, struct wire_fault *fault)
{
	switch (result) {
	case JSON_SCAN_OK:
		return true;
	case JSON_SCAN_DEEP:
		return refuse(fault, WIRE_ERROR_JSON_DEEP, "");
	case JSON_SCAN_MALFORMED:
	case JSON_SCAN_NOT_OBJECT:
		break;
	}
	return refuse(fault, WIRE_ERROR_BAD_JSON, "");
}

static bool
check_once(const struct json_want *wants, size_t n, struct wire_fault *fault)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (wants[i].count > 1 || wants[i].folded > 0)
			return refuse(fault, WIRE_ERROR_DUPLICATE_PARAM,
			    wants[i].name);
	return true;
}

static bool
is_unset(const struct json_want *want)
{
	return want->type == JSON_ABSENT || want->type == JSON_NULL;
}

static bool
read_model(const struct json_want *want, const char *body,
    struct wire_request *req, struct wire_fault *fault)
{
	if (want->type == JSON_ABSENT)
		return refuse(fault, WIRE_ERROR_MISSING_PARAM, "model");
	if (want->type != JSON_STRING ||
	    json_scan_string_copy(body + want->value_start,
	    want->value_end - want->value_start, req->model,
	    sizeof(req->model), &req->model_len) != JSON_STRING_OK ||
	    req->model_len == 0)
		return refuse(fault, WIRE_ERROR_BAD_PARAM, "model");
	req->model_value.start = want->value_start;
	req->model_value.end = want->value_end;
	return true;
}

static bool
read_bool(const struct json_want *want, bool *value_r, const char *param,
    struct wire_fault *fault)
{
	*value_r = want->type == JSON_TRUE;
	if (is_unset(want) || want->type == JSON_TRUE ||
	    want->type == JSON_FALSE)
		return true;
	return refuse(fault, WIRE_ERROR_BAD_PARAM, param);
}

/* A whole number from 1 to limit; unset leaves *number_r alone. */
static bool
read_count(const struct json_want *want, const char *body, uint64_t limit,
    uint64_t *number_r, struct wire_fault *fault)
{
	uint64_t number;

	if (is_unset(want))
		return true;
	if (want->type != JSON_NUMBER ||
	    !json_scan_u64(body + want->value_start,
	    want->value_end - want->value_start, &number) ||
	    number < 1 || number > limit)
		return refuse(fault, WIRE_ERROR_BAD_PARAM, want->name);
	*number_r = number;
	return true;
}

static bool
read_max_tokens(const struct json_want *want, const char *body,
    struct wire_request *req, struct wire_fault *fault)
{
	uint64_t number = 0;

	if (!read_count(want, body, USAGE_COUNT_MAX, &number, fault))
		return false;
	if (number == 0)
		return true;
	/* Where both spellings stand, upstreams differ: hold the larger. */
	req->has_max_tokens = true;
	if (number > req->max_tokens)
		req->max_tokens = number;
	return true;
}

static bool
read_stream_options(const struct json_want *want, const char *body,
    struct wire_request *req, struct wire_fault *fault)
{
	struct json_want usage[1] = { JSON_WANT("include_usage") };
	struct json_extent extent;

	if (want->type == JSON_ABSENT)
		return true;
	req->stream_options.start = want->value_start;
	req->stream_options.end = want->value_end;
	req->stream_options_null = want->type == JSON_NULL;
	if (req->stream_options_null)
		return true;
	if (want->type != JSON_OBJECT)
		return refuse(fault, WIRE_ERROR_BAD_PARAM, want->name);
	if (!check_scan(json_scan(body + want->value_start,
	    want->value_end - want->value_start, usage, 1, &extent), fault))
		return false;
	if (usage[0].count > 1 || usage[0].folded > 0)
		return refuse(fault, WIRE_ERROR_DUPLICATE_PARAM,
		    INCLUDE_USAGE_PATH);
	req->stream_options_members = extent.members;
	if (usage[0].type != JSON_ABSENT) {
		req->include_usage_value.start =
		    want->value_start + usage[0].value_start;
		req->include_usage_value.end =
		    want->value_start + usage[0].value_end;
	}
	return read_bool(&usage[0], &req->include_usage, INCLUDE_USAGE_PATH,
	    fault);
}

static struct wire_place
place_of(const struct json_want *want)
{
	struct wire_place place = { 0, 0 };

	if (!is_unset(want)) {
		place.start = want->value_start;
		place.end = want->value_end;
	}
	return place;
}

/* The first `billed` of the n wants must stand once. */
static bool
scan_members(struct json_want *wants, size_t n, size_t billed,
    const char *body, size_t len, struct wire_request *req,
    struct wire_fault *fault)
{
	struct json_extent extent;

	if (!check_scan(json_scan(body, len, wants, n, &extent), fault) ||
	    !check_once(wants, billed, fault))
		return false;
	req->object.start = extent.start;
	req->object.end = extent.end;
	req->members = extent.members;
	return read_model(&wants[MEMBER_MODEL], body, req, fault) &&
	    read_bool(&wants[MEMBER_STREAM], &req->stream, "stream", fault) &&
	    read_max_tokens(&wants[MEMBER_MAX_TOKENS], body, req, fault);
}

static bool
scan_openai(const char *body, size_t len, struct wire_request *req,
    struct wire_fault *fault)
{
	struct json_want wants[OPENAI_MEMBERS];
	uint64_t n = 1;

	memcpy(wants, openai_wants, sizeof(wants));
	if (!scan_members(wants, OPENAI_MEMBERS, OPENAI_BILLED, body, len, req,
	    fault) ||
	    !read_max_tokens(&wants[MEMBER_MAX_COMPLETION_TOKENS], body, req,
	    fault) ||
	    !read_count(&wants[MEMBER_N], body, WIRE_REQUEST_N_MAX, &n, fault))
		return false;
	req->n = (uint32_t)n;
	req->prompt = place_of(&wants[MEMBER_MESSAGES]);
	if (wants[MEMBER_PROMPT_CACHE_KEY].type == JSON_STRING)
		req->session = place_of(&wants[MEMBER_PROMPT_CACHE_KEY]);
	req->asked = wire_asked_read(body, &wants[MEMBER_SERVICE_TIER], NULL,
	    NULL);
	req->asked.tool_calls = wire_asked_tools(body, &wants[MEMBER_TOOLS],
	    &wants[MEMBER_WEB_SEARCH]);
	return read_stream_options(&wants[MEMBER_STREAM_OPTIONS], body, req,
	    fault);
}

static bool
scan_anthropic(const char *body, size_t len, struct wire_request *req,
    struct wire_fault *fault)
{
	struct json_want wants[ANTHROPIC_MEMBERS];

	memcpy(wants, anthropic_wants, sizeof(wants));
	if (!scan_members(wants, ANTHROPIC_MEMBERS, ANTHROPIC_BILLED, body,
	    len, req, fault))
		return false;
	req->prompt = place_of(&wants[MEMBER_SYSTEM]);
	if (req->prompt.end == 0)
		req->prompt = place_of(&wants[MEMBER_ANTHROPIC_MESSAGES]);
	req->asked = wire_asked_read(body, &wants[MEMBER_SERVICE_TIER],
	    &wants[MEMBER_SPEED], &wants[MEMBER_INFERENCE_GEO]);
	req->asked.tool_calls = wire_asked_tools(body, &wants[MEMBER_TOOLS],
	    NULL);
	return true;
}

bool
wire_request_scan(enum wire_route route, const char *body, size_t len,
    struct wire_request *req_r, struct wire_fault *fault_r)
{
	memset(req_r, 0, sizeof(*req_r));
	memset(fault_r, 0, sizeof(*fault_r));
	req_r->route = route;
	req_r->body_bytes = len;
	req_r->n = 1;
	if (route == WIRE_ROUTE_MESSAGES)
		return scan_anthropic(body, len, req_r, fault_r);
	assert(route == WIRE_ROUTE_CHAT_COMPLETIONS);
	return scan_openai(body, len, req_r, fault_r);
}

uint64_t
wire_request_output_tokens(const struct wire_request *req,
    uint64_t ceiling_tokens)
{
	uint64_t each = req->has_max_tokens ? req->max_tokens : ceiling_tokens;

	if (each > USAGE_COUNT_MAX / req->n)
		return USAGE_COUNT_MAX;
	return each * req->n;
}

/*
 * request.c: see request.h.
 *
 * Members that cost money may occur once only: parsers differ in which of two
 * they believe, and ours must not be the cheaper one.
 */
#include "wire/request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "http/json_pull.h"
#include "wire/meter_reader.h"

enum member {
	MEMBER_MODEL,
	MEMBER_STREAM,
	MEMBER_MAX_TOKENS,
	MEMBER_TOOLS,
	MEMBER_MAX_COMPLETION_TOKENS,
	MEMBER_MAX_OUTPUT_TOKENS,
	MEMBER_N,
	MEMBER_BEST_OF,
	MEMBER_PROMPT,
	MEMBER_STREAM_OPTIONS,
	MEMBER_WEB_SEARCH,
	MEMBER_SERVICE_TIER,
	MEMBER_GEMINI_TIER,
	MEMBER_SPEED,
	MEMBER_INFERENCE_GEO,
	MEMBER_BACKGROUND,
	MEMBER_PREVIOUS_RESPONSE,
	MEMBER_PREVIOUS_INTERACTION,
	MEMBER_SIZE,
	MEMBER_QUALITY,
	MEMBER_PARTIAL_IMAGES,
	MEMBER_INPUT,
	MEMBER_DOCUMENTS,
	MEMBER_GENERATION_CONFIG,
	MEMBER_GENERATION_CONFIG_SNAKE,
	BILLED,
	/* Not billed by: where the choice of a channel looks. */
	MEMBER_PROMPT_CACHE_KEY = BILLED,
	MEMBER_SYSTEM,
	MEMBER_MESSAGES,
	MEMBER_CONTENTS,
	MEMBER_CONVERSATION,
	MEMBERS
};
static_assert(MEMBERS <= 32, "a set of members is 32 bits");

static const struct json_want all_wants[MEMBERS] = {
	[MEMBER_MODEL] = JSON_WANT("model"),
	[MEMBER_STREAM] = JSON_WANT("stream"),
	[MEMBER_MAX_TOKENS] = JSON_WANT("max_tokens"),
	[MEMBER_MAX_COMPLETION_TOKENS] = JSON_WANT("max_completion_tokens"),
	[MEMBER_MAX_OUTPUT_TOKENS] = JSON_WANT("max_output_tokens"),
	[MEMBER_N] = JSON_WANT("n"),
	[MEMBER_BEST_OF] = JSON_WANT("best_of"),
	[MEMBER_PROMPT] = JSON_WANT("prompt"),
	[MEMBER_STREAM_OPTIONS] = JSON_WANT("stream_options"),
	[MEMBER_TOOLS] = JSON_WANT("tools"),
	[MEMBER_WEB_SEARCH] = JSON_WANT("web_search_options"),
	[MEMBER_SERVICE_TIER] = JSON_WANT("service_tier"),
	[MEMBER_GEMINI_TIER] = JSON_WANT("serviceTier"),
	[MEMBER_SPEED] = JSON_WANT("speed"),
	[MEMBER_INFERENCE_GEO] = JSON_WANT("inference_geo"),
	[MEMBER_BACKGROUND] = JSON_WANT("background"),
	[MEMBER_PREVIOUS_RESPONSE] = JSON_WANT("previous_response_id"),
	[MEMBER_PREVIOUS_INTERACTION] = JSON_WANT("previous_interaction_id"),
	[MEMBER_SIZE] = JSON_WANT("size"),
	[MEMBER_QUALITY] = JSON_WANT("quality"),
	[MEMBER_PARTIAL_IMAGES] = JSON_WANT("partial_images"),
	[MEMBER_INPUT] = JSON_WANT("input"),
	[MEMBER_DOCUMENTS] = JSON_WANT("documents"),
	[MEMBER_GENERATION_CONFIG] = JSON_WANT("generationConfig"),
	[MEMBER_GENERATION_CONFIG_SNAKE] = JSON_WANT("generation_config"),
	[MEMBER_PROMPT_CACHE_KEY] = JSON_WANT("prompt_cache_key"),
	[MEMBER_SYSTEM] = JSON_WANT("system"),
	[MEMBER_MESSAGES] = JSON_WANT("messages"),
	[MEMBER_CONTENTS] = JSON_WANT("contents"),
	[MEMBER_CONVERSATION] = JSON_WANT("input"),
};

#define BIT(member) (UINT32_C(1) << MEMBER_##member)
#define COMMON (BIT(MODEL) | BIT(STREAM) | BIT(SERVICE_TIER) | BIT(TOOLS))
#define GEMINI (BIT(MODEL) | BIT(SERVICE_TIER) | BIT(GEMINI_TIER) | \
	BIT(GENERATION_CONFIG) | BIT(GENERATION_CONFIG_SNAKE) | BIT(CONTENTS))

/* What is looked for in the body of a route. */
static uint32_t
members_of(enum wire_route route)
{
	switch (route) {
	case WIRE_ROUTE_CHAT_COMPLETIONS:
		return COMMON | BIT(MAX_TOKENS) | BIT(MAX_COMPLETION_TOKENS) |
		    BIT(N) | BIT(STREAM_OPTIONS) | BIT(WEB_SEARCH) |
		    BIT(MESSAGES) | BIT(PROMPT_CACHE_KEY);
	case WIRE_ROUTE_COMPLETIONS:
		return COMMON | BIT(MAX_TOKENS) | BIT(N) | BIT(BEST_OF) |
		    BIT(PROMPT) | BIT(STREAM_OPTIONS);
	case WIRE_ROUTE_RESPONSES:
		return COMMON | BIT(MAX_OUTPUT_TOKENS) | BIT(BACKGROUND) |
		    BIT(PREVIOUS_RESPONSE) | BIT(CONVERSATION) |
		    BIT(PROMPT_CACHE_KEY);
	case WIRE_ROUTE_MESSAGES:
	case WIRE_ROUTE_COUNT_TOKENS:
		return COMMON | BIT(MAX_TOKENS) | BIT(SPEED) |
		    BIT(INFERENCE_GEO) | BIT(SYSTEM) | BIT(MESSAGES);
	case WIRE_ROUTE_IMAGES:
		return COMMON | BIT(N) | BIT(SIZE) | BIT(QUALITY) |
		    BIT(PARTIAL_IMAGES);
	case WIRE_ROUTE_SPEECH:
		return BIT(MODEL) | BIT(INPUT);
	case WIRE_ROUTE_RERANK:
		return BIT(MODEL) | BIT(DOCUMENTS);
	case WIRE_ROUTE_EMBEDDINGS:
	case WIRE_ROUTE_MODERATIONS:
		return BIT(MODEL) | BIT(SERVICE_TIER);
	case WIRE_ROUTE_INTERACTIONS:
		return COMMON | BIT(BACKGROUND) | BIT(PREVIOUS_INTERACTION) |
		    BIT(GENERATION_CONFIG) | BIT(GENERATION_CONFIG_SNAKE);
	default:
		return GEMINI;
	}
}

/* A body while it is read. */
struct scan {
	const char *body;
	struct wire_request *req;
	struct wire_fault *fault;
	struct json_want want[MEMBERS];	/* those of the route, packed */
	size_t wants;
	uint8_t at[MEMBERS];		/* where each stands, + 1 */
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

/* NULL: absent, null, or not looked for. */
static const struct json_want *
get(const struct scan *scan, enum member member)
{
	const struct json_want *want;

	if (scan->at[member] == 0)
		return NULL;
	want = &scan->want[scan->at[member] - 1];
	return is_unset(want) ? NULL : want;
}

static size_t
value_length(const struct json_want *want)
{
	return want->value_end - want->value_start;
}

static bool
copy_string(const struct scan *scan, const struct json_want *want, char *to,
    size_t size, size_t *len_r)
{
	return want->type == JSON_STRING &&
	    json_scan_string_copy(scan->body + want->value_start,
	    value_length(want), to, size, len_r) == JSON_STRING_OK;
}

const char *
wire_request_default_model(enum wire_route route)
{
	switch (route) {
	case WIRE_ROUTE_MODERATIONS:
		return "omni-moderation-latest";
	case WIRE_ROUTE_IMAGES:
	case WIRE_ROUTE_IMAGE_EDITS:
	case WIRE_ROUTE_IMAGE_VARIATIONS:
		return "dall-e-2";
	default:
		return NULL;
	}
}

static bool
read_model(struct scan *scan)
{
	struct wire_request *req = scan->req;
	const struct json_want *want = &scan->want[scan->at[MEMBER_MODEL] - 1];
	const char *model = wire_request_default_model(req->route);

	if (req->model_in_path || (is_unset(want) && model != NULL)) {
		if (want->type == JSON_STRING || want->type == JSON_NULL) {
			req->model_value.start = want->value_start;
			req->model_value.end = want->value_end;
		}
		if (model != NULL)
			req->model_len = (size_t)snprintf(req->model,
			    sizeof(req->model), "%s", model);
		return true;
	}
	if (want->type == JSON_ABSENT)
		return refuse(scan->fault, WIRE_ERROR_MISSING_PARAM, "model");
	if (!copy_string(scan, want, req->model, sizeof(req->model),
	    &req->model_len) || req->model_len == 0)
		return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, "model");
	req->model_value.start = want->value_start;
	req->model_value.end = want->value_end;
	return true;
}

static bool
read_bool(const struct scan *scan, enum member member, bool *value_r)
{
	const struct json_want *want = get(scan, member);

	if (want == NULL)
		return true;
	*value_r = want->type == JSON_TRUE;
	if (want->type == JSON_TRUE || want->type == JSON_FALSE)
		return true;
	return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, want->name);
}

/* A whole number from least to most; unset leaves *number_r alone. */
static bool
read_number(const struct scan *scan, const struct json_want *want,
    uint64_t least, uint64_t most, uint64_t *number_r)
{
	uint64_t number;

	if (want == NULL)
		return true;
	if (want->type != JSON_NUMBER ||
	    !json_scan_u64(scan->body + want->value_start, value_length(want),
	    &number) || number < least || number > most)
		return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, want->name);
	*number_r = number;
	return true;
}

static bool
take_max_tokens(const struct scan *scan, const struct json_want *want)
{
	struct wire_request *req = scan->req;
	uint64_t number = 0;

	if (!read_number(scan, want, 1, USAGE_COUNT_MAX, &number))
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
read_limits(const struct scan *scan)
{
	uint64_t n = 1, best_of = 0, partial = 0;

	if (!take_max_tokens(scan, get(scan, MEMBER_MAX_TOKENS)) ||
	    !take_max_tokens(scan, get(scan, MEMBER_MAX_COMPLETION_TOKENS)) ||
	    !take_max_tokens(scan, get(scan, MEMBER_MAX_OUTPUT_TOKENS)) ||
	    !read_number(scan, get(scan, MEMBER_N), 1, WIRE_REQUEST_N_MAX,
	    &n) ||
	    !read_number(scan, get(scan, MEMBER_BEST_OF), 0,
	    WIRE_REQUEST_N_MAX, &best_of) ||
	    !read_number(scan, get(scan, MEMBER_PARTIAL_IMAGES), 0,
	    WIRE_REQUEST_N_MAX, &partial))
		return false;
	scan->req->n = (uint32_t)(best_of > n ? best_of : n);
	scan->req->partial_images = (uint32_t)partial;
	return true;
}

static bool
read_stream_options(struct scan *scan)
{
	struct json_want usage[1] = { JSON_WANT("include_usage") };
	struct wire_request *req = scan->req;
	const struct json_want *want;
	struct json_extent extent;

	if (scan->at[MEMBER_STREAM_OPTIONS] == 0)
		return true;
	want = &scan->want[scan->at[MEMBER_STREAM_OPTIONS] - 1];
	if (want->type == JSON_ABSENT)
		return true;
	req->stream_options.start = want->value_start;
	req->stream_options.end = want->value_end;
	req->stream_options_null = want->type == JSON_NULL;
	if (req->stream_options_null)
		return true;
	if (want->type != JSON_OBJECT)
		return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, want->name);
	if (!check_scan(json_scan(scan->body + want->value_start,
	    value_length(want), usage, 1, &extent), scan->fault))
		return false;
	if (usage[0].count > 1 || usage[0].folded > 0)
		return refuse(scan->fault, WIRE_ERROR_DUPLICATE_PARAM,
		    INCLUDE_USAGE_PATH);
	req->stream_options_members = extent.members;
	if (usage[0].type != JSON_ABSENT) {
		req->include_usage_value.start =
		    want->value_start + usage[0].value_start;
		req->include_usage_value.end =
		    want->value_start + usage[0].value_end;
	}
	req->include_usage = usage[0].type == JSON_TRUE;
	if (is_unset(&usage[0]) || usage[0].type == JSON_TRUE ||
	    usage[0].type == JSON_FALSE)
		return true;
	return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, INCLUDE_USAGE_PATH);
}

/* Gemini's readers take both spellings of a name. */
static bool
read_generation_config(struct scan *scan)
{
	struct json_want inner[] = {
		JSON_WANT("maxOutputTokens"), JSON_WANT("max_output_tokens"),
		JSON_WANT("candidateCount"), JSON_WANT("candidate_count"),
	};
	const size_t n_inner = sizeof(inner) / sizeof(inner[0]);
	const struct json_want *want = get(scan, MEMBER_GENERATION_CONFIG);
	const struct json_want *snake =
	    get(scan, MEMBER_GENERATION_CONFIG_SNAKE);
	const char *body = scan->body;
	struct json_extent extent;
	uint64_t n = 1;
	bool good;

	if (want != NULL && snake != NULL)
		return refuse(scan->fault, WIRE_ERROR_DUPLICATE_PARAM,
		    want->name);
	if (want == NULL)
		want = snake;
	if (want == NULL)
		return true;
	if (want->type != JSON_OBJECT)
		return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, want->name);
	if (!check_scan(json_scan(body + want->value_start,
	    value_length(want), inner, n_inner, &extent), scan->fault) ||
	    !check_once(inner, n_inner, scan->fault))
		return false;
	if ((!is_unset(&inner[0]) && !is_unset(&inner[1])) ||
	    (!is_unset(&inner[2]) && !is_unset(&inner[3])))
		return refuse(scan->fault, WIRE_ERROR_DUPLICATE_PARAM,
		    want->name);
	scan->body = body + want->value_start;
	good = take_max_tokens(scan, is_unset(&inner[0]) ? NULL : &inner[0]) &&
	    take_max_tokens(scan, is_unset(&inner[1]) ? NULL : &inner[1]) &&
	    read_number(scan, is_unset(&inner[2]) ? NULL : &inner[2], 1,
	    WIRE_REQUEST_N_MAX, &n) &&
	    read_number(scan, is_unset(&inner[3]) ? NULL : &inner[3], 1,
	    WIRE_REQUEST_N_MAX, &n);
	scan->body = body;
	scan->req->n = (uint32_t)n;
	return good;
}

static bool
read_previous(struct scan *scan, enum member member)
{
	const struct json_want *want = get(scan, member);
	size_t len;

	if (want == NULL || copy_string(scan, want, scan->req->previous_id,
	    sizeof(scan->req->previous_id), &len))
		return true;
	return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, want->name);
}

static bool
read_image(struct scan *scan)
{
	struct wire_request *req = scan->req;
	const struct json_want *want;
	char text[32];
	size_t len;

	want = get(scan, MEMBER_SIZE);
	if (want != NULL) {
		if (!copy_string(scan, want, text, sizeof(text), &len))
			return refuse(scan->fault, WIRE_ERROR_BAD_PARAM,
			    "size");
		(void)wire_image_size(text, len, &req->image_width,
		    &req->image_height);
	}
	want = get(scan, MEMBER_QUALITY);
	if (want != NULL) {
		if (!copy_string(scan, want, text, sizeof(text), &len))
			return refuse(scan->fault, WIRE_ERROR_BAD_PARAM,
			    "quality");
		(void)wire_image_quality(text, len, &req->image_quality);
	}
	return true;
}

/* Characters (code points) of a string that was scanned. */
static uint64_t
count_characters(const char *p, size_t len)
{
	uint64_t n = 0;
	size_t i;

	/* Without the quotes. */
	for (i = 1; i + 1 < len; i++) {
		if (p[i] != '\\') {
			n += ((unsigned char)p[i] & 0xc0) != 0x80;
			continue;
		}
		i++;
		if (p[i] != 'u') {
			n++;
			continue;
		}
		/* The second half of a pair, \uDC00 to \uDFFF, is none. */
		n += !((p[i + 1] | 0x20) == 'd' && (p[i + 2] | 0x20) >= 'c');
		i += 4;
	}
	return n;
}

static bool
read_input(struct scan *scan)
{
	const struct json_want *want = get(scan, MEMBER_INPUT);

	if (scan->at[MEMBER_INPUT] == 0)
		return true;
	if (want == NULL)
		return refuse(scan->fault, WIRE_ERROR_MISSING_PARAM, "input");
	if (want->type != JSON_STRING)
		return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, "input");
	scan->req->characters = count_characters(
	    scan->body + want->value_start, value_length(want));
	if (scan->req->characters > USAGE_COUNT_MAX)
		return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, "input");
	return true;
}

static void
count_element(void *context, const struct json_pull_value *value)
{
	uint64_t *n = context;

	/* A list of numbers is one text, in tokens. */
	if (value->edge != JSON_PULL_END &&
	    (value->type != JSON_NUMBER || *n == 0))
		(*n)++;
}

/* How many texts a member is: 1 unless it is a list of them. */
static uint64_t
count_texts(const struct scan *scan, enum member member)
{
	static const struct json_node nodes[] = {
		JSON_NODE("", 1, 1, 0), JSON_NODE("[]", 0, 0, JSON_NODE_EDGES)
	};
	const struct json_want *want = get(scan, member);
	struct json_pull pull;
	uint64_t n = 0;

	if (want == NULL || want->type != JSON_ARRAY)
		return 1;
	json_pull_init(&pull, nodes, count_element, &n);
	(void)json_pull_feed(&pull, scan->body + want->value_start,
	    value_length(want));
	return n > 0 ? n : 1;
}

/* Several prompts have n answers each. */
static bool
read_prompts(struct scan *scan)
{
	uint64_t n = scan->req->n * count_texts(scan, MEMBER_PROMPT);

	if (n > USAGE_COUNT_MAX)
		return refuse(scan->fault, WIRE_ERROR_BAD_PARAM, "prompt");
	scan->req->n = (uint32_t)n;
	return true;
}

/* An interaction that is made later could not be asked for here. */
static bool
check_background(struct scan *scan)
{
	if (scan->req->background &&
	    scan->req->route == WIRE_ROUTE_INTERACTIONS)
		return refuse(scan->fault, WIRE_ERROR_NOT_OFFERED,
		    "background");
	return true;
}

static struct wire_place
place_of(const struct scan *scan, enum member member)
{
	const struct json_want *want = get(scan, member);
	struct wire_place place = { 0, 0 };

	if (want != NULL) {
		place.start = want->value_start;
		place.end = want->value_end;
	}
	return place;
}

/* Where the prompt begins, and what the client itself calls the session. */
static void
find_prompt(struct scan *scan)
{
	static const enum member beginnings[] = { MEMBER_SYSTEM,
		MEMBER_MESSAGES, MEMBER_CONTENTS, MEMBER_CONVERSATION };
	const struct json_want *key = get(scan, MEMBER_PROMPT_CACHE_KEY);
	struct wire_request *req = scan->req;
	size_t i;

	for (i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]) &&
	    req->prompt.end == 0; i++)
		req->prompt = place_of(scan, beginnings[i]);
	if (key != NULL && key->type == JSON_STRING)
		req->session = place_of(scan, MEMBER_PROMPT_CACHE_KEY);
}

static bool
read_members(struct scan *scan)
{
	struct wire_request *req = scan->req;

	if (!read_model(scan) ||
	    !read_bool(scan, MEMBER_STREAM, &req->stream) ||
	    !read_limits(scan) || !read_stream_options(scan) ||
	    !read_bool(scan, MEMBER_BACKGROUND, &req->background) ||
	    !check_background(scan) || !read_generation_config(scan) ||
	    !read_previous(scan, MEMBER_PREVIOUS_RESPONSE) ||
	    !read_previous(scan, MEMBER_PREVIOUS_INTERACTION) ||
	    !read_image(scan) || !read_input(scan) || !read_prompts(scan))
		return false;
	req->asked = wire_asked_read(scan->body,
	    get(scan, MEMBER_GEMINI_TIER) != NULL ?
	    get(scan, MEMBER_GEMINI_TIER) : get(scan, MEMBER_SERVICE_TIER),
	    get(scan, MEMBER_SPEED), get(scan, MEMBER_INFERENCE_GEO));
	req->asked.tool_calls = wire_asked_tools(scan->body,
	    get(scan, MEMBER_TOOLS), get(scan, MEMBER_WEB_SEARCH));
	req->documents = count_texts(scan, MEMBER_DOCUMENTS);
	find_prompt(scan);
	return true;
}

static bool
model_is_in_path(enum wire_route route)
{
	switch (route) {
	case WIRE_ROUTE_GENERATE:
	case WIRE_ROUTE_STREAM_GENERATE:
	case WIRE_ROUTE_GEMINI_COUNT:
	case WIRE_ROUTE_EMBED:
	case WIRE_ROUTE_BATCH_EMBED:
		return true;
	default:
		return false;
	}
}

void
wire_request_init(enum wire_route route, struct wire_request *req_r)
{
	memset(req_r, 0, sizeof(*req_r));
	req_r->route = route;
	req_r->n = 1;
	req_r->documents = 1;
	req_r->model_in_path = model_is_in_path(route);
	req_r->stream = route == WIRE_ROUTE_STREAM_GENERATE;
	req_r->asked = wire_asked_read(NULL, NULL, NULL, NULL);
}

bool
wire_request_scan(enum wire_route route, const char *body, size_t len,
    struct wire_request *req_r, struct wire_fault *fault_r)
{
	struct scan scan = { .body = body, .req = req_r, .fault = fault_r };
	uint32_t members = members_of(route);
	struct json_extent extent;
	size_t billed = 0;
	int i;

	wire_request_init(route, req_r);
	memset(fault_r, 0, sizeof(*fault_r));
	req_r->body_bytes = len;
	for (i = 0; i < MEMBERS; i++)
		if ((members >> i & 1) != 0) {
			scan.want[scan.wants++] = all_wants[i];
			scan.at[i] = (uint8_t)scan.wants;
			billed += i < BILLED;
		}
	if (!check_scan(json_scan(body, len, scan.want, scan.wants, &extent),
	    fault_r) || !check_once(scan.want, billed, fault_r))
		return false;
	req_r->object.start = extent.start;
	req_r->object.end = extent.end;
	req_r->members = extent.members;
	return read_members(&scan);
}

bool
wire_request_name(struct wire_request *req, struct span name,
    struct wire_fault *fault_r)
{
	memset(fault_r, 0, sizeof(*fault_r));
	if (name.len == 0 || name.len >= sizeof(req->model) ||
	    memchr(name.p, '\0', name.len) != NULL)
		return refuse(fault_r, WIRE_ERROR_BAD_PARAM, "model");
	memcpy(req->model, name.p, name.len);
	req->model[name.len] = '\0';
	req->model_len = name.len;
	return true;
}

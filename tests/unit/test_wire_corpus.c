/*
 * test_wire_corpus.c: recorded answers against what the official client
 * packages read out of them.  YOUYUN_CORPUS names a file with one JSON object
 * a line: protocol, stream, status, usage (null: none), body; without it one is
 * looked for beside the source tree.  test_wire_kinds.c has samples of every
 * kind that need neither.
 */
#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/run.h"
#include "wire/filter.h"
#include "wire/meter.h"

#define EXIT_SKIPPED 77

static struct wire_meter meter;
static long line_number;

/* The number at a dotted path; 0 when there is none. */
static uint64_t
number_at(struct json_object *object, const char *path)
{
	char name[64];
	size_t len;

	while (object != NULL && *path != '\0') {
		len = strcspn(path, ".");
		ck_assert_uint_lt(len, sizeof(name));
		memcpy(name, path, len);
		name[len] = '\0';
		path += len + (path[len] == '.');
		if (!json_object_is_type(object, json_type_object))
			return 0;
		object = json_object_object_get(object, name);
	}
	return object != NULL ? (uint64_t)json_object_get_int64(object) : 0;
}

static uint64_t
largest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* By the documents of those providers, not by our meter's code. */
static void
expect_chat(struct json_object *usage, uint64_t *want)
{
	uint64_t prompt = number_at(usage, "prompt_tokens");
	uint64_t completion = number_at(usage, "completion_tokens");
	uint64_t reasoning = number_at(usage,
	    "completion_tokens_details.reasoning_tokens");
	uint64_t read = number_at(usage,
	    "prompt_tokens_details.cached_tokens");
	uint64_t written = number_at(usage,
	    "prompt_tokens_details.cache_write_tokens");

	read = largest(read, number_at(usage, "prompt_cache_hit_tokens"));
	read = largest(read, number_at(usage, "num_cached_tokens"));
	read = largest(read, number_at(usage, "cached_tokens"));
	if (number_at(usage, "total_tokens") ==
	    prompt + completion + reasoning)
		completion += reasoning;
	want[USAGE_INPUT_AUDIO] = number_at(usage,
	    "prompt_tokens_details.audio_tokens");
	want[USAGE_INPUT_IMAGE] = number_at(usage,
	    "prompt_tokens_details.image_tokens");
	want[USAGE_OUTPUT_AUDIO] = number_at(usage,
	    "completion_tokens_details.audio_tokens");
	want[USAGE_OUTPUT_IMAGE] = number_at(usage,
	    "completion_tokens_details.image_tokens");
	want[USAGE_TOOL_CALLS] = largest(number_at(usage, "num_sources_used"),
	    number_at(usage, "server_tool_use.web_search_requests"));
	want[USAGE_INPUT] = prompt - read - written -
	    want[USAGE_INPUT_AUDIO] - want[USAGE_INPUT_IMAGE];
	want[USAGE_OUTPUT] = completion - want[USAGE_OUTPUT_AUDIO] -
	    want[USAGE_OUTPUT_IMAGE];
	want[USAGE_CACHE_READ] = read;
	want[USAGE_CACHE_WRITE_5M] = written;
}

static void
add_messages(struct json_object *usage, uint64_t *want)
{
	uint64_t hour = number_at(usage,
	    "cache_creation.ephemeral_1h_input_tokens");

	want[USAGE_INPUT] += number_at(usage, "input_tokens");
	want[USAGE_OUTPUT] += number_at(usage, "output_tokens");
	want[USAGE_CACHE_READ] += number_at(usage, "cache_read_input_tokens");
	want[USAGE_CACHE_WRITE_1H] += hour;
	want[USAGE_CACHE_WRITE_5M] += number_at(usage,
	    "cache_creation_input_tokens") - hour;
}

/* What an iteration is says whose it is: mine, or another model's. */
static bool
is_own(const char *type)
{
	return strcmp(type, "message") == 0 || strcmp(type, "compaction") == 0;
}

static void
expect_messages(struct json_object *usage, uint64_t *want, uint64_t *other)
{
	struct json_object *list, *one;
	bool fallback = false;
	const char *type;
	size_t i;

	want[USAGE_TOOL_CALLS] = number_at(usage,
	    "server_tool_use.web_search_requests");
	list = json_object_object_get(usage, "iterations");
	if (!json_object_is_type(list, json_type_array)) {
		add_messages(usage, want);
		return;
	}
	for (i = 0; i < json_object_array_length(list); i++) {
		one = json_object_array_get_idx(list, i);
		type = json_object_get_string(json_object_object_get(one,
		    "type"));
		add_messages(one, is_own(type) ? want : other);
		fallback = fallback || strcmp(type, "fallback_message") == 0;
	}
	/* The totals say the same of what they are about. */
	if (fallback)
		ck_assert_uint_eq(other[USAGE_OUTPUT],
		    number_at(usage, "output_tokens"));
	else
		ck_assert_uint_ge(want[USAGE_OUTPUT],
		    number_at(usage, "output_tokens"));
}

static void
expect_responses(struct json_object *usage, uint64_t *want)
{
	struct json_object *kinds = json_object_object_get(usage,
	    "server_side_tool_usage_details");
	uint64_t read = number_at(usage, "input_tokens_details.cached_tokens");
	uint64_t written = number_at(usage,
	    "input_tokens_details.cache_write_tokens");

	want[USAGE_INPUT] = number_at(usage, "input_tokens") - read - written;
	want[USAGE_OUTPUT] = number_at(usage, "output_tokens");
	want[USAGE_CACHE_READ] = read;
	want[USAGE_CACHE_WRITE_5M] = written;
	if (kinds == NULL) {
		want[USAGE_TOOL_CALLS] = number_at(usage,
		    "num_server_side_tools_used");
		return;
	}
	json_object_object_foreach(kinds, name, count)
		if (strcmp(name, "mcp_calls") != 0)
			want[USAGE_TOOL_CALLS] +=
			    (uint64_t)json_object_get_int64(count);
}

static void
expect_embeddings(struct json_object *usage, uint64_t *want)
{
	want[USAGE_INPUT] = largest(number_at(usage, "prompt_tokens"),
	    number_at(usage, "total_tokens"));
}

/* The count of a modality in a list of them. */
static uint64_t
of_modality(struct json_object *usage, const char *list, const char *name)
{
	struct json_object *array = json_object_object_get(usage, list), *one;
	uint64_t sum = 0;
	size_t i;

	if (!json_object_is_type(array, json_type_array))
		return 0;
	for (i = 0; i < json_object_array_length(array); i++) {
		one = json_object_array_get_idx(array, i);
		if (strcmp(json_object_get_string(json_object_object_get(one,
		    "modality")), name) == 0)
			sum += number_at(one, "tokenCount");
	}
	return sum;
}

static void
expect_gemini(struct json_object *usage, uint64_t *want)
{
	uint64_t audio = of_modality(usage, "promptTokensDetails", "AUDIO");
	uint64_t image = of_modality(usage, "promptTokensDetails", "IMAGE");
	uint64_t cached = number_at(usage, "cachedContentTokenCount");
	uint64_t cached_audio = of_modality(usage, "cacheTokensDetails",
	    "AUDIO");
	uint64_t cached_image = of_modality(usage, "cacheTokensDetails",
	    "IMAGE");
	uint64_t thoughts = number_at(usage, "thoughtsTokenCount");

	want[USAGE_CACHE_READ_AUDIO] = cached_audio;
	want[USAGE_CACHE_READ] = cached - cached_audio;
	want[USAGE_INPUT_AUDIO] = audio - cached_audio;
	want[USAGE_INPUT_IMAGE] = image - cached_image;
	want[USAGE_INPUT] = number_at(usage, "promptTokenCount") - audio -
	    image - (cached - cached_audio - cached_image) +
	    number_at(usage, "toolUsePromptTokenCount");
	want[USAGE_OUTPUT_IMAGE] = of_modality(usage,
	    "candidatesTokensDetails", "IMAGE");
	want[USAGE_OUTPUT] = number_at(usage, "candidatesTokenCount") +
	    thoughts - want[USAGE_OUTPUT_IMAGE];
}

static void
feed(const char *body, size_t len, size_t step)
{
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		wire_meter_feed(&meter, body + at, n);
	}
	wire_meter_finish(&meter);
}

static void
check_record(struct json_object *record, enum wire_route route)
{
	static const size_t steps[] = { 1, 7, SIZE_MAX };
	struct json_object *usage = json_object_object_get(record, "usage");
	struct json_object *body = json_object_object_get(record, "body");
	bool streamed = json_object_get_boolean(json_object_object_get(record,
	    "stream"));
	uint64_t want[USAGE_SLOTS] = { 0 }, other[USAGE_SLOTS] = { 0 };
	const struct usage *got;
	size_t i, dim;

	switch (route) {
	case WIRE_ROUTE_MESSAGES:
		expect_messages(usage, want, other);
		break;
	case WIRE_ROUTE_RESPONSES:
		expect_responses(usage, want);
		break;
	case WIRE_ROUTE_EMBEDDINGS:
		expect_embeddings(usage, want);
		break;
	case WIRE_ROUTE_STREAM_GENERATE:
		expect_gemini(usage, want);
		break;
	default:
		expect_chat(usage, want);
		break;
	}
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		wire_meter_init(&meter, route, streamed);
		feed(json_object_get_string(body),
		    (size_t)json_object_get_string_len(body), steps[i]);
		got = wire_meter_usage(&meter);
		ck_assert_msg((got->marks & (USAGE_SEEN | USAGE_CLAMPED |
		    USAGE_ESTIMATED)) == USAGE_SEEN, "line %ld: marks %x",
		    line_number, got->marks);
		ck_assert_msg(!meter.malformed, "line %ld", line_number);
		for (dim = 0; dim < USAGE_OTHER_DIMS; dim++)
			ck_assert_msg(got->other.count[dim] == other[dim],
			    "line %ld: another model's dimension %zu: %llu",
			    line_number, dim,
			    (unsigned long long)got->other.count[dim]);
		for (dim = 0; dim < USAGE_SLOTS; dim++)
			/* Searches of providers that don't count them. */
			if (dim != USAGE_TOOL_CALLS || want[dim] != 0 ||
			    route == WIRE_ROUTE_MESSAGES)
			ck_assert_msg(got->count[dim] == want[dim],
			    "line %ld, steps of %zu, dimension %zu: "
			    "%llu, not %llu", line_number, steps[i], dim,
			    (unsigned long long)got->count[dim],
			    (unsigned long long)want[dim]);
	}
}

static enum wire_route
route_of(struct json_object *record)
{
	static const struct {
		const char *protocol;
		enum wire_route route;
	} routes[] = {
		{ "openai-chat", WIRE_ROUTE_CHAT_COMPLETIONS },
		{ "openai-completions", WIRE_ROUTE_COMPLETIONS },
		{ "openai-responses", WIRE_ROUTE_RESPONSES },
		{ "openai-embeddings", WIRE_ROUTE_EMBEDDINGS },
		{ "openai-images", WIRE_ROUTE_IMAGES },
		{ "anthropic", WIRE_ROUTE_MESSAGES },
		{ "gemini", WIRE_ROUTE_STREAM_GENERATE },
		{ "gemini-interactions", WIRE_ROUTE_INTERACTIONS },
	};
	const char *protocol = json_object_get_string(
	    json_object_object_get(record, "protocol"));
	size_t i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(protocol, routes[i].protocol) == 0)
			return routes[i].route;
	ck_abort_msg("line %ld: protocol %s", line_number, protocol);
	return WIRE_ROUTE_NONE;
}

/* NULL: there is none here. */
static const char *
corpus_path(void)
{
	const char *path = getenv("YOUYUN_CORPUS");

	return path != NULL && access(path, R_OK) == 0 ? path : NULL;
}

/* Calls check for every record. */
static long
each_record(void (*check)(struct json_object *record, enum wire_route route))
{
	struct json_object *record;
	char *line = NULL;
	size_t size = 0;
	long n = 0;
	FILE *file = fopen(corpus_path(), "r");

	ck_assert_msg(file != NULL, "cannot open %s", corpus_path());
	for (line_number = 1; getline(&line, &size, file) > 0; line_number++) {
		record = json_tokener_parse(line);
		ck_assert_msg(record != NULL, "line %ld", line_number);
		check(record, route_of(record));
		n++;
		json_object_put(record);
	}
	free(line);
	fclose(file);
	return n;
}

static long n_usages;

static void
check_usage(struct json_object *record, enum wire_route route)
{
	if (json_object_object_get(record, "usage") == NULL ||
	    route == WIRE_ROUTE_INTERACTIONS)
		return;
	check_record(record, route);
	n_usages++;
}

START_TEST(test_corpus_usage_is_what_the_clients_read)
{
	ck_assert_int_gt(each_record(check_usage), 0);
	ck_assert_int_gt(n_usages, 0);
}
END_TEST

/* What is left of a recorded stream has no frame that crashes a client. */
static void
check_filtered(struct json_object *record, enum wire_route route)
{
	static struct wire_filter filter;
	struct json_object *body = json_object_object_get(record, "body");
	const char *text = json_object_get_string(body);
	size_t len = (size_t)json_object_get_string_len(body), at = 0, used;
	size_t kept = 0;
	struct span span;

	if (route != WIRE_ROUTE_CHAT_COMPLETIONS || !json_object_get_boolean(
	    json_object_object_get(record, "stream")))
		return;
	wire_filter_init(&filter);
	while (at < len) {
		wire_filter_feed(&filter, text + at, len - at, &used, &span);
		ck_assert(span.len == 0 || memmem(span.p, span.len,
		    "\"choices\":[],\"usage\":{", 22) == NULL);
		kept += span.len;
		at += used;
	}
	if (filter.frames_hidden == 0)
		ck_assert_uint_eq(kept, len);
	else
		ck_assert_uint_lt(kept, len);
}

START_TEST(test_corpus_streams_lose_their_usage_frame_only)
{
	ck_assert_int_gt(each_record(check_filtered), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire/corpus");
	TCase *tcase = tcase_create("all");

	if (corpus_path() == NULL) {
		suite_add_tcase(suite, tcase);
		srunner_free(srunner_create(suite));
		return EXIT_SKIPPED;
	}
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_corpus_usage_is_what_the_clients_read);
	tcase_add_test(tcase,
	    test_corpus_streams_lose_their_usage_frame_only);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

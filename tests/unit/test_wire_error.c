/*
 * test_wire_error.c: every refusal and the list of models, in every protocol,
 * read back by a JSON parser.
 */
#include <check.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"
#include "wire/error.h"
#include "wire/models.h"

static const enum wire_protocol protocols[] = { WIRE_OPENAI, WIRE_ANTHROPIC,
	WIRE_GEMINI };
static char buf[WIRE_ERROR_BODY_BYTES];

static struct json_object *
parse(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, (int)len);
	ck_assert_msg(object != NULL, "%.*s", (int)len, text);
	ck_assert_uint_eq(json_tokener_get_parse_end(tokener), len);
	json_tokener_free(tokener);
	return object;
}

/* The string at a path of two names, or of one when inner is NULL. */
static const char *
string_at(struct json_object *object, const char *outer, const char *inner)
{
	object = json_object_object_get(object, outer);
	if (inner != NULL)
		object = json_object_object_get(object, inner);
	return object != NULL ? json_object_get_string(object) : NULL;
}

START_TEST(test_error_has_openai_shape)
{
	struct wire_error_info info = { .param = "max_tokens" };
	struct wire_error_reply reply;
	struct json_object *object;

	wire_error_render(WIRE_OPENAI, WIRE_ERROR_BAD_PARAM, &info, buf,
	    sizeof(buf), &reply);
	ck_assert_int_eq(reply.status, 400);
	ck_assert_str_eq(reply.content_type, "application/json");
	object = parse(reply.body, reply.body_len);
	ck_assert_str_eq(string_at(object, "error", "param"), "max_tokens");
	ck_assert_str_eq(string_at(object, "error", "type"),
	    "invalid_request_error");
	ck_assert_ptr_nonnull(strstr(string_at(object, "error", "message"),
	    "'max_tokens'"));
	json_object_put(object);

	wire_error_render(WIRE_OPENAI, WIRE_ERROR_NO_MONEY, &info, buf,
	    sizeof(buf), &reply);
	ck_assert_int_eq(reply.status, 402);
	ck_assert(reply.no_retry);
	object = parse(reply.body, reply.body_len);
	ck_assert_str_eq(string_at(object, "error", "code"),
	    "insufficient_quota");
	json_object_put(object);
}
END_TEST

START_TEST(test_error_has_anthropic_shape)
{
	struct wire_error_info info = { .request_id = "req_7",
		.param = "claude-9" };
	struct wire_error_reply reply;
	struct json_object *object;

	wire_error_render(WIRE_ANTHROPIC, WIRE_ERROR_NO_MODEL, &info, buf,
	    sizeof(buf), &reply);
	ck_assert_int_eq(reply.status, 404);
	object = parse(reply.body, reply.body_len);
	ck_assert_str_eq(string_at(object, "type", NULL), "error");
	ck_assert_str_eq(string_at(object, "request_id", NULL), "req_7");
	ck_assert_str_eq(string_at(object, "error", "type"),
	    "not_found_error");
	ck_assert_ptr_nonnull(strstr(string_at(object, "error", "message"),
	    "'claude-9'"));
	json_object_put(object);
}
END_TEST

START_TEST(test_error_types_follow_the_status)
{
	static const struct {
		enum wire_error error;
		int status;
		const char *anthropic;
		const char *gemini;
	} rows[] = {
		{ WIRE_ERROR_BAD_JSON, 400, "invalid_request_error",
		    "INVALID_ARGUMENT" },
		{ WIRE_ERROR_BAD_KEY, 401, "authentication_error",
		    "UNAUTHENTICATED" },
		{ WIRE_ERROR_NO_MONEY, 402, "billing_error",
		    "FAILED_PRECONDITION" },
		{ WIRE_ERROR_ACCOUNT_CLOSED, 403, "permission_error",
		    "PERMISSION_DENIED" },
		{ WIRE_ERROR_NO_ROUTE, 404, "not_found_error", "NOT_FOUND" },
		{ WIRE_ERROR_METHOD, 405, "invalid_request_error",
		    "INVALID_ARGUMENT" },
		{ WIRE_ERROR_REQUEST_TIMEOUT, 408, "timeout_error",
		    "DEADLINE_EXCEEDED" },
		{ WIRE_ERROR_BODY_LARGE, 413, "request_too_large",
		    "INVALID_ARGUMENT" },
		{ WIRE_ERROR_MEDIA_TYPE, 415, "invalid_request_error",
		    "INVALID_ARGUMENT" },
		{ WIRE_ERROR_RATE_REQUESTS, 429, "rate_limit_error",
		    "RESOURCE_EXHAUSTED" },
		{ WIRE_ERROR_HEAD_LARGE, 431, "invalid_request_error",
		    "INVALID_ARGUMENT" },
		{ WIRE_ERROR_INTERNAL, 500, "api_error", "INTERNAL" },
		{ WIRE_ERROR_UPSTREAM, 502, "api_error", "UNAVAILABLE" },
		{ WIRE_ERROR_STARTING, 503, "overloaded_error",
		    "UNAVAILABLE" },
		{ WIRE_ERROR_UPSTREAM_TIMEOUT, 504, "timeout_error",
		    "DEADLINE_EXCEEDED" },
	};
	const struct wire_error_info info = { .request_id = "r" };
	struct wire_error_reply reply;
	struct json_object *object;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(wire_error_status(rows[i].error),
		    rows[i].status);
		wire_error_render(WIRE_ANTHROPIC, rows[i].error, &info, buf,
		    sizeof(buf), &reply);
		object = parse(reply.body, reply.body_len);
		ck_assert_str_eq(string_at(object, "error", "type"),
		    rows[i].anthropic);
		json_object_put(object);
		wire_error_render(WIRE_GEMINI, rows[i].error, &info, buf,
		    sizeof(buf), &reply);
		object = parse(reply.body, reply.body_len);
		ck_assert_str_eq(string_at(object, "error", "status"),
		    rows[i].gemini);
		ck_assert_int_eq(json_object_get_int(json_object_object_get(
		    json_object_object_get(object, "error"), "code")),
		    rows[i].status);
		json_object_put(object);
	}
}
END_TEST

/* All that has a name, with the worst of names, in all protocols. */
START_TEST(test_error_fits_and_parses_whatever_it_mentions)
{
	char worst[400];
	struct wire_error_info info = { worst, worst, UINT64_MAX, 5, "POST" };
	struct wire_error_reply reply;
	size_t i, len;
	int error, seen = 0;

	memset(worst, '\x01', sizeof(worst));
	memcpy(worst, "\"\\\xff", 3);
	worst[sizeof(worst) - 1] = '\0';
	for (error = 1; error < 256; error++) {
		if (wire_error_status(error) == 0)
			continue;
		ck_assert_str_ne(wire_error_name(error), "unknown");
		seen++;
		for (i = 0; i < 3; i++) {
			wire_error_render(protocols[i], error, &info, buf,
			    sizeof(buf), &reply);
			json_object_put(parse(reply.body, reply.body_len));
			ck_assert_int_eq(reply.retry_after_s,
			    reply.status == 402 || reply.status == 429 ||
			    reply.status == 503 ? 5 : 0);
			len = wire_error_stream_event(
			    WIRE_ROUTE_NONE, protocols[i], error, &info, true,
			    buf, sizeof(buf));
			ck_assert_mem_eq(buf + len - 2, "\n\n", 2);
		}
	}
	ck_assert_int_ge(seen, 30);
	ck_assert_str_eq(wire_error_name(0), "none");
	ck_assert_str_eq(wire_error_name(255), "unknown");
}
END_TEST

START_TEST(test_error_is_an_event_within_a_stream)
{
	const struct wire_error_info info = { .request_id = "req_9" };
	static const char anthropic[] = "event: error\ndata: ";
	struct json_object *object;
	size_t len;

	len = wire_error_stream_event(WIRE_ROUTE_CHAT_COMPLETIONS,
	    WIRE_OPENAI, WIRE_ERROR_STREAM_NO_MONEY, &info, false, buf,
	    sizeof(buf));
	ck_assert_mem_eq(buf, "data: ", 6);
	object = parse(buf + 6, len - 8);
	ck_assert_str_eq(string_at(object, "error", "code"),
	    "insufficient_quota");
	json_object_put(object);
	len = wire_error_stream_event(WIRE_ROUTE_MESSAGES, WIRE_ANTHROPIC,
	    WIRE_ERROR_STREAM_NO_MONEY, &info, true, buf, sizeof(buf));
	ck_assert_mem_eq(buf, "\n\n", 2);
	ck_assert_mem_eq(buf + 2, anthropic, strlen(anthropic));
	object = parse(buf + 2 + strlen(anthropic),
	    len - 4 - strlen(anthropic));
	ck_assert_str_eq(string_at(object, "error", "type"), "billing_error");
	json_object_put(object);
}
END_TEST

/* A list of n models, grown in the smallest steps allowed. */
static struct json_object *
list(enum wire_protocol protocol, const struct wire_model *entries, size_t n)
{
	struct json_object *object;
	struct wire_models models;
	size_t i, size = WIRE_MODELS_ENTRY_BYTES;
	char *text = malloc(size);

	wire_models_begin(&models, protocol, text, size);
	for (i = 0; i < n; i++) {
		while (!wire_models_add(&models, &entries[i])) {
			size += 512;
			text = realloc(text, size);
			ck_assert_ptr_nonnull(text);
			wire_models_rebase(&models, text, size);
		}
	}
	wire_models_end(&models);
	object = parse(models.buf, models.len);
	free(text);
	return object;
}

START_TEST(test_models_have_each_protocols_shape)
{
	static const struct wire_model entries[] = {
		{ "gpt-\"x\"", NULL, NULL, 1700000000 },
		{ "b", "Model B", "me", -5 } };
	struct json_object *object, *data, *first;

	object = list(WIRE_OPENAI, entries, 2);
	ck_assert_str_eq(string_at(object, "object", NULL), "list");
	data = json_object_object_get(object, "data");
	ck_assert_int_eq(json_object_array_length(data), 2);
	first = json_object_array_get_idx(data, 0);
	ck_assert_str_eq(string_at(first, "id", NULL), "gpt-\"x\"");
	ck_assert_str_eq(string_at(first, "object", NULL), "model");
	ck_assert_int_eq(json_object_get_int64(json_object_object_get(first,
	    "created")), 1700000000);
	ck_assert_str_eq(string_at(first, "owned_by", NULL), "system");
	json_object_put(object);

	object = list(WIRE_ANTHROPIC, entries, 2);
	data = json_object_object_get(object, "data");
	first = json_object_array_get_idx(data, 0);
	ck_assert_str_eq(string_at(first, "type", NULL), "model");
	ck_assert_str_eq(string_at(first, "created_at", NULL),
	    "2023-11-14T22:13:20Z");
	ck_assert_str_eq(string_at(json_object_array_get_idx(data, 1),
	    "display_name", NULL), "Model B");
	ck_assert_str_eq(string_at(object, "first_id", NULL), "gpt-\"x\"");
	ck_assert_str_eq(string_at(object, "last_id", NULL), "b");
	json_object_put(object);

	object = list(WIRE_GEMINI, entries, 2);
	first = json_object_array_get_idx(json_object_object_get(object,
	    "models"), 1);
	ck_assert_str_eq(string_at(first, "name", NULL), "models/b");
	json_object_put(object);
}
END_TEST

START_TEST(test_models_may_be_none_or_long)
{
	struct wire_model entries[40];
	char worst[300];
	struct json_object *object;
	size_t i;

	object = list(WIRE_ANTHROPIC, NULL, 0);
	ck_assert(json_object_object_get_ex(object, "first_id", NULL));
	ck_assert_ptr_null(string_at(object, "first_id", NULL));
	json_object_put(object);
	memset(worst, '\x02', sizeof(worst));
	worst[sizeof(worst) - 1] = '\0';
	for (i = 0; i < 40; i++)
		entries[i] = (struct wire_model){ worst, worst, worst,
			INT64_MAX };
	for (i = 0; i < 3; i++)
		json_object_put(list(protocols[i], entries, 40));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire/error");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_error_has_openai_shape);
	tcase_add_test(tcase, test_error_has_anthropic_shape);
	tcase_add_test(tcase, test_error_types_follow_the_status);
	tcase_add_test(tcase, test_error_fits_and_parses_whatever_it_mentions);
	tcase_add_test(tcase, test_error_is_an_event_within_a_stream);
	tcase_add_test(tcase, test_models_have_each_protocols_shape);
	tcase_add_test(tcase, test_models_may_be_none_or_long);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

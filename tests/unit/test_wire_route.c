/*
 * test_wire_route.c: routes, methods, protocols and estimates.
 */
#include <check.h>
#include <string.h>

#include "base/fee.h"
#include "tests/unit/run.h"
#include "wire/estimate.h"
#include "wire/route.h"

static const struct wire_hints no_hints;

START_TEST(test_route_finds_by_method_and_path)
{
	const struct wire_route_info *info;
	struct wire_path parts;

	ck_assert_int_eq(wire_route_find("POST", "/v1/chat/completions",
	    &info, &parts), WIRE_FIND_OK);
	ck_assert_int_eq(info->route, WIRE_ROUTE_CHAT_COMPLETIONS);
	ck_assert_int_eq(info->protocol, WIRE_OPENAI);
	ck_assert(info->billed && info->needs_key);
	ck_assert_int_eq(wire_route_find("POST", "/v1/messages", &info, &parts),
	    WIRE_FIND_OK);
	ck_assert_int_eq(info->route, WIRE_ROUTE_MESSAGES);
	ck_assert_int_eq(wire_route_find("HEAD", "/v1/models", &info, &parts),
	    WIRE_FIND_OK);
	ck_assert_int_eq(info->route, WIRE_ROUTE_MODELS);
	ck_assert(!info->billed && info->needs_key);
	ck_assert_int_eq(wire_route_find("GET", "/readyz", &info, &parts),
	    WIRE_FIND_OK);
	ck_assert(!info->needs_key);
	ck_assert_ptr_eq(wire_route_info(WIRE_ROUTE_READYZ), info);
	ck_assert_ptr_null(wire_route_info(WIRE_ROUTE_NONE));
}
END_TEST

START_TEST(test_route_tells_the_allowed_methods)
{
	const struct wire_route_info *info;
	struct wire_path parts;

	ck_assert_int_eq(wire_route_find("GET", "/v1/messages", &info, &parts),
	    WIRE_FIND_METHOD);
	ck_assert_str_eq(info->allow, "POST");
	ck_assert_int_eq(wire_route_find("post", "/v1/messages", &info, &parts),
	    WIRE_FIND_METHOD);
	ck_assert_int_eq(wire_route_find("DELETE", "/healthz", &info, &parts),
	    WIRE_FIND_METHOD);
	ck_assert_str_eq(info->allow, "GET, HEAD");
}
END_TEST

START_TEST(test_route_knows_no_other_path)
{
	static const char *const paths[] = { "", "/", "/v1", "/v1/messages/",
		"/v1/messages/count_token", "/V1/messages", "//v1/messages",
		"/v1/chat/completions?x", "/healthz/" };
	const struct wire_route_info *info;
	struct wire_path parts;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ck_assert_int_eq(wire_route_find("POST", paths[i], &info,
		    &parts), WIRE_FIND_PATH);
		ck_assert_ptr_null(info);
	}
}
END_TEST

static void
check_path(const char *method, const char *path, enum wire_route route,
    const char *version, const char *name)
{
	const struct wire_route_info *info;
	struct wire_path parts;

	ck_assert_msg(wire_route_find(method, path, &info, &parts) ==
	    WIRE_FIND_OK, "%s", path);
	ck_assert_msg(info->route == route, "%s: %d", path, info->route);
	ck_assert_uint_eq(parts.version.len, strlen(version));
	ck_assert_mem_eq(parts.version.p != NULL ? parts.version.p : "",
	    version, strlen(version));
	ck_assert_uint_eq(parts.name.len, strlen(name));
	ck_assert_mem_eq(parts.name.p != NULL ? parts.name.p : "", name,
	    strlen(name));
}

START_TEST(test_route_reads_the_variable_parts)
{
	check_path("GET", "/v1/responses/resp_1", WIRE_ROUTE_RESPONSE, "",
	    "resp_1");
	check_path("DELETE", "/v1/responses/resp_1",
	    WIRE_ROUTE_RESPONSE_DELETE, "", "resp_1");
	check_path("POST", "/v1/responses/resp_1/cancel",
	    WIRE_ROUTE_RESPONSE_CANCEL, "", "resp_1");
	check_path("GET", "/v1/responses/resp_1/input_items",
	    WIRE_ROUTE_RESPONSE_INPUT, "", "resp_1");
	check_path("POST", "/v1/responses", WIRE_ROUTE_RESPONSES, "", "");
	check_path("GET", "/v1/responses", WIRE_ROUTE_RESPONSES_SOCKET, "",
	    "");
	check_path("POST", "/v1beta/models/gemini:generateContent",
	    WIRE_ROUTE_GENERATE, "v1beta", "gemini");
	check_path("POST", "/v1/models/a/b:c:streamGenerateContent",
	    WIRE_ROUTE_STREAM_GENERATE, "v1", "a/b:c");
	check_path("POST", "/v1beta/interactions", WIRE_ROUTE_INTERACTIONS,
	    "v1beta", "");
	check_path("GET", "/v1/models/ft:gpt/x", WIRE_ROUTE_MODEL, "",
	    "ft:gpt/x");
	check_path("GET", "/v1beta/models", WIRE_ROUTE_MODELS, "", "");
	check_path("POST", "/v1/messages/batches", WIRE_ROUTE_BATCHES, "", "");
	check_path("GET", "/v1/messages/batches/b/results",
	    WIRE_ROUTE_BATCHES, "", "");
}
END_TEST

START_TEST(test_route_takes_no_directions_for_names)
{
	static const char *const paths[] = { "/v1/responses/",
		"/v1/responses/..", "/v1/responses/a/../b",
		"/v1/responses/a b", "/v1/responses/a/cancel/",
		"/v1/models/x:bogus", "/v2/models/x:generateContent",
		"/v1/models/:generateContent", "/v1/messages/batchesx" };
	const struct wire_route_info *info;
	struct wire_path parts;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		ck_assert_msg(wire_route_find("POST", paths[i], &info,
		    &parts) == WIRE_FIND_PATH, "%s", paths[i]);
}
END_TEST

START_TEST(test_protocol_is_guessed_from_path_then_headers)
{
	const struct wire_hints anthropic = { true, true };
	const struct wire_hints gemini = { false, true };

	ck_assert_int_eq(wire_protocol_guess("/v1/models", &no_hints),
	    WIRE_OPENAI);
	ck_assert_int_eq(wire_protocol_guess("/v1/models", &anthropic),
	    WIRE_ANTHROPIC);
	ck_assert_int_eq(wire_protocol_guess("/v1/models", &gemini),
	    WIRE_GEMINI);
	ck_assert_int_eq(wire_protocol_guess("/v1/messages/count_tokens",
	    &no_hints), WIRE_ANTHROPIC);
	ck_assert_int_eq(wire_protocol_guess("/v1/messagesx", &no_hints),
	    WIRE_OPENAI);
	ck_assert_int_eq(wire_protocol_guess("/v1/chat/completions",
	    &anthropic), WIRE_OPENAI);
}
END_TEST

START_TEST(test_protocol_names_are_read_back)
{
	ck_assert_int_eq(wire_protocol_parse(wire_protocol_name(
	    WIRE_ANTHROPIC)), WIRE_ANTHROPIC);
	ck_assert_int_eq(wire_protocol_parse("openai"), WIRE_OPENAI);
	ck_assert_int_eq(wire_protocol_parse("OpenAI"), 0);
	ck_assert_str_eq(wire_protocol_name(77), "unknown");
}
END_TEST

START_TEST(test_estimates_are_above_zero_and_bounded)
{
	ck_assert_uint_eq(wire_estimate_input_tokens(0),
	    WIRE_ESTIMATE_INPUT_BASE_TOKENS);
	ck_assert_uint_eq(wire_estimate_input_tokens(3001),
	    1001 + WIRE_ESTIMATE_INPUT_BASE_TOKENS);
	ck_assert_uint_eq(wire_estimate_input_tokens(UINT64_MAX),
	    WIRE_ESTIMATE_INPUT_MAX_TOKENS);
	ck_assert_uint_eq(wire_estimate_output_tokens(0), 0);
	ck_assert_uint_eq(wire_estimate_output_tokens(1), 1);
	ck_assert_uint_eq(wire_estimate_output_tokens(UINT64_MAX),
	    UINT64_MAX / 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire/route");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_route_finds_by_method_and_path);
	tcase_add_test(tcase, test_route_reads_the_variable_parts);
	tcase_add_test(tcase, test_route_takes_no_directions_for_names);
	tcase_add_test(tcase, test_route_tells_the_allowed_methods);
	tcase_add_test(tcase, test_route_knows_no_other_path);
	tcase_add_test(tcase, test_protocol_is_guessed_from_path_then_headers);
	tcase_add_test(tcase, test_protocol_names_are_read_back);
	tcase_add_test(tcase, test_estimates_are_above_zero_and_bounded);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

/*
 * test_wire_route.c: routes, methods, protocols and estimates.
 */
#include <check.h>

#include "base/fee.h"
#include "tests/unit/run.h"
#include "wire/estimate.h"
#include "wire/route.h"

static const struct wire_hints no_hints;

START_TEST(test_route_finds_by_method_and_path)
{
	const struct wire_route_info *info;

	ck_assert_int_eq(wire_route_find("POST", "/v1/chat/completions",
	    &info), WIRE_FIND_OK);
	ck_assert_int_eq(info->route, WIRE_ROUTE_CHAT_COMPLETIONS);
	ck_assert_int_eq(info->protocol, WIRE_OPENAI);
	ck_assert(info->billed && info->needs_key);
	ck_assert_int_eq(wire_route_find("POST", "/v1/messages", &info),
	    WIRE_FIND_OK);
	ck_assert_int_eq(info->route, WIRE_ROUTE_MESSAGES);
	ck_assert_int_eq(wire_route_find("HEAD", "/v1/models", &info),
	    WIRE_FIND_OK);
	ck_assert_int_eq(info->route, WIRE_ROUTE_MODELS);
	ck_assert(!info->billed && info->needs_key);
	ck_assert_int_eq(wire_route_find("GET", "/readyz", &info),
	    WIRE_FIND_OK);
	ck_assert(!info->needs_key);
	ck_assert_ptr_eq(wire_route_info(WIRE_ROUTE_READYZ), info);
	ck_assert_ptr_null(wire_route_info(WIRE_ROUTE_NONE));
}
END_TEST

START_TEST(test_route_tells_the_allowed_methods)
{
	const struct wire_route_info *info;

	ck_assert_int_eq(wire_route_find("GET", "/v1/messages", &info),
	    WIRE_FIND_METHOD);
	ck_assert_str_eq(info->allow, "POST");
	ck_assert_int_eq(wire_route_find("post", "/v1/messages", &info),
	    WIRE_FIND_METHOD);
	ck_assert_int_eq(wire_route_find("DELETE", "/healthz", &info),
	    WIRE_FIND_METHOD);
	ck_assert_str_eq(info->allow, "GET, HEAD");
}
END_TEST

START_TEST(test_route_knows_no_other_path)
{
	static const char *const paths[] = { "", "/", "/v1", "/v1/messages/",
		"/v1/messages/count_tokens", "/V1/messages", "//v1/messages",
		"/v1/chat/completions?x", "/healthz/" };
	const struct wire_route_info *info;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ck_assert_int_eq(wire_route_find("POST", paths[i], &info),
		    WIRE_FIND_PATH);
		ck_assert_ptr_null(info);
	}
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
	tcase_add_test(tcase, test_route_tells_the_allowed_methods);
	tcase_add_test(tcase, test_route_knows_no_other_path);
	tcase_add_test(tcase, test_protocol_is_guessed_from_path_then_headers);
	tcase_add_test(tcase, test_protocol_names_are_read_back);
	tcase_add_test(tcase, test_estimates_are_above_zero_and_bounded);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

/*
 * test_wire_request.c: what is read of a body, what is refused, and the body
 * that goes up.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/fee.h"
#include "tests/unit/run.h"
#include "wire/request.h"
#include "wire/splice.h"

#define CHAT WIRE_ROUTE_CHAT_COMPLETIONS

static struct wire_request req;
static struct wire_fault fault;

static bool
scan(enum wire_route route, const char *body)
{
	return wire_request_scan(route, body, strlen(body), &req, &fault);
}

static void
check_fault(enum wire_route route, const char *body, enum wire_error error,
    const char *param)
{
	ck_assert_msg(!scan(route, body), "%s", body);
	ck_assert_msg(fault.error == error, "%s: %d", body, fault.error);
	ck_assert_str_eq(fault.param, param);
	ck_assert_int_eq(wire_error_status(fault.error), 400);
}

START_TEST(test_request_reads_the_billing_members)
{
	ck_assert(scan(CHAT, "{\"messages\":[{\"model\":\"no\"}],\"n\":3,"
	    "\"model\":\"gpt-\\u0035\",\"stream\":true,\"max_tokens\":100,"
	    "\"max_completion_tokens\":200,"
	    "\"stream_options\":{\"x\":1,\"include_usage\":true}}"));
	ck_assert_str_eq(req.model, "gpt-5");
	ck_assert(req.stream && req.include_usage && req.has_max_tokens);
	ck_assert_uint_eq(req.max_tokens, 200);
	ck_assert_uint_eq(req.n, 3);
	ck_assert_uint_eq(wire_request_output_tokens(&req, 5), 600);
	ck_assert(scan(CHAT, "{\"model\":\"m\",\"max_tokens\":300,"
	    "\"max_completion_tokens\":200}"));
	ck_assert_uint_eq(req.max_tokens, 300);
	ck_assert(scan(WIRE_ROUTE_MESSAGES,
	    "{\"model\":\"claude\",\"max_tokens\":7,\"n\":\"x\"}"));
	ck_assert(!req.stream);
	ck_assert_uint_eq(wire_request_output_tokens(&req, 5), 7);
}
END_TEST

START_TEST(test_request_takes_null_for_unset)
{
	ck_assert(scan(CHAT, "{\"model\":\"m\",\"stream\":null,\"n\":null,"
	    "\"max_tokens\":null,\"stream_options\":null}"));
	ck_assert(!req.stream && !req.has_max_tokens);
	ck_assert_uint_eq(wire_request_output_tokens(&req, 4096), 4096);
	req.n = 128;
	ck_assert_uint_eq(wire_request_output_tokens(&req, UINT64_MAX),
	    USAGE_COUNT_MAX);
}
END_TEST

START_TEST(test_request_refuses_what_stands_twice)
{
	check_fault(CHAT, "{\"model\":\"a\",\"model\":\"b\"}",
	    WIRE_ERROR_DUPLICATE_PARAM, "model");
	check_fault(CHAT, "{\"model\":\"a\",\"\\u006dodel\":\"b\"}",
	    WIRE_ERROR_DUPLICATE_PARAM, "model");
	check_fault(CHAT, "{\"model\":\"a\",\"Model\":\"b\"}",
	    WIRE_ERROR_DUPLICATE_PARAM, "model");
	check_fault(CHAT, "{\"model\":\"a\",\"n\":1,\"n\":1}",
	    WIRE_ERROR_DUPLICATE_PARAM, "n");
	check_fault(CHAT, "{\"model\":\"a\",\"stream\":true,\"stream\":false}",
	    WIRE_ERROR_DUPLICATE_PARAM, "stream");
	check_fault(CHAT, "{\"model\":\"a\",\"max_completion_tokens\":1,"
	    "\"max_completion_tokens\":9}", WIRE_ERROR_DUPLICATE_PARAM,
	    "max_completion_tokens");
	check_fault(WIRE_ROUTE_MESSAGES,
	    "{\"model\":\"a\",\"max_tokens\":1,\"max_tokens\":9}",
	    WIRE_ERROR_DUPLICATE_PARAM, "max_tokens");
	check_fault(WIRE_ROUTE_MESSAGES,
	    "{\"model\":\"a\",\"speed\":\"fast\",\"speed\":\"x\"}",
	    WIRE_ERROR_DUPLICATE_PARAM, "speed");
	check_fault(CHAT, "{\"model\":\"a\",\"stream_options\":"
	    "{\"include_usage\":false,\"include_usage\":true}}",
	    WIRE_ERROR_DUPLICATE_PARAM, "stream_options.include_usage");
}
END_TEST

#define BIT(n) (1u << (n))

START_TEST(test_request_tells_how_it_may_be_served)
{
	ck_assert(scan(CHAT, "{\"model\":\"a\"}"));
	ck_assert_uint_eq(req.asked.tiers, BIT(TIER_STANDARD) |
	    BIT(TIER_SCALE) | BIT(TIER_PRIORITY));
	ck_assert_uint_eq(req.asked.speeds, BIT(SPEED_NORMAL));
	ck_assert_uint_eq(req.asked.regions, BIT(USAGE_REGIONS) - 1);
	ck_assert_uint_eq(req.asked.tool_calls, 0);
	ck_assert(scan(CHAT, "{\"model\":\"a\",\"service_tier\":\"flex\"}"));
	ck_assert_uint_eq(req.asked.tiers, BIT(TIER_STANDARD) |
	    BIT(TIER_FLEX));
	/* What we don't know may be anything. */
	ck_assert(scan(CHAT, "{\"model\":\"a\",\"service_tier\":\"gold\"}"));
	ck_assert_uint_eq(req.asked.tiers, BIT(USAGE_TIERS) - 1);
	ck_assert(scan(WIRE_ROUTE_MESSAGES, "{\"model\":\"a\","
	    "\"service_tier\":\"standard_only\",\"speed\":\"fast\","
	    "\"inference_geo\":\"us\"}"));
	ck_assert_uint_eq(req.asked.tiers, BIT(TIER_STANDARD));
	ck_assert_uint_eq(req.asked.speeds, BIT(USAGE_SPEEDS) - 1);
	ck_assert_uint_eq(req.asked.regions, BIT(REGION_US));
}
END_TEST

START_TEST(test_request_tells_what_tools_the_provider_runs)
{
	ck_assert(scan(WIRE_ROUTE_MESSAGES, "{\"model\":\"a\",\"tools\":["
	    "{\"name\":\"web_search\",\"input_schema\":"
	    "{\"type\":\"web_search\"}}]}"));
	ck_assert_uint_eq(req.asked.tool_calls, 0);
	ck_assert(scan(WIRE_ROUTE_MESSAGES, "{\"model\":\"a\",\"tools\":["
	    "{\"type\":\"custom\",\"max_uses\":9},{\"max_uses\":3,"
	    "\"type\":\"web\\u005fsearch_20250305\",\"name\":\"x\"},"
	    "{\"type\":\"web_search_20250305\"}]}"));
	ck_assert_uint_eq(req.asked.tool_calls, 3 + WIRE_ASKED_TOOL_CALLS);
	ck_assert(scan(CHAT,
	    "{\"model\":\"a\",\"web_search_options\":{}}"));
	ck_assert_uint_eq(req.asked.tool_calls, WIRE_ASKED_TOOL_CALLS);
}
END_TEST

START_TEST(test_request_refuses_wrong_types_and_ranges)
{
	char long_model[200] = "{\"model\":\"";

	check_fault(CHAT, "{}", WIRE_ERROR_MISSING_PARAM, "model");
	check_fault(CHAT, "{\"model\":1}", WIRE_ERROR_BAD_PARAM, "model");
	check_fault(CHAT, "{\"model\":null}", WIRE_ERROR_BAD_PARAM, "model");
	check_fault(CHAT, "{\"model\":\"\"}", WIRE_ERROR_BAD_PARAM, "model");
	check_fault(CHAT, "{\"model\":\"a\\u0000\"}", WIRE_ERROR_BAD_PARAM,
	    "model");
	memset(long_model + 10, 'm', 129);
	strcpy(long_model + 139, "\"}");
	check_fault(CHAT, long_model, WIRE_ERROR_BAD_PARAM, "model");
	strcpy(long_model + 138, "\"}");
	ck_assert(scan(CHAT, long_model));
	check_fault(CHAT, "{\"model\":\"a\",\"stream\":\"true\"}",
	    WIRE_ERROR_BAD_PARAM, "stream");
	check_fault(CHAT, "{\"model\":\"a\",\"stream\":1}",
	    WIRE_ERROR_BAD_PARAM, "stream");
	check_fault(CHAT, "{\"model\":\"a\",\"max_tokens\":\"9\"}",
	    WIRE_ERROR_BAD_PARAM, "max_tokens");
	check_fault(CHAT, "{\"model\":\"a\",\"max_tokens\":0}",
	    WIRE_ERROR_BAD_PARAM, "max_tokens");
	check_fault(CHAT, "{\"model\":\"a\",\"max_tokens\":-5}",
	    WIRE_ERROR_BAD_PARAM, "max_tokens");
	check_fault(CHAT, "{\"model\":\"a\",\"max_tokens\":1e10}",
	    WIRE_ERROR_BAD_PARAM, "max_tokens");
	check_fault(CHAT, "{\"model\":\"a\",\"n\":129}",
	    WIRE_ERROR_BAD_PARAM, "n");
	check_fault(CHAT, "{\"model\":\"a\",\"n\":1.5}",
	    WIRE_ERROR_BAD_PARAM, "n");
	check_fault(CHAT, "{\"model\":\"a\",\"stream_options\":[]}",
	    WIRE_ERROR_BAD_PARAM, "stream_options");
	check_fault(CHAT,
	    "{\"model\":\"a\",\"stream_options\":{\"include_usage\":1}}",
	    WIRE_ERROR_BAD_PARAM, "stream_options.include_usage");
}
END_TEST

START_TEST(test_request_refuses_what_is_not_json)
{
	char deep[300];

	check_fault(CHAT, "", WIRE_ERROR_BAD_JSON, "");
	check_fault(CHAT, "model=a", WIRE_ERROR_BAD_JSON, "");
	check_fault(CHAT, "[{\"model\":\"a\"}]", WIRE_ERROR_BAD_JSON, "");
	check_fault(CHAT, "{\"model\":\"a\"}{}", WIRE_ERROR_BAD_JSON, "");
	memset(deep, '[', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	check_fault(CHAT, deep, WIRE_ERROR_JSON_DEEP, "");
}
END_TEST

/* The pieces in a row must be the expected text. */
static void
check_splice(const char *body, const char *model, bool add,
    const char *expected)
{
	struct wire_splice splice;
	char got[1024];
	size_t i, at = 0;

	ck_assert_msg(scan(CHAT, body), "%s", body);
	ck_assert(wire_splice_build(&splice, &req, body, model, add));
	for (i = 0; i < splice.pieces; i++) {
		ck_assert_uint_gt(splice.piece[i].len, 0);
		memcpy(got + at, splice.piece[i].p, splice.piece[i].len);
		at += splice.piece[i].len;
	}
	got[at] = '\0';
	ck_assert_uint_eq(at, splice.total_bytes);
	ck_assert_str_eq(got, expected);
	/* What goes up says what was meant, and is JSON. */
	ck_assert(scan(CHAT, got));
	if (model != NULL)
		ck_assert_str_eq(req.model, model);
	if (add)
		ck_assert(req.include_usage);
}

START_TEST(test_splice_leaves_the_body_alone)
{
	static const char body[] = " {\"a\" : 1, \"model\":\"\\u006d\" }\n";

	check_splice(body, NULL, false, body);
	check_splice(body, "m", false, body);
	check_splice("{\"model\":\"m\",\"stream_options\":"
	    "{\"include_usage\":true}}", "m", true,
	    "{\"model\":\"m\",\"stream_options\":{\"include_usage\":true}}");
}
END_TEST

START_TEST(test_splice_maps_the_model)
{
	check_splice(" {\"a\" : 1, \"model\" : \"m\" , \"b\":[ ]}\n", "up/x-1",
	    false, " {\"a\" : 1, \"model\" : \"up/x-1\" , \"b\":[ ]}\n");
	check_splice("{\"model\":\"m\"}", "a\"b\\c\n", false,
	    "{\"model\":\"a\\\"b\\\\c\\n\"}");
}
END_TEST

START_TEST(test_splice_adds_include_usage)
{
	check_splice("{\"model\":\"m\"}", NULL, true,
	    "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\"}");
	check_splice("\n{ \"model\":\"m\"}", "u", true,
	    "\n{\"stream_options\":{\"include_usage\":true}, \"model\":\"u\"}");
	check_splice("{\"stream_options\":null,\"model\":\"m\"}", "u", true,
	    "{\"stream_options\":{\"include_usage\":true},\"model\":\"u\"}");
	check_splice("{\"model\":\"m\",\"stream_options\":{ }}", "u", true,
	    "{\"model\":\"u\",\"stream_options\":{\"include_usage\":true }}");
	check_splice("{\"model\":\"m\",\"stream_options\":{\"a\":1}}", NULL,
	    true, "{\"model\":\"m\",\"stream_options\":"
	    "{\"include_usage\":true,\"a\":1}}");
	check_splice("{\"model\":\"m\",\"stream_options\":"
	    "{\"include_usage\": false,\"a\":1}}", NULL, true,
	    "{\"model\":\"m\",\"stream_options\":"
	    "{\"include_usage\": true,\"a\":1}}");
	check_splice("{\"stream_options\":{\"include_usage\":null},"
	    "\"model\":\"m\"}", "u", true,
	    "{\"stream_options\":{\"include_usage\":true},\"model\":\"u\"}");
}
END_TEST

START_TEST(test_splice_refuses_a_model_that_does_not_fit)
{
	static const char body[] = "{\"model\":\"m\"}";
	struct wire_splice splice;
	char name[WIRE_MODEL_BYTES + 1];

	ck_assert(scan(CHAT, body));
	memset(name, '\x01', sizeof(name));
	name[WIRE_MODEL_BYTES] = '\0';
	ck_assert(!wire_splice_build(&splice, &req, body, name, true));
	name[WIRE_MODEL_BYTES - 1] = '\0';
	ck_assert(wire_splice_build(&splice, &req, body, name, true));
	ck_assert(!wire_splice_build(&splice, &req, body, "", true));
}
END_TEST

START_TEST(test_request_reads_what_other_routes_are_billed_by)
{
	ck_assert(scan(WIRE_ROUTE_RESPONSES, "{\"model\":\"m\",\"input\":"
	    "[{\"model\":1}],\"max_output_tokens\":9,\"background\":true,"
	    "\"previous_response_id\":\"resp_\\u0031\"}"));
	ck_assert(req.background && req.max_tokens == 9);
	ck_assert_str_eq(req.previous_id, "resp_1");
	ck_assert(scan(WIRE_ROUTE_IMAGES, "{\"model\":\"m\",\"n\":3,\"size\":"
	    "\"1024x1536\",\"quality\":\"hd\"}"));
	ck_assert_uint_eq(req.n, 3);
	ck_assert_uint_eq(req.image_height, 1536);
	ck_assert_uint_eq(req.image_quality, IMAGE_QUALITY_HIGH);
	ck_assert(scan(WIRE_ROUTE_GENERATE, "{\"generationConfig\":{"
	    "\"maxOutputTokens\":7,\"candidateCount\":2}}"));
	ck_assert(wire_request_name(&req, (struct span){ "g", 1 }, &fault));
	ck_assert_str_eq(req.model, "g");
	ck_assert_uint_eq(wire_request_output_tokens(&req, 5), 14);
	ck_assert(scan(WIRE_ROUTE_COMPLETIONS, "{\"model\":\"m\",\"prompt\":"
	    "[\"a\",\"b\",\"c\"],\"max_tokens\":2,\"best_of\":4,\"n\":2}"));
	ck_assert_uint_eq(wire_request_output_tokens(&req, 5), 24);
	ck_assert(scan(WIRE_ROUTE_COMPLETIONS, "{\"model\":\"m\",\"prompt\":"
	    "[1,2,3]}"));
	ck_assert_uint_eq(req.n, 1);
}
END_TEST

START_TEST(test_request_refuses_it_on_other_routes)
{
	check_fault(WIRE_ROUTE_GENERATE, "{\"generationConfig\":{"
	    "\"maxOutputTokens\":7,\"max_output_tokens\":8}}",
	    WIRE_ERROR_DUPLICATE_PARAM, "generationConfig");
	check_fault(WIRE_ROUTE_GENERATE, "{\"generationConfig\":{},"
	    "\"generation_config\":{}}", WIRE_ERROR_DUPLICATE_PARAM,
	    "generationConfig");
	check_fault(WIRE_ROUTE_GENERATE, "{\"generationConfig\":{"
	    "\"maxOutputTokens\":\"7\"}}", WIRE_ERROR_BAD_PARAM,
	    "maxOutputTokens");
	check_fault(WIRE_ROUTE_RESPONSES, "{\"model\":\"m\",\"background\":1}",
	    WIRE_ERROR_BAD_PARAM, "background");
	check_fault(WIRE_ROUTE_RESPONSES, "{\"model\":\"m\","
	    "\"max_output_tokens\":1,\"max_output_tokens\":2}",
	    WIRE_ERROR_DUPLICATE_PARAM, "max_output_tokens");
	check_fault(WIRE_ROUTE_INTERACTIONS, "{\"model\":\"m\","
	    "\"background\":true}", WIRE_ERROR_NOT_OFFERED, "background");
	check_fault(WIRE_ROUTE_SPEECH, "{\"model\":\"m\"}",
	    WIRE_ERROR_MISSING_PARAM, "input");
	check_fault(WIRE_ROUTE_EMBEDDINGS, "{\"input\":\"m\"}",
	    WIRE_ERROR_MISSING_PARAM, "model");
}
END_TEST

START_TEST(test_splice_says_a_default_model_aloud)
{
	static const char body[] = " {\"input\":\"x\"}";
	static const char want[] = " {\"model\":\"up\",\"input\":\"x\"}";
	struct wire_splice splice;
	char up[128];
	size_t n = 0;

	ck_assert(scan(WIRE_ROUTE_MODERATIONS, body));
	ck_assert_str_eq(req.model, "omni-moderation-latest");
	ck_assert(wire_splice_build(&splice, &req, body, "up", false));
	for (size_t i = 0; i < splice.pieces; i++) {
		memcpy(up + n, splice.piece[i].p, splice.piece[i].len);
		n += splice.piece[i].len;
	}
	ck_assert_uint_eq(n, sizeof(want) - 1);
	ck_assert_mem_eq(up, want, n);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire/request");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_request_reads_the_billing_members);
	tcase_add_test(tcase, test_request_takes_null_for_unset);
	tcase_add_test(tcase, test_request_refuses_what_stands_twice);
	tcase_add_test(tcase, test_request_tells_how_it_may_be_served);
	tcase_add_test(tcase,
	    test_request_tells_what_tools_the_provider_runs);
	tcase_add_test(tcase, test_request_refuses_wrong_types_and_ranges);
	tcase_add_test(tcase, test_request_refuses_what_is_not_json);
	tcase_add_test(tcase, test_splice_leaves_the_body_alone);
	tcase_add_test(tcase, test_splice_maps_the_model);
	tcase_add_test(tcase, test_splice_adds_include_usage);
	tcase_add_test(tcase, test_splice_refuses_a_model_that_does_not_fit);
	tcase_add_test(tcase,
	    test_request_reads_what_other_routes_are_billed_by);
	tcase_add_test(tcase, test_request_refuses_it_on_other_routes);
	tcase_add_test(tcase, test_splice_says_a_default_model_aloud);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

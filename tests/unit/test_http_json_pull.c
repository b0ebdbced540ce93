/*
 * test_http_json_pull.c: reported paths, in pieces of every size.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/json_pull.h"
#include "tests/unit/run.h"

enum node {
	NODE_ROOT,
	NODE_MODEL,
	NODE_USAGE,
	NODE_CHOICES,
	NODE_INPUT,
	NODE_DETAILS,
	NODE_CACHED,
	NODE_CHOICE,
	NODE_TEXT,
	NODE_ROLE,
	NODES
};

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = JSON_NODE("", NODE_MODEL, 3, 0),
	[NODE_MODEL] = JSON_NODE("model", 0, 0, 0),
	[NODE_USAGE] = JSON_NODE("usage", NODE_INPUT, 2,
	    JSON_NODE_EDGES | JSON_NODE_REPORT_REST),
	[NODE_CHOICES] = JSON_NODE("choices", NODE_CHOICE, 1, 0),
	[NODE_INPUT] = JSON_NODE("input", 0, 0, 0),
	[NODE_DETAILS] = JSON_NODE("details", NODE_CACHED, 1, 0),
	[NODE_CACHED] = JSON_NODE("cached", 0, 0, 0),
	[NODE_CHOICE] = JSON_NODE("[]", NODE_TEXT, 2, 0),
	[NODE_TEXT] = JSON_NODE("text", NODE_ROLE, 1, JSON_NODE_COUNT_TEXT),
	[NODE_ROLE] = JSON_NODE("role", 0, 0, 0),
};

static char log_text[2048];

static void
report(void *context, const struct json_pull_value *value)
{
	static const char *const edges[] = { "", "<", ">" };
	char *to = log_text + strlen(log_text);
	size_t room = sizeof(log_text) - strlen(log_text);
	int n;

	ck_assert_ptr_eq(context, log_text);
	n = snprintf(to, room, "%s%s%.*s%s", nodes[value->node].name,
	    value->unlisted ? "." : "", (int)value->name_len,
	    value->name_len > 0 ? value->name : "", edges[value->edge]);
	to += n;
	room -= (size_t)n;
	if (value->edge != JSON_PULL_SCALAR)
		snprintf(to, room, ";");
	else if (value->type == JSON_NUMBER)
		snprintf(to, room, "=%s%" PRIu64 "%s%s;",
		    value->negative ? "-" : "", value->number,
		    value->fraction ? "~" : "", value->absurd ? "!" : "");
	else if (value->type == JSON_STRING)
		snprintf(to, room, "='%.*s'%s;", (int)value->text_len,
		    value->text, value->text_cut ? "+" : "");
	else
		snprintf(to, room, "=%d;", (int)value->type);
}

static enum json_pull_result
read_steps(const char *text, size_t step, uint64_t *counted_r)
{
	struct json_pull pull;
	enum json_pull_result result = JSON_PULL_MORE;
	size_t len = strlen(text), at, n;

	log_text[0] = '\0';
	json_pull_init(&pull, nodes, report, log_text);
	for (at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		result = json_pull_feed(&pull, text + at, n);
	}
	*counted_r = pull.text_bytes;
	return result;
}

static void
check_log(const char *text, const char *expected, uint64_t counted)
{
	uint64_t got;
	size_t step;

	for (step = 1; step <= strlen(text); step++) {
		ck_assert_msg(read_steps(text, step, &got) == JSON_PULL_DONE,
		    "in steps of %zu: %s", step, text);
		ck_assert_str_eq(log_text, expected);
		ck_assert_uint_eq(got, counted);
	}
}

static void
check_result(const char *text, enum json_pull_result expected)
{
	uint64_t counted;
	size_t step;

	for (step = 1; step <= strlen(text); step++)
		ck_assert_msg(read_steps(text, step, &counted) == expected,
		    "in steps of %zu: %s", step, text);
}

START_TEST(test_pull_reports_the_paths_of_its_table)
{
	check_log("{\"id\":\"x\",\"model\":\"m\\u00e9\",\"usage\":{"
	    "\"input\":12,\"details\":{\"cached\":3,\"other\":9},\"cost\":0.5}}",
	    "model='m\xc3\xa9';usage<;input=12;cached=3;usage.cost=0~;usage>;",
	    0);
	check_log(" { \"usage\" : null , \"model\" : true } ",
	    "usage=1;model=3;", 0);
	check_log("{\"a\":{\"model\":1,\"usage\":{\"input\":1}}}", "", 0);
	check_log("{\"usage\":{\"input\":-3.5e2}}", "usage<;input=-350;usage>;",
	    0);
	check_log("{\"usage\":[{\"input\":1}]}", "usage<;usage>;", 0);
}
END_TEST

START_TEST(test_pull_sees_through_escaped_names)
{
	check_log("{\"m\\u006fdel\":1,\"us\\u0061ge\":{\"inp\\u0075t\":2}}",
	    "model=1;usage<;input=2;usage>;", 0);
}
END_TEST

START_TEST(test_pull_counts_text_below_a_node)
{
	check_log("{\"choices\":[{\"text\":\"abc\"},{\"text\":{\"role\":\"xx\","
	    "\"a\":\"de\",\"b\":[\"f\",{\"c\":\"\\u00e9\\n\"}],\"n\":123}},"
	    "{\"other\":\"zzzz\"}]}", "text='abc';role='xx';", 3 + 2 + 1 + 3);
}
END_TEST

START_TEST(test_pull_cuts_long_strings_and_names)
{
	char text[700] = "{\"model\":\"", expected[200] = "model='";

	memset(text + 10, 'a', 200);
	strcpy(text + 210, "\",\"");
	memset(text + 213, 'b', 200);
	strcpy(text + 413, "\":{\"usage\":1},\"usage\":"
	    "{\"input\":99999999999999999999}}");
	memset(expected + 7, 'a', JSON_PULL_TEXT_BYTES);
	strcpy(expected + 7 + JSON_PULL_TEXT_BYTES,
	    "'+;usage<;");
	read_steps(text, 10000, &(uint64_t){ 0 });
	ck_assert_mem_eq(log_text, expected, strlen(expected));
	ck_assert_ptr_nonnull(strstr(log_text, "input=9223372036854775807!;"));
}
END_TEST

START_TEST(test_pull_replaces_lone_surrogates)
{
	check_log("{\"model\":\"\\ud83d\\ude00\\ud83dx\\ude00\"}",
	    "model='\xf0\x9f\x98\x80\xef\xbf\xbdx\xef\xbf\xbd';", 0);
}
END_TEST

START_TEST(test_pull_knows_the_end_and_what_is_no_json)
{
	check_result("{\"a\":[1,2,{}]}", JSON_PULL_DONE);
	check_result("{\"a\":[1,2,{}]} \n", JSON_PULL_DONE);
	check_result("{\"a\":[1,2,{}", JSON_PULL_MORE);
	check_result("{} x", JSON_PULL_BAD);
	check_result("[DONE]", JSON_PULL_BAD);
	check_result("{\"a\":1,}", JSON_PULL_BAD);
	check_result("{\"a\" 1}", JSON_PULL_BAD);
	check_result("{\"a\":1]", JSON_PULL_BAD);
	check_result("{\"a\":nul1}", JSON_PULL_BAD);
	check_result("{\"a\":\"\\q\"}", JSON_PULL_BAD);
	check_result("{a:1}", JSON_PULL_BAD);
}
END_TEST

START_TEST(test_pull_bounds_the_depth_and_reads_on_after_reset)
{
	struct json_pull pull;
	int i;

	log_text[0] = '\0';
	json_pull_init(&pull, nodes, report, log_text);
	for (i = 0; i < JSON_PULL_DEPTH_MAX; i++)
		ck_assert_int_eq(json_pull_feed(&pull, "[", 1),
		    JSON_PULL_MORE);
	ck_assert_int_eq(json_pull_feed(&pull, "[", 1), JSON_PULL_BAD);
	ck_assert_int_eq(json_pull_feed(&pull, "]", 1), JSON_PULL_BAD);
	json_pull_reset(&pull);
	ck_assert_int_eq(json_pull_feed(&pull, "{\"model\":7}", 11),
	    JSON_PULL_DONE);
	ck_assert_str_eq(log_text, "model=7;");
}
END_TEST

static void
stop(void *context, const struct json_pull_value *value)
{
	report(log_text, value);
	json_pull_stop(context);
}

START_TEST(test_pull_stops_when_told)
{
	struct json_pull pull;

	log_text[0] = '\0';
	json_pull_init(&pull, nodes, stop, &pull);
	ck_assert_int_eq(json_pull_feed(&pull, "{\"model\":1,\"usage\":2", 20),
	    JSON_PULL_BAD);
	ck_assert_int_eq(json_pull_feed(&pull, "}", 1), JSON_PULL_BAD);
	ck_assert_str_eq(log_text, "model=1;");
	json_pull_reset(&pull);
	ck_assert_int_eq(json_pull_feed(&pull, "{\"a\":1}", 7),
	    JSON_PULL_DONE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http/json_pull");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_pull_reports_the_paths_of_its_table);
	tcase_add_test(tcase, test_pull_sees_through_escaped_names);
	tcase_add_test(tcase, test_pull_counts_text_below_a_node);
	tcase_add_test(tcase, test_pull_cuts_long_strings_and_names);
	tcase_add_test(tcase, test_pull_replaces_lone_surrogates);
	tcase_add_test(tcase, test_pull_knows_the_end_and_what_is_no_json);
	tcase_add_test(tcase,
	    test_pull_bounds_the_depth_and_reads_on_after_reset);
	tcase_add_test(tcase, test_pull_stops_when_told);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

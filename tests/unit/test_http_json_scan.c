/*
 * test_http_json_scan.c: members found, texts refused, strings and numbers.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/json_scan.h"
#include "tests/unit/run.h"

static struct json_want wants[2];
static struct json_extent extent;

/* Scan a copy that ends with its last byte, so that a sanitizer sees more. */
static enum json_scan_result
scan(const char *text)
{
	static const struct json_want fresh[2] = { JSON_WANT("model"),
		JSON_WANT("stream") };
	enum json_scan_result result;
	size_t len = strlen(text);
	char *copy = malloc(len > 0 ? len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	memcpy(wants, fresh, sizeof(wants));
	result = json_scan(copy, len, wants, 2, &extent);
	free(copy);
	return result;
}

static void
check_found(const char *text, const char *value, enum json_kind type)
{
	ck_assert_int_eq(scan(text), JSON_SCAN_OK);
	ck_assert_int_eq(wants[0].type, type);
	ck_assert_uint_eq(wants[0].count, 1);
	ck_assert_uint_eq(wants[0].value_end - wants[0].value_start,
	    strlen(value));
	ck_assert_mem_eq(text + wants[0].value_start, value, strlen(value));
	ck_assert_int_eq(text[wants[0].key_start], '"');
}

START_TEST(test_scan_finds_members_of_every_type)
{
	check_found("{\"model\":\"a\\\"b\"}", "\"a\\\"b\"", JSON_STRING);
	check_found(" { \"x\" : [ { \"model\" : 1 } ] , \"model\" : -1.5e+3 } ",
	    "-1.5e+3", JSON_NUMBER);
	check_found("{\"model\":true,\"a\":1}", "true", JSON_TRUE);
	check_found("{\"model\":false}", "false", JSON_FALSE);
	check_found("{\"model\":null\n}", "null", JSON_NULL);
	check_found("{\"a\":{},\"model\":[1,[],{}] ,\"b\":0}", "[1,[],{}]",
	    JSON_ARRAY);
	check_found("{\"model\":{\"model\":[]}}", "{\"model\":[]}",
	    JSON_OBJECT);
	check_found("{\"model\":{}}", "{}", JSON_OBJECT);
}
END_TEST

START_TEST(test_scan_sees_through_escaped_names)
{
	check_found("{\"\\u006dodel\":1}", "1", JSON_NUMBER);
	check_found("{\"m\\u006Fd\\u0065l\":1}", "1", JSON_NUMBER);
	ck_assert_int_eq(scan("{\"model\":1,\"\\u006dodel\":2}"),
	    JSON_SCAN_OK);
	ck_assert_uint_eq(wants[0].count, 2);
	ck_assert_int_eq(scan("{\"modelx\":1,\"mode\":2,\"model\\u0000\":1}"),
	    JSON_SCAN_OK);
	ck_assert_uint_eq(wants[0].count, 0);
	ck_assert_int_eq(wants[0].type, JSON_ABSENT);
}
END_TEST

START_TEST(test_scan_counts_names_in_other_letter_case)
{
	ck_assert_int_eq(scan("{\"Model\":1,\"model\":2,\"MODEL\":2}"),
	    JSON_SCAN_OK);
	ck_assert_uint_eq(wants[0].count, 1);
	ck_assert_uint_eq(wants[0].folded, 2);
	/* U+017F, which folds to s, plain and escaped. */
	ck_assert_int_eq(scan("{\"\xc5\xbftream\":1,\"\\u017ftream\":1}"),
	    JSON_SCAN_OK);
	ck_assert_uint_eq(wants[1].count, 0);
	ck_assert_uint_eq(wants[1].folded, 2);
}
END_TEST

START_TEST(test_scan_tells_where_the_object_is)
{
	ck_assert_int_eq(scan(" \n{\"a\":1,\"b\":{\"c\":2}}\t"), JSON_SCAN_OK);
	ck_assert_uint_eq(extent.start, 2);
	ck_assert_uint_eq(extent.end, 21);
	ck_assert_uint_eq(extent.members, 2);
	ck_assert_int_eq(scan("{}"), JSON_SCAN_OK);
	ck_assert_uint_eq(extent.members, 0);
}
END_TEST

START_TEST(test_scan_refuses_what_is_not_json)
{
	static const char *const bad[] = { "", " ", "{", "}", "{]", "[}",
		"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1 \"b\":2}",
		"{\"a\":1}}", "{\"a\":1} x", "{'a':1}", "{a:1}", "{\"a\":01}",
		"{\"a\":+1}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}",
		"{\"a\":-}", "{\"a\":tru}", "{\"a\":truex}", "{\"a\":nul",
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\n\"}",
		"{\"a\":\"\x01\"}", "{\"a\":\"b}", "{\"a\":\"b\\",
		"{\"a\":[1,]}",
		"{\"a\":[,1]}", "{\"a\":[1 2]}", "{\"a\":NaN}", "[1,2",
		"{\"a\":\"\\u00", "{\"a\" 1}", "{1:2}", "{\"a\":1,2}" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(scan(bad[i]) == JSON_SCAN_MALFORMED, "%s",
		    bad[i]);
	ck_assert_int_eq(scan("[1]"), JSON_SCAN_NOT_OBJECT);
	ck_assert_int_eq(scan("\"a\""), JSON_SCAN_NOT_OBJECT);
	ck_assert_int_eq(scan(" 12 "), JSON_SCAN_NOT_OBJECT);
}
END_TEST

START_TEST(test_scan_bounds_the_depth)
{
	char text[1000] = "{\"a\":";
	size_t i, at = 5, deep;

	for (deep = JSON_SCAN_DEPTH_MAX - 1; deep <= JSON_SCAN_DEPTH_MAX;
	    deep++) {
		at = 5;
		for (i = 0; i < deep; i++)
			text[at++] = '[';
		for (i = 0; i < deep; i++)
			text[at++] = ']';
		text[at++] = '}';
		text[at] = '\0';
		ck_assert_int_eq(scan(text), deep < JSON_SCAN_DEPTH_MAX ?
		    JSON_SCAN_OK : JSON_SCAN_DEEP);
	}
}
END_TEST

START_TEST(test_scan_finds_the_end_of_strings_at_any_offset)
{
	char text[400];
	size_t len, at;

	/* A quote, backslash or control at every place of a long string. */
	for (len = 0; len < 150; len++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "{\"model\":\"", 10);
		strcpy(text + 10 + len, "\"}");
		ck_assert_int_eq(scan(text), JSON_SCAN_OK);
		ck_assert_uint_eq(wants[0].value_end, 10 + len + 1);
		for (at = 0; at < len; at++) {
			text[10 + at] = '\x1f';
			ck_assert_int_eq(scan(text), JSON_SCAN_MALFORMED);
			text[10 + at] = (char)0x80;
			ck_assert_int_eq(scan(text), JSON_SCAN_OK);
			text[10 + at] = 'x';
		}
	}
}
END_TEST

static void
check_copy(const char *value, const char *expected)
{
	char to[64];
	size_t len, size;

	ck_assert_int_eq(json_scan_string_copy(value, strlen(value), to,
	    sizeof(to), &len), JSON_STRING_OK);
	ck_assert_str_eq(to, expected);
	ck_assert_uint_eq(len, strlen(expected));
	for (size = 0; size <= len; size++) {
		ck_assert_int_eq(json_scan_string_copy(value, strlen(value),
		    to, size, &len), JSON_STRING_LONG);
		ck_assert_uint_eq(len, strlen(expected));
	}
}

START_TEST(test_string_copy_unescapes)
{
	char to[64];
	size_t len;

	check_copy("\"\"", "");
	check_copy("\"plain\"", "plain");
	check_copy("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	check_copy("\"\\u00e9\\u20AC\\ud83d\\ude00\"",
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	ck_assert_int_eq(json_scan_string_copy("\"\\ud83d\"", 8, to, 64, &len),
	    JSON_STRING_BAD);
	ck_assert_int_eq(json_scan_string_copy("\"\\ude00\"", 8, to, 64, &len),
	    JSON_STRING_BAD);
	ck_assert_int_eq(json_scan_string_copy("\"\\u0000\"", 8, to, 64, &len),
	    JSON_STRING_BAD);
}
END_TEST

static void
check_number(const char *text, bool good, uint64_t expected)
{
	uint64_t number;

	ck_assert_msg(json_scan_u64(text, strlen(text), &number) == good,
	    "%s", text);
	if (good)
		ck_assert_msg(number == expected, "%s", text);
}

START_TEST(test_numbers_are_read_exactly_or_not_at_all)
{
	check_number("0", true, 0);
	check_number("-0", true, 0);
	check_number("4096", true, 4096);
	check_number("5.0", true, 5);
	check_number("1e3", true, 1000);
	check_number("1.5e1", true, 15);
	check_number("1200E-2", true, 12);
	check_number("9223372036854775799", true,
	    UINT64_C(9223372036854775799));
	check_number("0e99999999999999999999", true, 0);
	check_number("1.5", false, 0);
	check_number("1e-1", false, 0);
	check_number("100e-5", false, 0);
	check_number("-1", false, 0);
	check_number("99999999999999999999", false, 0);
	check_number("1e400", false, 0);
	check_number("", false, 0);
	check_number("-", false, 0);
	check_number("1x", false, 0);
	check_number("1.", false, 0);
}
END_TEST

START_TEST(test_escape_makes_what_the_copy_reads_back)
{
	static const char from[] = "a\"\\\b\f\n\r\t\x01\x7f\xc3\xa9"
	    "\xf0\x9f\x98\x80";
	char text[200], back[200];
	size_t len, i, full;

	full = json_escape(from, strlen(from), text + 1, sizeof(text) - 2);
	text[0] = text[full + 1] = '"';
	ck_assert_int_eq(json_scan_string_copy(text, full + 2, back,
	    sizeof(back), &len), JSON_STRING_OK);
	ck_assert_str_eq(back, from);
	for (i = 0; i < full; i++) {
		memset(back, '#', sizeof(back));
		ck_assert_uint_eq(json_escape(from, strlen(from), back, i),
		    full);
		ck_assert_int_eq(back[i], '#');
	}
	/* Overlong, surrogate, cut and stray bytes become U+FFFD. */
	len = json_escape("\xc0\xaf\xed\xa0\x80\xe2\x82", 7, text, 200);
	ck_assert_uint_eq(len, 7 * 3);
	ck_assert_mem_eq(text, "\xef\xbf\xbd\xef\xbf\xbd", 6);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http/json_scan");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_scan_finds_members_of_every_type);
	tcase_add_test(tcase, test_scan_sees_through_escaped_names);
	tcase_add_test(tcase, test_scan_counts_names_in_other_letter_case);
	tcase_add_test(tcase, test_scan_tells_where_the_object_is);
	tcase_add_test(tcase, test_scan_refuses_what_is_not_json);
	tcase_add_test(tcase, test_scan_bounds_the_depth);
	tcase_add_test(tcase,
	    test_scan_finds_the_end_of_strings_at_any_offset);
	tcase_add_test(tcase, test_string_copy_unescapes);
	tcase_add_test(tcase, test_numbers_are_read_exactly_or_not_at_all);
	tcase_add_test(tcase, test_escape_makes_what_the_copy_reads_back);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

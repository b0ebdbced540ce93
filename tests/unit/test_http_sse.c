/*
 * test_http_sse.c: events by LF, CRLF and CR, in pieces of every size.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "http/sse.h"
#include "tests/unit/run.h"

/* Events as "name|data;" one behind the other; '-' for no data line. */
static void
split(const char *text, size_t step, char *to, size_t size)
{
	struct sse sse;
	struct span data;
	char got[256];
	size_t len = strlen(text), at = 0, n, used, got_len = 0;

	to[0] = '\0';
	sse_init(&sse);
	while (at < len) {
		n = len - at < step ? len - at : step;
		switch (sse_next(&sse, text + at, n, &used, &data)) {
		case SSE_DATA:
			memcpy(got + got_len, data.p, data.len);
			got_len += data.len;
			break;
		case SSE_END:
			snprintf(to + strlen(to), size - strlen(to),
			    "%s|%.*s;", sse.name, sse.has_data ?
			    (int)got_len : 1, sse.has_data ? got : "-");
			got_len = 0;
			break;
		case SSE_MORE:
			break;
		}
		ck_assert_uint_gt(used, 0);
		at += used;
	}
}

static void
check_events(const char *text, const char *expected)
{
	char got[512];
	size_t step;

	for (step = 1; step <= strlen(text); step++) {
		split(text, step, got, sizeof(got));
		ck_assert_str_eq(got, expected);
	}
}

START_TEST(test_sse_splits_at_blank_lines)
{
	check_events("data: a\n\ndata:b\n\ndata:  c\n\n", "|a;|b;| c;");
	check_events("data: a\r\n\r\ndata: b\r\n\r\n", "|a;|b;");
	check_events("data: a\r\rdata: b\r\r", "|a;|b;");
	check_events("\n\n\r\n\rdata: a\n\n\n\n", "|a;");
}
END_TEST

START_TEST(test_sse_reads_names_and_joins_data)
{
	check_events("event: x\ndata: 1\ndata: 2\ndata\ndata:\n\n",
	    "x|1\n2\n\n;");
	check_events("event: old\nevent:new\nid: 7\nretry: 1\ndata: z\n\n",
	    "new|z;");
	check_events("event: gone\ndata: a\n\ndata: b\n\n", "gone|a;|b;");
	check_events("event\ndata\n\n", "|;");
}
END_TEST

START_TEST(test_sse_skips_comments_and_unknown_fields)
{
	check_events(": ping\n\ndata: a\n\n", "|-;|a;");
	check_events("dat: x\ndatax: y\n data: z\ndata : w\n\n", "|-;");
	check_events("averylongfieldname: q\ndata: a\n\n", "|a;");
}
END_TEST

START_TEST(test_sse_skips_a_byte_order_mark)
{
	check_events("\xef\xbb\xbf" "data: a\n\n", "|a;");
	check_events("\xef\xbb" "data: a\n\n", "|-;");
	check_events("data: \xef\xbb\xbf\n\n", "|\xef\xbb\xbf;");
}
END_TEST

START_TEST(test_sse_leaves_an_unfinished_event_open)
{
	struct sse sse;
	struct span data;
	size_t used;

	sse_init(&sse);
	ck_assert(!sse.open);
	ck_assert_int_eq(sse_next(&sse, "data: a", 7, &used, &data), SSE_DATA);
	ck_assert(sse.open);
	ck_assert_int_eq(sse_next(&sse, "\n", 1, &used, &data), SSE_MORE);
	ck_assert(sse.open);
	ck_assert_int_eq(sse_next(&sse, "\n", 1, &used, &data), SSE_END);
	ck_assert(!sse.open);
}
END_TEST

START_TEST(test_sse_forgets_a_name_that_is_too_long)
{
	char text[200] = "event: ";

	memset(text + 7, 'n', 100);
	memcpy(text + 107, "\ndata: a\n\n", 11);
	check_events(text, "|a;");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http/sse");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_sse_splits_at_blank_lines);
	tcase_add_test(tcase, test_sse_reads_names_and_joins_data);
	tcase_add_test(tcase, test_sse_skips_comments_and_unknown_fields);
	tcase_add_test(tcase, test_sse_skips_a_byte_order_mark);
	tcase_add_test(tcase, test_sse_leaves_an_unfinished_event_open);
	tcase_add_test(tcase, test_sse_forgets_a_name_that_is_too_long);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

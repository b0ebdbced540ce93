/*
 * test_http_chunked.c: payload spans, the exact end, and what is refused.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "http/chunked.h"
#include "tests/unit/run.h"

static char payload[4096];
static size_t payload_len;

static enum http_result
feed(const char *text, size_t len, size_t step, size_t *left_r)
{
	struct chunked chunked;
	struct span span;
	enum http_result result = HTTP_MORE;
	size_t at = 0, n, used;

	chunked_init(&chunked);
	payload_len = 0;
	while (at < len && result == HTTP_MORE) {
		n = len - at < step ? len - at : step;
		result = chunked_feed(&chunked, text + at, n, &used, &span);
		ck_assert_uint_gt(used, 0);
		ck_assert_uint_le(used, n);
		if (span.len > 0) {
			ck_assert(span.p >= text + at);
			ck_assert(span.p + span.len <= text + at + used);
			memcpy(payload + payload_len, span.p, span.len);
			payload_len += span.len;
		}
		at += used;
	}
	*left_r = len - at;
	return result;
}

static void
check_good(const char *text, const char *expected, size_t left)
{
	size_t step, rest;

	for (step = 1; step <= strlen(text); step++) {
		ck_assert_int_eq(feed(text, strlen(text), step, &rest),
		    HTTP_DONE);
		ck_assert_uint_eq(rest, left);
		ck_assert_uint_eq(payload_len, strlen(expected));
		ck_assert_mem_eq(payload, expected, payload_len);
	}
}

static void
check_bad(const char *text)
{
	size_t step, rest;

	for (step = 1; step <= strlen(text); step++)
		ck_assert_msg(feed(text, strlen(text), step, &rest) ==
		    HTTP_BAD, "in steps of %zu: %s", step, text);
}

START_TEST(test_chunked_gives_the_payload_and_stops_at_the_end)
{
	check_good("5\r\nhello\r\n0\r\n\r\nHTTP/1.1", "hello", 8);
	check_good("0\r\n\r\n", "", 0);
	check_good("A\r\n0123456789\r\n1\r\nx\r\n00\r\n\r\n", "0123456789x", 0);
}
END_TEST

START_TEST(test_chunked_skips_extensions_and_trailers)
{
	check_good("3 ; a=b;c=\"d\"\r\nabc\r\n0;x\r\nA: b\r\nC: d\r\n\r\n",
	    "abc", 0);
}
END_TEST

START_TEST(test_chunked_refuses_bad_sizes)
{
	check_bad("\r\n");
	check_bad("g\r\n");
	check_bad("0x5\r\nhello\r\n");
	check_bad("-1\r\n");
	check_bad("5 \r\nhello\r\n");
	check_bad("5\nhello\r\n");
	check_bad("5\r\nhelloX\r\n");
	check_bad("5\r\nhello\n");
	check_bad("ffffffffffffffff\r\n");
	check_bad("10000000001\r\n");
	check_bad("00000000000000000\r\n");
	check_bad("1;a\x01\r\n");
	check_bad("0\r\nA: b\nC\r\n\r\n");
	check_bad("5\rXhello\r\n");
	check_bad("5\r\nhello\rX");
	check_bad("0\r\nA: b\rX");
	check_bad("0\r\n\rX");
}
END_TEST

START_TEST(test_chunked_bounds_what_it_skips)
{
	static char text[CHUNKED_TRAILER_MAX_BYTES + 100];
	size_t left;

	memset(text, 'x', sizeof(text));
	memcpy(text, "1;", 2);
	ck_assert_int_eq(feed(text, CHUNKED_EXT_MAX_BYTES, 4096, &left),
	    HTTP_MORE);
	ck_assert_int_eq(feed(text, sizeof(text), 4096, &left), HTTP_BAD);
	memcpy(text, "0\r\n", 3);
	ck_assert_int_eq(feed(text, CHUNKED_TRAILER_MAX_BYTES, 4096, &left),
	    HTTP_MORE);
	ck_assert_int_eq(feed(text, sizeof(text), 4096, &left), HTTP_BAD);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http/chunked");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase,
	    test_chunked_gives_the_payload_and_stops_at_the_end);
	tcase_add_test(tcase, test_chunked_skips_extensions_and_trailers);
	tcase_add_test(tcase, test_chunked_refuses_bad_sizes);
	tcase_add_test(tcase, test_chunked_bounds_what_it_skips);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

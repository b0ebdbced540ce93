/*
 * test_http_response_head.c: what a head says, and which heads are refused.
 */
#include <check.h>
#include <string.h>

#include "http/response_head.h"
#include "tests/unit/run.h"

static struct response_head head;

/* Feed in pieces of step bytes; *left_r: bytes behind the head. */
static enum http_result
feed(const char *text, size_t step, size_t *left_r)
{
	enum http_result result = HTTP_MORE;
	size_t len = strlen(text), at = 0, n, used;

	response_head_init(&head);
	while (at < len && result == HTTP_MORE) {
		n = len - at < step ? len - at : step;
		result = response_head_feed(&head, text + at, n, &used);
		ck_assert_uint_le(used, n);
		if (result == HTTP_MORE)
			ck_assert_uint_eq(used, n);
		at += used;
	}
	*left_r = len - at;
	return result;
}

static const size_t steps[] = { 1, 2, 3, 7, 64, 100000 };

static void
check_good(const char *text, size_t left)
{
	size_t i, rest;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ck_assert_msg(feed(text, steps[i], &rest) == HTTP_DONE,
		    "in steps of %zu: %s", steps[i], text);
		ck_assert_uint_eq(rest, left);
	}
}

static void
check_bad(const char *text)
{
	size_t i, rest;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		ck_assert_msg(feed(text, steps[i], &rest) == HTTP_BAD,
		    "in steps of %zu: %s", steps[i], text);
}

#define OK "HTTP/1.1 200 OK\r\n"

START_TEST(test_head_reads_length_type_and_request_id)
{
	check_good(OK "Content-Length:  12 \r\n"
	    "content-TYPE: application/json; charset=utf-8\r\n"
	    "X-Unknown-Header-That-Is-Longer-Than-Any-We-Keep: \xc3\xa9\r\n"
	    "x-request-id: req_1\r\nEmpty:\r\n\r\nbody", 4);
	ck_assert_int_eq(head.status, 200);
	ck_assert(head.has_length);
	ck_assert_uint_eq(head.content_length, 12);
	ck_assert(head.is_json);
	ck_assert(!head.is_event_stream);
	ck_assert(head.keep_alive);
	ck_assert_int_eq(response_head_body(&head, false),
	    RESPONSE_BODY_LENGTH);
	ck_assert_int_eq(response_head_body(&head, true), RESPONSE_BODY_NONE);
	ck_assert_str_eq(response_head_get(&head, RESPONSE_X_REQUEST_ID),
	    "req_1");
	ck_assert_ptr_null(response_head_get(&head, RESPONSE_REQUEST_ID));
}
END_TEST

START_TEST(test_head_reads_a_chunked_event_stream)
{
	check_good(OK "Transfer-Encoding: Chunked\r\n"
	    "Content-Type: text/event-stream\r\nConnection: Close\r\n"
	    "Content-Encoding: gzip\r\n\r\n", 0);
	ck_assert_int_eq(response_head_body(&head, false),
	    RESPONSE_BODY_CHUNKED);
	ck_assert(head.is_event_stream);
	ck_assert(!head.keep_alive);
	ck_assert_int_eq(head.coding, RESPONSE_CODING_GZIP);
}
END_TEST

START_TEST(test_head_without_length_lasts_until_close)
{
	check_good("HTTP/1.0 200 OK\r\nContent-Encoding: br\r\n\r\n", 0);
	ck_assert_int_eq(response_head_body(&head, false),
	    RESPONSE_BODY_UNTIL_CLOSE);
	ck_assert(!head.keep_alive);
	ck_assert_int_eq(head.coding, RESPONSE_CODING_OTHER);
	check_good("HTTP/1.0 200 OK\r\nConnection: x, keep-alive\r\n\r\n", 0);
	ck_assert(head.keep_alive);
	check_good("HTTP/1.1 204\r\n\r\n", 0);
	ck_assert_int_eq(response_head_body(&head, false), RESPONSE_BODY_NONE);
}
END_TEST

START_TEST(test_head_skips_interim_answers)
{
	check_good("HTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n"
	    "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\n\r\n", 0);
	ck_assert_int_eq(head.status, 429);
	ck_assert(!head.has_length);
	ck_assert_int_eq(head.retry_after_ms, 3000);
	check_bad("HTTP/1.1 101 Switching\r\n\r\n");
}
END_TEST

START_TEST(test_head_reads_delays)
{
	check_good(OK "retry-after: 9\r\nretry-after-ms: 250.7\r\n\r\n", 0);
	ck_assert_int_eq(head.retry_after_ms, 250);
	check_good(OK "retry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n", 0);
	ck_assert_int_eq(head.retry_after_ms, -1);
	check_good(OK "retry-after: 99999999999999999999\r\n\r\n", 0);
	ck_assert_int_eq(head.retry_after_ms, 86400000);
}
END_TEST

START_TEST(test_head_takes_equal_lengths_only)
{
	check_good(OK "Content-Length: 5\r\nContent-Length: 5, 5\r\n\r\n", 0);
	ck_assert_uint_eq(head.content_length, 5);
	check_bad(OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n");
	check_bad(OK "Content-Length: 5, 6\r\n\r\n");
	check_bad(OK "Content-Length: +5\r\n\r\n");
	check_bad(OK "Content-Length: 0x5\r\n\r\n");
	check_bad(OK "Content-Length:\r\n\r\n");
	check_bad(OK "Content-Length: 9223372036854775808\r\n\r\n");
}
END_TEST

START_TEST(test_head_refuses_two_framings)
{
	check_bad(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n");
	check_bad(OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n");
	check_bad(OK "Transfer-Encoding: gzip, chunked\r\n\r\n");
	check_bad(OK "Transfer-Encoding: identity\r\n\r\n");
	check_bad(OK "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	check_bad("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}
END_TEST

START_TEST(test_head_refuses_what_is_not_http)
{
	check_bad("HTTP/2 200 OK\r\n\r\n");
	check_bad("http/1.1 200 OK\r\n\r\n");
	check_bad("HTTP/1.1 99 No\r\n\r\n");
	check_bad("HTTP/1.1 600 No\r\n\r\n");
	check_bad("HTTP/1.1 2000 No\r\n\r\n");
	check_bad("HTTP/1.1 200 OK\n\n");
	check_bad("HTTP/1.1 200 O\rK\r\n\r\n");
	check_bad(OK "A: b\n\r\n");
	check_bad(OK "A: b\rc\r\n\r\n");
	check_bad(OK "A: b\r\n folded\r\n\r\n");
	check_bad(OK "A : b\r\n\r\n");
	check_bad(OK "A\r\n\r\n");
	check_bad(OK ": b\r\n\r\n");
	check_bad(OK "A: \x01\r\n\r\n");
	check_bad(OK "A: b\r\n\rX");
}
END_TEST

START_TEST(test_head_is_bounded)
{
	static char text[RESPONSE_HEAD_MAX_BYTES + 100];
	size_t len = strlen(OK);

	memcpy(text, OK, len);
	memset(text + len, 'a', sizeof(text) - len - 1);
	check_bad(text);
	memcpy(text + len, "a:", 2);
	check_bad(text);
}
END_TEST

START_TEST(test_head_drops_a_value_that_does_not_fit)
{
	char text[1000] = OK "x-request-id: ";
	size_t len = strlen(text);

	memset(text + len, 'r', 300);
	memcpy(text + len + 300, "\r\nrequest-id: b\r\n\r\n", 20);
	check_good(text, 0);
	ck_assert_ptr_null(response_head_get(&head, RESPONSE_X_REQUEST_ID));
	ck_assert_str_eq(response_head_get(&head, RESPONSE_REQUEST_ID), "b");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http/response_head");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_head_reads_length_type_and_request_id);
	tcase_add_test(tcase, test_head_reads_a_chunked_event_stream);
	tcase_add_test(tcase, test_head_without_length_lasts_until_close);
	tcase_add_test(tcase, test_head_skips_interim_answers);
	tcase_add_test(tcase, test_head_reads_delays);
	tcase_add_test(tcase, test_head_takes_equal_lengths_only);
	tcase_add_test(tcase, test_head_refuses_two_framings);
	tcase_add_test(tcase, test_head_refuses_what_is_not_http);
	tcase_add_test(tcase, test_head_is_bounded);
	tcase_add_test(tcase, test_head_drops_a_value_that_does_not_fit);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

/*
 * test_worker_headers.c: what is read of a request's head, what goes up, and
 * what an upstream's troubles become.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"
#include "worker/client_head.h"
#include "worker/forward.h"
#include "worker/relay.h"

static struct client_head head;

static struct span
span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

static void
add(const char *name, const char *value)
{
	client_head_add(&head, false, span_of(name), span_of(value));
}

static void
clear(void)
{
	memset(&head, 0, sizeof(head));
}

START_TEST(test_head_takes_a_key_from_anywhere)
{
	add("AUTHORIZATION", "bEaReR  one");
	ck_assert(head.has_key && !head.keys_differ);
	ck_assert_uint_eq(head.key.len, 3);
	add("X-Api-Key", "one");
	ck_assert(!head.keys_differ && !head.has_goog_api_key);
	client_head_add(&head, true, span_of("key"), span_of("one"));
	ck_assert(!head.keys_differ && head.has_goog_api_key);
	add("x-goog-api-key", "onf");
	ck_assert(head.keys_differ);
}
END_TEST

START_TEST(test_head_takes_no_key_of_another_scheme)
{
	add("Authorization", "Basic one");
	ck_assert(head.has_key);
	ck_assert_uint_eq(head.key.len, 0);
	add("x-api-key", "one");
	ck_assert(head.keys_differ);
}
END_TEST

START_TEST(test_head_knows_json)
{
	static const char *const yes[] = { "application/json",
		"Application/JSON", "application/json;charset=utf-8",
		"application/json ; charset=UTF-8" };
	static const char *const no[] = { "application/jsonx", "text/json",
		"application/jso", "", "multipart/form-data" };

	ck_assert(!client_head_is_json(&head));
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		add("content-type", yes[i]);
		ck_assert(client_head_is_json(&head));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		add("content-type", no[i]);
		ck_assert(!client_head_is_json(&head));
	}
}
END_TEST

START_TEST(test_head_reads_framing)
{
	add("Content-Length", "18446744073709551616");
	ck_assert(head.bad_content_length && !head.has_content_length);
	clear();
	add("content-length", "12345678901234567");
	ck_assert(head.has_content_length && !head.bad_content_length);
	ck_assert_uint_eq(head.content_length, UINT64_C(12345678901234567));
	add("Content-Length", "-1");
	ck_assert(head.bad_content_length);
	clear();
	add("Transfer-Encoding", "chunked");
	add("Content-Encoding", "identity");
	add("Expect", "100-continue");
	ck_assert(head.chunked && head.expect && !head.encoded);
	add("Content-Encoding", "gzip");
	ck_assert(head.encoded);
}
END_TEST

static bool
sends(const struct request_header *header, size_t n, const char *name,
    const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (header[i].name.len == strlen(name) &&
		    memcmp(header[i].name.p, name, header[i].name.len) == 0 &&
		    header[i].value.len == strlen(value) &&
		    memcmp(header[i].value.p, value,
		    header[i].value.len) == 0)
			return true;
	return false;
}

START_TEST(test_forward_sends_what_is_listed_and_no_more)
{
	struct request_header header[FORWARD_HEADERS];
	size_t n;

	add("Authorization", "Bearer customer");
	add("Cookie", "secret");
	add("X-Forwarded-For", "1.2.3.4");
	add("User-Agent", "somebody");
	add("OpenAI-Organization", "org");
	add("OpenAI-Beta", "assistants=v2");
	add("anthropic-version", "2023-06-01");
	add("anthropic-beta", "a");
	add("anthropic-beta", "b");
	add("Idempotency-Key", "k");
	add("Accept", "text/event-stream");
	n = forward_headers(
	    wire_route_info(WIRE_ROUTE_CHAT_COMPLETIONS), &head, "Bearer up",
	    9, header);
	ck_assert_uint_eq(n, 7);
	ck_assert(sends(header, n, "Authorization", "Bearer up"));
	ck_assert(sends(header, n, "Accept-Encoding", "identity"));
	ck_assert(sends(header, n, "Content-Type", "application/json"));
	ck_assert(sends(header, n, "Accept", "text/event-stream"));
	ck_assert(sends(header, n, "Idempotency-Key", "k"));
	ck_assert(sends(header, n, "OpenAI-Beta", "assistants=v2"));
	n = forward_headers(wire_route_info(WIRE_ROUTE_MESSAGES),
	    &head, "up", 2, header);
	ck_assert_uint_eq(n, 9);
	ck_assert(sends(header, n, "x-api-key", "up"));
	ck_assert(sends(header, n, "anthropic-version", "2023-06-01"));
	ck_assert(sends(header, n, "anthropic-beta", "a"));
	ck_assert(sends(header, n, "anthropic-beta", "b"));
}
END_TEST

START_TEST(test_forward_fits_any_head)
{
	struct request_header header[FORWARD_HEADERS];

	for (int i = 0; i < 100; i++) {
		add("anthropic-beta", "x");
		add("openai-beta", "x");
		add("idempotency-key", "x");
	}
	ck_assert_uint_le(forward_headers(
	    wire_route_info(WIRE_ROUTE_MESSAGES), &head, "up", 2, header),
	    FORWARD_HEADERS);
}
END_TEST

static void
check_target(enum wire_route route, const char *version, const char *name,
    const char *want)
{
	char buf[FORWARD_TARGET_BYTES];
	struct span target;

	target = forward_target(wire_route_info(route), &head,
	    span_of(version), span_of(name), buf);
	ck_assert_ptr_nonnull(target.p);
	ck_assert_msg(target.len == strlen(want) &&
	    memcmp(target.p, want, target.len) == 0, "%.*s, not %s",
	    (int)target.len, target.p, want);
}

START_TEST(test_forward_passes_listed_queries_on)
{
	client_head_add(&head, true, span_of("key"), span_of("sk-yy-secret"));
	client_head_add(&head, true, span_of("beta"), span_of("1&x=y"));
	client_head_add(&head, true, span_of("alt"), span_of("sse"));
	client_head_add(&head, true, span_of("include[]"), span_of("a.b"));
	client_head_add(&head, true, span_of("stream"), span_of("true"));
	check_target(WIRE_ROUTE_MESSAGES, "", "",
	    "/v1/messages?beta=1%26x%3Dy");
	check_target(WIRE_ROUTE_CHAT_COMPLETIONS, "", "",
	    "/v1/chat/completions");
	check_target(WIRE_ROUTE_STREAM_GENERATE, "v1beta", "gemini-2.5",
	    "/v1beta/models/gemini-2.5:streamGenerateContent?alt=sse");
	check_target(WIRE_ROUTE_GENERATE, "v1", "a b/c?d",
	    "/v1/models/a%20b/c%3Fd:generateContent");
	check_target(WIRE_ROUTE_RESPONSE, "", "resp_1",
	    "/v1/responses/resp_1?include[]=a.b&stream=true");
	check_target(WIRE_ROUTE_RESPONSE_CANCEL, "", "resp_1",
	    "/v1/responses/resp_1/cancel");
}
END_TEST

START_TEST(test_forward_refuses_a_target_that_is_too_long)
{
	static char name[FORWARD_TARGET_BYTES];
	char buf[FORWARD_TARGET_BYTES];

	memset(name, 'x', sizeof(name) - 1);
	ck_assert_ptr_null(forward_target(
	    wire_route_info(WIRE_ROUTE_GENERATE), &head, span_of("v1"),
	    span_of(name), buf).p);
}
END_TEST

START_TEST(test_status_of_the_operators_troubles_is_not_the_customers)
{
	static const int passed[] = { 400, 404, 413, 422 };
	static const struct {
		int from, to;
	} told[] = { { 401, 502 }, { 402, 502 }, { 403, 502 }, { 408, 504 },
		{ 429, 429 }, { 500, 502 }, { 502, 502 }, { 503, 503 },
		{ 504, 504 }, { 529, 503 }, { 301, 502 }, { 418, 502 } };

	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		ck_assert_int_eq(relay_status_error(passed[i]),
		    WIRE_ERROR_NONE);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		ck_assert_int_eq(wire_error_status(
		    relay_status_error(told[i].from)), told[i].to);
}
END_TEST

START_TEST(test_failures_are_502_or_504)
{
	for (int f = 0; f < UPSTREAM_FAILURES; f++) {
		int status = wire_error_status(
		    relay_failure_error((enum upstream_failure)f));

		ck_assert_int_eq(status, f == UPSTREAM_MEMORY ? 503 :
		    f == UPSTREAM_TIMEOUT_CONNECT ||
		    f == UPSTREAM_TIMEOUT_FIRST_BYTE ||
		    f == UPSTREAM_TIMEOUT_IDLE ||
		    f == UPSTREAM_TIMEOUT_TOTAL ? 504 : 502);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("worker headers");
	TCase *tcase = tcase_create("headers");

	tcase_add_checked_fixture(tcase, clear, NULL);
	tcase_add_test(tcase, test_head_takes_a_key_from_anywhere);
	tcase_add_test(tcase, test_head_takes_no_key_of_another_scheme);
	tcase_add_test(tcase, test_head_knows_json);
	tcase_add_test(tcase, test_head_reads_framing);
	tcase_add_test(tcase, test_forward_sends_what_is_listed_and_no_more);
	tcase_add_test(tcase, test_forward_fits_any_head);
	tcase_add_test(tcase, test_forward_passes_listed_queries_on);
	tcase_add_test(tcase, test_forward_refuses_a_target_that_is_too_long);
	tcase_add_test(tcase,
	    test_status_of_the_operators_troubles_is_not_the_customers);
	tcase_add_test(tcase, test_failures_are_502_or_504);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

/*
 * test_wire_receipt.c: the fee stands in the last usage frame, and nowhere
 * else; all other bytes leave as they came, however the stream is cut.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"
#include "wire/receipt.h"

#define DELTA "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\n"
#define PAID \
	"data: {\"choices\":[],\"usage\":{\"fee\":\"0.5\",\"total_tokens\":7}}\n\n"
#define DONE "data: [DONE]\n\n"

static struct buf out;

/* What has left before the fee is known is in out then. */
static void
feed(struct wire_receipt *r, const char *text, size_t step)
{
	size_t len = strlen(text), n;
	char *copy;

	for (size_t at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		copy = malloc(n);
		memcpy(copy, text + at, n);
		ck_assert(wire_receipt_feed(r, copy, n));
		free(copy);
		ck_assert(wire_receipt_pass(r, &out));
	}
}

static void
expect(const char *text)
{
	ck_assert_uint_eq(out.len, strlen(text));
	ck_assert_mem_eq(out.len > 0 ? buf_head(&out) : "", text, out.len);
}

/* In pieces of all sizes: what leaves before and after the fee is known. */
static void
check(enum wire_route route, enum wire_protocol protocol, const char *text,
    const char *before, const char *after)
{
	struct wire_receipt r;

	for (size_t step = 1; step <= strlen(text); step++) {
		buf_init(&out, 1 << 20);
		wire_receipt_init(&r, route, protocol);
		feed(&r, text, step);
		expect(before);
		ck_assert(wire_receipt_give(&r, "0.5", true, &out));
		expect(after);
		wire_receipt_free(&r);
		buf_free(&out);
	}
}

static void
check_chat(const char *text, const char *before, const char *after)
{
	check(WIRE_ROUTE_CHAT_COMPLETIONS, WIRE_OPENAI, text, before, after);
}

START_TEST(the_usage_frame_gets_it)
{
	check_chat(DELTA USAGE DONE, DELTA, DELTA PAID DONE);
	check_chat(DELTA USAGE, DELTA, DELTA PAID);
	check_chat(DELTA USAGE ": ping\n\n" DONE, DELTA,
	    DELTA PAID ": ping\n\n" DONE);
	check_chat("data: {\"usage\": {}}\n\n", "",
	    "data: {\"usage\": {\"fee\":\"0.5\"}}\n\n");
	check_chat("data:{\"usage\" :\t{\"a\":1}}\r\n\r\n", "",
	    "data:{\"usage\" :\t{\"fee\":\"0.5\",\"a\":1}}\r\n\r\n");
}
END_TEST

START_TEST(only_the_last_of_several_gets_it)
{
	check_chat(USAGE DELTA USAGE DONE, USAGE DELTA,
	    USAGE DELTA PAID DONE);
	check_chat(USAGE USAGE DONE, USAGE, USAGE PAID DONE);
	/* Something came behind it: that one wasn't the last. */
	check_chat(USAGE DELTA DONE, USAGE DELTA DONE,
	    USAGE DELTA DONE ": fee 0.5\n\n");
}
END_TEST

START_TEST(only_a_usage_in_its_place_counts)
{
	static const char *const not[] = {
		"data: {\"usage\":null}\n\n",
		"data: {\"usage\":\"{\"}\n\n",
		"data: {\"a\":{\"usage\":{\"b\":1}}}\n\n",
		"data: {\"a\":[{\"usage\":{\"b\":1}}]}\n\n",
		"data: {\"a\":\"\\\"usage\\\":{\"}\n\n",
		"data: {\"a\\\"usage\":{\"b\":1}}\n\n",
		"data: {\"a\":\"usage\",\"b\":{}}\n\n",
		"data: {\"text\":\"{{{\",\"c\":[]}\n\n",
	};
	char after[200];

	for (size_t i = 0; i < sizeof(not) / sizeof(not[0]); i++) {
		snprintf(after, sizeof(after), "%s: fee 0.5\n\n", not[i]);
		check_chat(not[i], not[i], after);
	}
}
END_TEST

START_TEST(other_protocols_have_it_elsewhere)
{
#define START "event: message_start\ndata: {\"message\":{\"usage\":{\"a\":1}}}\n\n"
#define STOP "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	check(WIRE_ROUTE_MESSAGES, WIRE_ANTHROPIC,
	    START "event: message_delta\ndata: {\"usage\":{\"b\":2}}\n\n" STOP,
	    START, START "event: message_delta\n"
	    "data: {\"usage\":{\"fee\":\"0.5\",\"b\":2}}\n\n" STOP);
	check(WIRE_ROUTE_RESPONSES, WIRE_OPENAI,
	    "data: {\"usage\":{\"a\":1}}\n\n"
	    "data: {\"response\":{\"usage\":{\"b\":2}}}\n\n",
	    "data: {\"usage\":{\"a\":1}}\n\n", "data: {\"usage\":{\"a\":1}}\n\n"
	    "data: {\"response\":{\"usage\":{\"fee\":\"0.5\",\"b\":2}}}\n\n");
#define MORE "data: {\"candidates\":[{}],\"usageMetadata\":{\"a\":1}}\n\n"
	check(WIRE_ROUTE_STREAM_GENERATE, WIRE_GEMINI, MORE
	    "data: {\"candidates\":[{\"finishReason\":\"STOP\"}],"
	    "\"usageMetadata\":{\"a\":2}}\n\n", MORE, MORE
	    "data: {\"candidates\":[{\"finishReason\":\"STOP\"}],"
	    "\"usageMetadata\":{\"fee\":\"0.5\",\"a\":2}}\n\n");
	check(WIRE_ROUTE_SPEECH, WIRE_OPENAI, USAGE, USAGE,
	    USAGE ": fee 0.5\n\n");
}
END_TEST

START_TEST(without_a_fee_all_is_as_it_came)
{
	struct wire_receipt r;

	buf_init(&out, 1 << 20);
	wire_receipt_init(&r, WIRE_ROUTE_CHAT_COMPLETIONS, WIRE_OPENAI);
	feed(&r, DELTA USAGE DONE "data: {\"ha", 5);
	expect(DELTA);
	ck_assert(wire_receipt_give(&r, NULL, false, &out));
	expect(DELTA USAGE DONE "data: {\"ha");
	feed(&r, "lf\"}\n\n" USAGE, 3);
	expect(DELTA USAGE DONE "data: {\"half\"}\n\n" USAGE);
	wire_receipt_free(&r);
	buf_free(&out);
}
END_TEST

START_TEST(what_follows_the_fee_passes)
{
	struct wire_receipt r;

	buf_init(&out, 1 << 20);
	wire_receipt_init(&r, WIRE_ROUTE_CHAT_COMPLETIONS, WIRE_OPENAI);
	/* Settled, and no usage frame yet: it may still come. */
	ck_assert(wire_receipt_give(&r, "0.5", false, &out));
	feed(&r, USAGE, 9);
	expect("");
	ck_assert(wire_receipt_give(&r, "0.5", false, &out));
	feed(&r, DONE USAGE, 4);
	expect(PAID DONE USAGE);
	ck_assert(wire_receipt_give(&r, "0.5", true, &out));
	expect(PAID DONE USAGE);
	wire_receipt_free(&r);
	buf_free(&out);
}
END_TEST

START_TEST(a_frame_that_is_too_long_is_not_kept)
{
	size_t len = 3 * WIRE_RECEIPT_HOLD_BYTES;
	struct wire_receipt r;
	char *text = malloc(len + 1);

	memset(text, 'x', len);
	memcpy(text, "data: {\"usage\":{\"a\":\"", 21);
	strcpy(text + len - 5, "\"}}\n\n");
	buf_init(&out, 1 << 20);
	wire_receipt_init(&r, WIRE_ROUTE_CHAT_COMPLETIONS, WIRE_OPENAI);
	feed(&r, text, 1000);
	expect(text);
	feed(&r, USAGE DONE, 7);
	expect(text);
	ck_assert(wire_receipt_give(&r, "0.5", true, &out));
	ck_assert_uint_eq(out.len, len + strlen(PAID DONE));
	ck_assert_mem_eq(buf_head(&out) + len, PAID DONE, strlen(PAID DONE));
	wire_receipt_free(&r);
	buf_free(&out);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("wire/receipt");
	TCase *t = tcase_create("receipt");

	tcase_add_test(t, the_usage_frame_gets_it);
	tcase_add_test(t, only_the_last_of_several_gets_it);
	tcase_add_test(t, only_a_usage_in_its_place_counts);
	tcase_add_test(t, other_protocols_have_it_elsewhere);
	tcase_add_test(t, without_a_fee_all_is_as_it_came);
	tcase_add_test(t, what_follows_the_fee_passes);
	tcase_add_test(t, a_frame_that_is_too_long_is_not_kept);
	suite_add_tcase(s, t);
	return run_suite(s);
}

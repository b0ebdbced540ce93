/*
 * test_worker_usage.c: from an answer's bytes to what is charged, for every
 * usage that an upstream shouldn't state: never free, never a credit, never
 * beyond what can be, and marked.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"
#include "wire/meter.h"
#include "worker/settle.h"

#define CHAT WIRE_ROUTE_CHAT_COMPLETIONS
#define MESSAGES WIRE_ROUTE_MESSAGES

/* What we know: the request's estimate, and what was asked for. */
#define INPUT 40u
#define CEILING 1000u
/* "0123456789ab" is what the answers say. */
#define PASSED 4u

#define ESTIMATED (USAGE_SEEN | USAGE_ESTIMATED)
#define CLAMPED (USAGE_SEEN | USAGE_CLAMPED)
#define BOTH (ESTIMATED | CLAMPED)

struct row {
	const char *name;
	const char *usage;	/* or, if it is a stream, all of it */
	uint64_t input, output, read;
	uint32_t marks;
};

static struct usage
charged(enum wire_route route, bool streamed, const char *body, size_t step)
{
	struct settle_known known = { .input_tokens = INPUT,
		.ceiling_tokens = CEILING };
	struct wire_meter meter;
	struct usage usage;
	size_t len = strlen(body), at, n;

	wire_meter_init(&meter, route, streamed);
	for (at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		wire_meter_feed(&meter, body + at, n);
	}
	wire_meter_finish(&meter);
	known.output_tokens = (meter.output_bytes_seen + 2) / 3;
	settle_complete_usage(wire_meter_usage(&meter), meter.finished,
	    &known, &usage);
	return usage;
}

static void
check_body(enum wire_route route, bool streamed, const char *body,
    const struct row *row)
{
	struct usage u;
	size_t step;
	int i;

	for (step = 1; step <= strlen(body); step += streamed ? 1 : 7) {
		u = charged(route, streamed, body, step);
		ck_assert_msg(u.count[USAGE_INPUT] == row->input &&
		    u.count[USAGE_OUTPUT] == row->output &&
		    u.count[USAGE_CACHE_READ] == row->read &&
		    u.marks == row->marks, "%s: input %llu output %llu read "
		    "%llu marks %x", row->name,
		    (unsigned long long)u.count[USAGE_INPUT],
		    (unsigned long long)u.count[USAGE_OUTPUT],
		    (unsigned long long)u.count[USAGE_CACHE_READ], u.marks);
		for (i = 0; i < USAGE_SLOTS; i++)
			ck_assert_uint_le(u.count[i], USAGE_COUNT_MAX);
	}
}

#define P "\"prompt_tokens\":"
#define C "\"completion_tokens\":"

static const struct row chat_rows[] = {
	{ "plain", P "7," C "3", 7, 3, 0, USAGE_SEEN },
	{ "floats that are whole", P "7.0," C "3.0e0", 7, 3, 0, USAGE_SEEN },
	{ "an exponent", P "1e3," C "3", 1000, 3, 0, USAGE_SEEN },
	{ "a fraction", P "1.5," C "2.5", 2, 3, 0, CLAMPED },
	{ "negative", P "-7," C "-3", INPUT, PASSED, 0, BOTH },
	{ "negative zero", P "-0," C "-0", INPUT, PASSED, 0, ESTIMATED },
	{ "negative input", P "-7," C "3", INPUT, 3, 0, BOTH },
	{ "negative output", P "7," C "-1", 7, PASSED, 0, BOTH },
	{ "a large negative", P "-1e308," C "-9223372036854775808", INPUT,
	    PASSED, 0, BOTH },
	{ "1e308", P "1e308," C "1e308", USAGE_COUNT_MAX, CEILING, 0,
	    CLAMPED },
	{ "beyond a double", P "1e999," C "1e999", USAGE_COUNT_MAX, CEILING,
	    0, CLAMPED },
	{ "2^63", P "9223372036854775808," C "9223372036854775807",
	    USAGE_COUNT_MAX, CEILING, 0, CLAMPED },
	{ "2^64", P "18446744073709551616," C "18446744073709551617",
	    USAGE_COUNT_MAX, CEILING, 0, CLAMPED },
	{ "strings", P "\"7\"," C "\"12\"", INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "a string as output", P "7," C "\"12\"", 7, PASSED, 0, BOTH },
	{ "booleans", P "true," C "false", INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "objects", P "{}," C "[5]", INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "null", P "null," C "null", INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "null output", P "7," C "null", 7, PASSED, 0, ESTIMATED },
	{ "null input", P "null," C "3", INPUT, 3, 0, ESTIMATED },
	{ "empty", "", INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "zeros", P "0," C "0", INPUT, PASSED, 0, ESTIMATED },
	{ "no output", P "7", 7, PASSED, 0, ESTIMATED },
	{ "no input", C "3", INPUT, 3, 0, ESTIMATED },
	{ "more cached than prompt", P "7," C "3,\"prompt_tokens_details\":"
	    "{\"cached_tokens\":9}", 0, 3, 7, CLAMPED },
	{ "a negative cache", P "7," C "3,\"prompt_tokens_details\":"
	    "{\"cached_tokens\":-9}", 7, 3, 0, CLAMPED },
	{ "the same member twice", P "7," P "7," C "3", 7, 3, 0, USAGE_SEEN },
	{ "another value the second time", P "7," C "3," C "1", 7, 3, 0,
	    CLAMPED },
	{ "a credit the second time", P "7," P "-900," C "3," C "\"0\"", 7, 3,
	    0, CLAMPED },
	{ "a second usage that is smaller", P "7," C "3},\"usage\":{" P "1,"
	    C "1", 7, 3, 0, CLAMPED },
	{ "a second usage that is larger", P "7," C "3},\"usage\":{" P "7,"
	    C "4", 7, 4, 0, USAGE_SEEN },
	{ "a second usage that is null", P "7," C "3},\"usage\":null,\"x\":{",
	    7, 3, 0, USAGE_SEEN },
	{ "a total above its parts", P "7," C "3,\"total_tokens\":900", 7, 3,
	    0, CLAMPED },
	{ "more than was asked for", P "7," C "1001", 7, CEILING, 0, CLAMPED },
};

START_TEST(test_chat_answers_are_charged_as_far_as_possible)
{
	char body[1024];
	size_t i;

	for (i = 0; i < sizeof(chat_rows) / sizeof(chat_rows[0]); i++) {
		snprintf(body, sizeof(body), "{\"choices\":[{\"message\":{"
		    "\"role\":\"assistant\",\"content\":\"0123456789ab\"}}],"
		    "\"usage\":{%s}}", chat_rows[i].usage);
		check_body(CHAT, false, body, &chat_rows[i]);
	}
}
END_TEST

#define SAY(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text \
	"\"}}],\"usage\":null}\n\n"
#define USAGE(p, c) "data: {\"choices\":[],\"usage\":{" P #p "," C #c "}}\n\n"
#define DONE "data: [DONE]\n\n"

static const struct row chat_streams[] = {
	{ "plain", SAY("0123456789ab") USAGE(7, 3) DONE, 7, 3, 0,
	    USAGE_SEEN },
	{ "in the first frame only", USAGE(7, 0) SAY("0123456789ab") DONE, 7,
	    PASSED, 0, ESTIMATED },
	{ "in the first frame, with a start", USAGE(7, 1) SAY("0123456789ab")
	    DONE, 7, PASSED, 0, ESTIMATED },
	{ "in the first frame, and enough", USAGE(7, 9) SAY("0123456789ab")
	    DONE, 7, 9, 0, USAGE_SEEN },
	{ "repeated", SAY("0123456789ab") USAGE(7, 3) USAGE(7, 3) DONE, 7, 3,
	    0, USAGE_SEEN },
	{ "growing", SAY("012345") USAGE(7, 1) SAY("6789ab") USAGE(7, 3) DONE,
	    7, 3, 0, USAGE_SEEN },
	{ "shrinking", SAY("0123456789ab") USAGE(7, 3) USAGE(7, 1) DONE, 7, 3,
	    0, CLAMPED },
	{ "taken back", SAY("0123456789ab") USAGE(7, 3) USAGE(0, 0) DONE, 7,
	    3, 0, CLAMPED },
	{ "negative at last", SAY("0123456789ab") USAGE(7, 3) USAGE(-7, -3)
	    DONE, 7, 3, 0, CLAMPED },
	{ "after the end", SAY("0123456789ab") DONE USAGE(7, 3), INPUT,
	    PASSED, 0, USAGE_ESTIMATED },
	{ "never", SAY("0123456789ab") DONE, INPUT, PASSED, 0,
	    USAGE_ESTIMATED },
	{ "never, and cut", SAY("0123456789ab"), INPUT, PASSED, 0,
	    USAGE_ESTIMATED },
	{ "no answer at all", DONE, INPUT, 0, 0, USAGE_ESTIMATED },
	{ "with an error", "data: {\"error\":{\"message\":\"no\"},\"usage\":{"
	    P "7," C "0}}\n\n" DONE, 7, 0, 0, USAGE_SEEN },
	{ "absurd", SAY("0123456789ab") USAGE(1e308, 1e308) DONE,
	    USAGE_COUNT_MAX, CEILING, 0, CLAMPED },
};

START_TEST(test_chat_streams_are_charged_as_far_as_possible)
{
	size_t i;

	for (i = 0; i < sizeof(chat_streams) / sizeof(chat_streams[0]); i++)
		check_body(CHAT, true, chat_streams[i].usage,
		    &chat_streams[i]);
}
END_TEST

#define I "\"input_tokens\":"
#define O "\"output_tokens\":"

static const struct row message_rows[] = {
	{ "plain", I "7," O "3", 7, 3, 0, USAGE_SEEN },
	{ "negative", I "-7," O "-3", INPUT, PASSED, 0, BOTH },
	{ "negative cache", I "7," O "3,\"cache_read_input_tokens\":-7", 7, 3,
	    0, CLAMPED },
	{ "all from a cache", I "0," O "3,\"cache_read_input_tokens\":7", 0,
	    3, 7, USAGE_SEEN },
	{ "1e308", I "1e308," O "1e308", USAGE_COUNT_MAX, CEILING, 0,
	    CLAMPED },
	{ "2^63", I "9223372036854775808," O "3", USAGE_COUNT_MAX, 3, 0,
	    CLAMPED },
	{ "2^64", I "18446744073709551616," O "3", USAGE_COUNT_MAX, 3, 0,
	    CLAMPED },
	{ "strings", I "\"7\"," O "\"12\"", INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "null", I "null," O "null", INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "floats", I "1.0," O "1e2", 1, 100, 0, USAGE_SEEN },
	{ "a fraction", I "1.5," O "3", 2, 3, 0, CLAMPED },
	{ "empty", "", INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "zeros", I "0," O "0", INPUT, PASSED, 0, ESTIMATED },
	{ "another value the second time", I "7," O "3," O "1", 7, 3, 0,
	    CLAMPED },
	{ "more than was asked for", I "7," O "1001", 7, CEILING, 0, CLAMPED },
};

START_TEST(test_messages_are_charged_as_far_as_possible)
{
	char body[1024];
	size_t i;

	for (i = 0; i < sizeof(message_rows) / sizeof(message_rows[0]); i++) {
		snprintf(body, sizeof(body), "{\"type\":\"message\","
		    "\"content\":[{\"type\":\"text\",\"text\":\"0123456789ab\""
		    "}],\"usage\":{%s}}", message_rows[i].usage);
		check_body(MESSAGES, false, body, &message_rows[i]);
	}
}
END_TEST

#define START(usage) "event: message_start\ndata: {\"type\":" \
	"\"message_start\",\"message\":{\"usage\":{" usage "}}}\n\n"
#define TEXT(text) "event: content_block_delta\ndata: {\"type\":" \
	"\"content_block_delta\",\"delta\":{\"type\":\"text_delta\"," \
	"\"text\":\"" text "\"}}\n\n"
#define DELTA(usage) "event: message_delta\ndata: {\"type\":" \
	"\"message_delta\",\"delta\":{},\"usage\":{" usage "}}\n\n"
#define STOP "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

static const struct row message_streams[] = {
	{ "plain", START(I "7," O "1") TEXT("0123456789ab") DELTA(O "3") STOP,
	    7, 3, 0, USAGE_SEEN },
	{ "in the first frame only", START(I "7," O "1") TEXT("0123456789ab")
	    STOP, 7, PASSED, 0, ESTIMATED },
	{ "shrinking", START(I "7," O "1") TEXT("0123456789ab") DELTA(O "3")
	    DELTA(O "2") STOP, 7, 3, 0, CLAMPED },
	{ "taken back", START(I "7," O "1") TEXT("0123456789ab") DELTA(O "3")
	    DELTA(I "0," O "0") STOP, INPUT, 3, 0, BOTH },
	{ "negative at last", START(I "7," O "1") TEXT("0123456789ab")
	    DELTA(O "-3") STOP, 7, PASSED, 0, BOTH },
	{ "repeated", START(I "7," O "1") TEXT("0123456789ab") DELTA(O "3")
	    DELTA(O "3") STOP, 7, 3, 0, USAGE_SEEN },
	{ "after the end", START("") TEXT("0123456789ab") STOP
	    DELTA(I "7," O "3"), INPUT, PASSED, 0, USAGE_ESTIMATED },
	{ "never", TEXT("0123456789ab") STOP, INPUT, PASSED, 0,
	    USAGE_ESTIMATED },
	{ "absurd", START(I "1e308") TEXT("0123456789ab") DELTA(O "1e308")
	    STOP, USAGE_COUNT_MAX, CEILING, 0, CLAMPED },
};

START_TEST(test_message_streams_are_charged_as_far_as_possible)
{
	size_t i;

	for (i = 0; i < sizeof(message_streams) / sizeof(message_streams[0]);
	    i++)
		check_body(MESSAGES, true, message_streams[i].usage,
		    &message_streams[i]);
}
END_TEST

START_TEST(test_an_empty_body_costs_what_was_sent)
{
	static const struct row empty = { "empty", "", INPUT, 0, 0,
		USAGE_ESTIMATED };
	struct usage u = charged(CHAT, false, "", 1);

	ck_assert_uint_eq(u.count[USAGE_INPUT], empty.input);
	ck_assert_uint_eq(u.count[USAGE_OUTPUT], empty.output);
	ck_assert_uint_eq(u.marks, empty.marks);
	check_body(CHAT, false, "<html>", &empty);
	check_body(MESSAGES, false, "{\"error\":{}}", &empty);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("worker usage");
	TCase *tcase = tcase_create("usage");

	tcase_add_test(tcase,
	    test_chat_answers_are_charged_as_far_as_possible);
	tcase_add_test(tcase,
	    test_chat_streams_are_charged_as_far_as_possible);
	tcase_add_test(tcase, test_messages_are_charged_as_far_as_possible);
	tcase_add_test(tcase,
	    test_message_streams_are_charged_as_far_as_possible);
	tcase_add_test(tcase, test_an_empty_body_costs_what_was_sent);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

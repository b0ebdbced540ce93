/*
 * test_wire_meter.c: usage of chat completions and messages, in pieces of
 * every size.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"
#include "wire/estimate.h"
#include "wire/meter.h"

#define CHAT WIRE_ROUTE_CHAT_COMPLETIONS
#define MESSAGES WIRE_ROUTE_MESSAGES

struct expected {
	uint64_t input, output, read, write_5m, write_1h, reasoning;
	uint32_t marks;
};

static struct wire_meter meter;

static void
read_steps(enum wire_route route, bool streamed, const char *body, size_t step)
{
	size_t len = strlen(body), at, n;

	wire_meter_init(&meter, route, streamed);
	for (at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		wire_meter_feed(&meter, body + at, n);
	}
	wire_meter_finish(&meter);
}

static void
check_usage(enum wire_route route, bool streamed, const char *body,
    struct expected e)
{
	const struct usage *u;
	size_t step;

	for (step = 1; step <= strlen(body); step++) {
		read_steps(route, streamed, body, step);
		u = wire_meter_usage(&meter);
		ck_assert_uint_eq(u->count[USAGE_INPUT], e.input);
		ck_assert_uint_eq(u->count[USAGE_OUTPUT], e.output);
		ck_assert_uint_eq(u->count[USAGE_CACHE_READ], e.read);
		ck_assert_uint_eq(u->count[USAGE_CACHE_WRITE_5M], e.write_5m);
		ck_assert_uint_eq(u->count[USAGE_CACHE_WRITE_1H], e.write_1h);
		ck_assert_uint_eq(u->reasoning, e.reasoning);
		ck_assert_uint_eq(u->marks, e.marks);
	}
}

static void
check_chat(const char *usage, struct expected e)
{
	char body[1024];

	snprintf(body, sizeof(body), "{\"choices\":[{\"message\":{\"role\":"
	    "\"assistant\",\"content\":\"hi\"}}],%s}", usage);
	check_usage(CHAT, false, body, e);
	ck_assert(meter.finished);
	ck_assert_uint_eq(meter.output_bytes_seen, 2);
}

START_TEST(test_chat_makes_dimensions_disjoint)
{
	check_chat("\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20,"
	    "\"total_tokens\":120,\"prompt_tokens_details\":{\"cached_tokens\":"
	    "30,\"cache_write_tokens\":10,\"audio_tokens\":0},"
	    "\"completion_tokens_details\":{\"reasoning_tokens\":15}}",
	    (struct expected){ .input = 60, .output = 20, .read = 30,
	    .write_5m = 10, .reasoning = 15, .marks = USAGE_SEEN });
	check_chat("\"service_tier\":\"flex\",\"usage\":{\"prompt_tokens\":7,"
	    "\"completion_tokens\":0,\"prompt_tokens_details\":null}",
	    (struct expected){ .input = 7, .marks = USAGE_SEEN });
	ck_assert_uint_eq(wire_meter_usage(&meter)->tier, TIER_FLEX);
}
END_TEST

START_TEST(test_chat_reads_the_dialects)
{
	struct expected e = { .input = 19, .output = 5, .read = 320,
		.marks = USAGE_SEEN };

	check_chat("\"usage\":{\"prompt_tokens\":339,\"completion_tokens\":5,"
	    "\"prompt_cache_hit_tokens\":320,\"prompt_cache_miss_tokens\":19}",
	    e);
	check_chat("\"usage\":{\"prompt_tokens\":339,\"completion_tokens\":5,"
	    "\"cached_tokens\":320}", e);
	check_chat("\"usage\":{\"prompt_tokens\":339,\"completion_tokens\":5,"
	    "\"num_cached_tokens\":320,\"prompt_tokens_details\":"
	    "{\"cached_tokens\":0}}", e);
	check_chat("\"x_groq\":{\"id\":\"r\",\"usage\":{\"prompt_tokens\":339,"
	    "\"completion_tokens\":5,\"cached_tokens\":320,\"queue_time\":"
	    "0.5}}", e);
	/* xAI: reasoning is beside the completion. */
	check_chat("\"usage\":{\"prompt_tokens\":307,\"completion_tokens\":26,"
	    "\"total_tokens\":588,\"completion_tokens_details\":"
	    "{\"reasoning_tokens\":255}}", (struct expected){ .input = 307,
	    .output = 281, .reasoning = 255, .marks = USAGE_SEEN });
}
END_TEST

START_TEST(test_chat_clamps_what_is_impossible)
{
	const uint32_t clamped = USAGE_SEEN | USAGE_CLAMPED;

	check_chat("\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":2}",
	    (struct expected){ .output = 2, .marks = clamped });
	check_chat("\"usage\":{\"prompt_tokens\":5,"
	    "\"completion_tokens\":9e99}", (struct expected){ .input = 5,
	    .output = USAGE_COUNT_MAX, .marks = clamped });
	check_chat("\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
	    "\"prompt_tokens_details\":{\"cached_tokens\":4,"
	    "\"cache_write_tokens\":4}}", (struct expected){ .output = 2,
	    .read = 4, .write_5m = 1, .marks = clamped });
	check_chat("\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
	    "\"completion_tokens_details\":{\"reasoning_tokens\":3}}",
	    (struct expected){ .input = 5, .output = 2, .reasoning = 2,
	    .marks = clamped });
	check_chat("\"usage\":{\"prompt_tokens\":1.5,"
	    "\"completion_tokens\":2.0}",
	    (struct expected){ .input = 2, .output = 2, .marks = clamped });
	check_chat("\"usage\":{\"prompt_tokens\":\"5\",\"completion_tokens\":"
	    "2}", (struct expected){ .output = 2, .marks = clamped });
	check_chat("\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
	    "\"total_tokens\":99}", (struct expected){ .input = 5,
	    .output = 2, .marks = clamped });
}
END_TEST

START_TEST(test_chat_without_usage_is_not_seen)
{
	check_chat("\"usage\":null", (struct expected){ .marks = 0 });
	check_chat("\"usage\":{}", (struct expected){ .marks = 0 });
	check_chat("\"usage\":{\"total_tokens\":5}",
	    (struct expected){ .marks = 0 });
	check_chat("\"usage\":{\"prompt_tokens\":5}", (struct expected){
	    .input = 5, .output = 1, .marks = USAGE_SEEN | USAGE_ESTIMATED });
}
END_TEST

START_TEST(test_chat_marks_tokens_that_nobody_knows)
{
	check_chat("\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
	    "\"hologram_tokens\":0,\"queue_time\":3,\"cost\":1}",
	    (struct expected){ .input = 5, .output = 2, .marks = USAGE_SEEN });
	check_chat("\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
	    "\"prompt_tokens_details\":{\"hologram_tokens\":1}}",
	    (struct expected){ .input = 5, .output = 2,
	    .marks = USAGE_SEEN | USAGE_UNKNOWN_FIELD });
}
END_TEST

#define CHUNK(text) "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"," \
	"\"content\":\"" text "\"}}],\"usage\":null}\n\n"
#define CHAT_USAGE(in, out) "data: {\"choices\":[],\"usage\":" \
	"{\"prompt_tokens\":" #in ",\"completion_tokens\":" #out "}}\n\n"

START_TEST(test_chat_stream_takes_the_last_usage)
{
	check_usage(CHAT, true, CHUNK("abc") CHAT_USAGE(9, 1) CHUNK("de")
	    CHAT_USAGE(9, 4) "data: [DONE]\n\n",
	    (struct expected){ .input = 9, .output = 4, .marks = USAGE_SEEN });
	ck_assert(meter.finished && !meter.error_seen && !meter.malformed);
	ck_assert_uint_eq(meter.output_bytes_seen, 5);
	/* Moonshot: within the choice. */
	check_usage(CHAT, true, "data: {\"choices\":[{\"delta\":{},\"usage\":"
	    "{\"prompt_tokens\":8,\"completion_tokens\":3,\"cached_tokens\":"
	    "2}}]}\r\n\r\n", (struct expected){ .input = 6, .output = 3,
	    .read = 2, .marks = USAGE_SEEN });
	ck_assert(!meter.finished);
}
END_TEST

START_TEST(test_chat_stream_sees_errors_and_rubbish)
{
	check_usage(CHAT, true, CHUNK("abc") "data: {\"error\":{\"message\":"
	    "\"no\"}}\n\n", (struct expected){ .marks = 0 });
	ck_assert(meter.error_seen && !meter.finished && !meter.malformed);
	check_usage(CHAT, true, "data: {\"error\":null,\"choices\":[]}\n\n"
	    "data: <html>\n\n" CHAT_USAGE(9, 4) "data: [DONE]",
	    (struct expected){ .input = 9, .output = 4, .marks = USAGE_SEEN });
	ck_assert(!meter.error_seen && meter.malformed && meter.finished);
	check_usage(CHAT, true, CHUNK("abc") "data: [DON\n\n",
	    (struct expected){ .marks = 0 });
	ck_assert(meter.malformed && !meter.finished);
	check_usage(CHAT, true, CHUNK("abc") "data: [DONE]]\n\n",
	    (struct expected){ .marks = 0 });
	ck_assert(meter.malformed && !meter.finished);
}
END_TEST

START_TEST(test_stream_knows_whether_a_frame_is_open)
{
	wire_meter_init(&meter, CHAT, true);
	ck_assert(!wire_meter_frame_open(&meter));
	wire_meter_feed(&meter, "data: {\"ch", 10);
	ck_assert(wire_meter_frame_open(&meter));
	wire_meter_feed(&meter, "oices\":[]}\n\n", 12);
	ck_assert(!wire_meter_frame_open(&meter));
}
END_TEST

#define START(usage) "event: message_start\n" \
	"data: {\"type\":\"message_start\",\"message\":{\"content\":[]," \
	"\"usage\":{" usage "}}}\n\n"
#define TEXT(text) "event: content_block_delta\ndata: {\"type\":" \
	"\"content_block_delta\",\"delta\":{\"type\":\"text_delta\"," \
	"\"text\":\"" text "\"}}\n\n"
#define DELTA(usage) "event: message_delta\n" \
	"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":" \
	"\"end_turn\"},\"usage\":{" usage "}}\n\n"
#define STOP "event: message_stop\ndata: {\"type\":\"message_stop\"   }\n\n"

START_TEST(test_messages_reads_a_document)
{
	check_usage(MESSAGES, false, "{\"type\":\"message\",\"content\":[{"
	    "\"type\":\"text\",\"text\":\"four\"},{\"type\":\"tool_use\","
	    "\"input\":{\"a\":\"bc\"}}],\"usage\":{\"input_tokens\":2,"
	    "\"cache_read_input_tokens\":1590,\"cache_creation_input_tokens\":"
	    "30,\"cache_creation\":{\"ephemeral_5m_input_tokens\":10,"
	    "\"ephemeral_1h_input_tokens\":20},\"output_tokens\":44,"
	    "\"output_tokens_details\":{\"thinking_tokens\":40},"
	    "\"service_tier\":\"standard\"}}",
	    (struct expected){ .input = 2, .output = 44, .read = 1590,
	    .write_5m = 10, .write_1h = 20, .reasoning = 40,
	    .marks = USAGE_SEEN });
	ck_assert(meter.finished);
	ck_assert_uint_eq(wire_meter_usage(&meter)->tier, TIER_STANDARD);
	ck_assert_uint_eq(meter.output_bytes_seen, 6);
}
END_TEST

START_TEST(test_messages_delta_replaces_what_it_carries)
{
	check_usage(MESSAGES, true, START("\"input_tokens\":2037,"
	    "\"cache_read_input_tokens\":5,\"output_tokens\":1") TEXT("abcd")
	    DELTA("\"input_tokens\":15665,\"cache_read_input_tokens\":null,"
	    "\"output_tokens\":10") DELTA("\"output_tokens\":41") STOP,
	    (struct expected){ .input = 15665, .output = 41, .read = 5,
	    .marks = USAGE_SEEN });
	ck_assert(meter.finished && !meter.malformed);
	ck_assert_uint_eq(meter.output_bytes_seen, 4);
}
END_TEST

START_TEST(test_messages_splits_cache_writes)
{
	struct expected e = { .input = 1, .output = 2, .marks = USAGE_SEEN };

	/* No split: the default lifetime. */
	e.write_5m = 9;
	check_usage(MESSAGES, true, START("\"input_tokens\":1,"
	    "\"cache_creation_input_tokens\":9") DELTA("\"output_tokens\":2")
	    STOP, e);
	/* A newer total without a split: the lifetime seen before. */
	e.write_5m = 0;
	e.write_1h = 12;
	check_usage(MESSAGES, true, START("\"input_tokens\":1,"
	    "\"cache_creation_input_tokens\":9,\"cache_creation\":"
	    "{\"ephemeral_1h_input_tokens\":9}")
	    DELTA("\"output_tokens\":2,\"cache_creation_input_tokens\":12")
	    STOP, e);
	/* A split alone. */
	e.write_5m = 3;
	e.write_1h = 4;
	check_usage(MESSAGES, true, START("\"input_tokens\":1,"
	    "\"cache_creation\":{\"ephemeral_1h_input_tokens\":4,"
	    "\"ephemeral_5m_input_tokens\":3}") DELTA("\"output_tokens\":2")
	    STOP, e);
	/* A contradiction: the total counts. */
	e.write_5m = 1;
	e.write_1h = 4;
	e.marks |= USAGE_CLAMPED;
	check_usage(MESSAGES, true, START("\"input_tokens\":1,"
	    "\"cache_creation_input_tokens\":5,\"cache_creation\":"
	    "{\"ephemeral_1h_input_tokens\":4,\"ephemeral_5m_input_tokens\":3}")
	    DELTA("\"output_tokens\":2") STOP, e);
}
END_TEST

START_TEST(test_messages_adds_compactions_and_models_without_name)
{
	check_usage(MESSAGES, true, START("\"input_tokens\":60385")
	    DELTA("\"input_tokens\":612,\"output_tokens\":8,\"iterations\":["
	    "{\"input_tokens\":60385,\"output_tokens\":522,"
	    "\"cache_read_input_tokens\":7,\"type\":\"compaction\"},"
	    "{\"type\":\"message\",\"input_tokens\":612,\"output_tokens\":8}]")
	    STOP, (struct expected){ .input = 60997, .output = 530, .read = 7,
	    .marks = USAGE_SEEN });
	check_usage(MESSAGES, false, "{\"usage\":{\"input_tokens\":5,"
	    "\"output_tokens\":6,\"iterations\":[{\"type\":"
	    "\"advisor_message\",\"input_tokens\":900}]}}",
	    (struct expected){ .input = 905, .output = 6,
	    .marks = USAGE_SEEN | USAGE_UNKNOWN_FIELD });
}
END_TEST

START_TEST(test_messages_estimates_the_output_of_a_cut_stream)
{
	check_usage(MESSAGES, true, START("\"input_tokens\":5,"
	    "\"output_tokens\":1") TEXT("0123456789") TEXT("01234"),
	    (struct expected){ .input = 5, .output = 5,
	    .marks = USAGE_SEEN | USAGE_ESTIMATED });
	ck_assert(!meter.finished);
	check_usage(MESSAGES, true, "event: ping\ndata: {\"type\":\"ping\"}\n\n"
	    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
	    "\"overloaded_error\"}}\n\n", (struct expected){ .marks = 0 });
	ck_assert(meter.error_seen);
}
END_TEST

START_TEST(test_document_that_is_cut_is_malformed)
{
	read_steps(CHAT, false, "{\"usage\":{\"prompt_tokens\":5,", 3);
	ck_assert(meter.malformed && !meter.finished);
	ck_assert_uint_eq(wire_meter_usage(&meter)->marks, 0);
	read_steps(CHAT, false, "{\"usage\":{\"prompt_tokens\":5}} x", 3);
	ck_assert(meter.malformed && !meter.finished);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire/meter");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_chat_makes_dimensions_disjoint);
	tcase_add_test(tcase, test_chat_reads_the_dialects);
	tcase_add_test(tcase, test_chat_clamps_what_is_impossible);
	tcase_add_test(tcase, test_chat_without_usage_is_not_seen);
	tcase_add_test(tcase, test_chat_marks_tokens_that_nobody_knows);
	tcase_add_test(tcase, test_chat_stream_takes_the_last_usage);
	tcase_add_test(tcase, test_chat_stream_sees_errors_and_rubbish);
	tcase_add_test(tcase, test_stream_knows_whether_a_frame_is_open);
	tcase_add_test(tcase, test_messages_reads_a_document);
	tcase_add_test(tcase, test_messages_delta_replaces_what_it_carries);
	tcase_add_test(tcase, test_messages_splits_cache_writes);
	tcase_add_test(tcase,
	    test_messages_adds_compactions_and_models_without_name);
	tcase_add_test(tcase,
	    test_messages_estimates_the_output_of_a_cut_stream);
	tcase_add_test(tcase, test_document_that_is_cut_is_malformed);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

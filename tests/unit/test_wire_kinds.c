/*
 * test_wire_kinds.c: the usage of every kind of answer, in pieces of every
 * size.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"
#include "wire/meter.h"

static struct wire_meter meter;
static const struct usage *usage;

/* What is not named is 0. */
struct want {
	uint64_t input, output, read, write_5m, write_1h;
	uint64_t in_audio, out_audio, in_image, out_image, read_audio;
	uint64_t images, calls, ms, tools, reasoning;
	uint32_t marks;			/* beside USAGE_SEEN */
};

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
	usage = wire_meter_usage(&meter);
}

static void
check_counts(const struct want *want)
{
	const uint64_t *count = usage->count;

	ck_assert_uint_eq(count[USAGE_INPUT], want->input);
	ck_assert_uint_eq(count[USAGE_OUTPUT], want->output);
	ck_assert_uint_eq(count[USAGE_CACHE_READ], want->read);
	ck_assert_uint_eq(count[USAGE_CACHE_WRITE_5M], want->write_5m);
	ck_assert_uint_eq(count[USAGE_CACHE_WRITE_1H], want->write_1h);
	ck_assert_uint_eq(count[USAGE_INPUT_AUDIO], want->in_audio);
	ck_assert_uint_eq(count[USAGE_OUTPUT_AUDIO], want->out_audio);
	ck_assert_uint_eq(count[USAGE_INPUT_IMAGE], want->in_image);
	ck_assert_uint_eq(count[USAGE_OUTPUT_IMAGE], want->out_image);
	ck_assert_uint_eq(count[USAGE_CACHE_READ_AUDIO], want->read_audio);
	ck_assert_uint_eq(count[USAGE_IMAGES], want->images);
	ck_assert_uint_eq(count[USAGE_CALLS], want->calls);
	ck_assert_uint_eq(count[USAGE_MILLISECONDS], want->ms);
	ck_assert_uint_eq(count[USAGE_TOOL_CALLS], want->tools);
	ck_assert_uint_eq(count[USAGE_CHARACTERS], 0);
	ck_assert_uint_eq(usage->reasoning, want->reasoning);
	ck_assert_uint_eq(usage->marks, USAGE_SEEN | want->marks);
}

/* The last reading, of one piece, is left for more to be asked. */
static void
check(enum wire_route route, bool streamed, const char *body, struct want want)
{
	size_t step;

	for (step = 1; step <= strlen(body); step++) {
		read_steps(route, streamed, body, step);
		check_counts(&want);
		ck_assert(!meter.malformed);
	}
}

START_TEST(test_chat_tells_audio_and_images_apart)
{
	check(WIRE_ROUTE_CHAT_COMPLETIONS, false, "{\"usage\":{"
	    "\"prompt_tokens\":100,\"completion_tokens\":50,"
	    "\"prompt_tokens_details\":{\"audio_tokens\":30,\"image_tokens\":"
	    "20,\"cached_tokens\":60},\"completion_tokens_details\":{"
	    "\"audio_tokens\":40,\"reasoning_tokens\":5}}}",
	    /* text is taken to be cached first, then images, then audio */
	    (struct want){ .in_audio = 30, .in_image = 10, .read = 60,
	    .output = 10, .out_audio = 40, .reasoning = 5 });
}
END_TEST

START_TEST(test_chat_reads_what_proxies_call_it)
{
	check(WIRE_ROUTE_CHAT_COMPLETIONS, false, "{\"usage\":{"
	    "\"prompt_tokens\":100,\"completion_tokens\":5,\"total_tokens\":"
	    "105,\"cache_read_input_tokens\":40,"
	    "\"cache_creation_input_tokens\":30,\"prompt_tokens_details\":{"
	    "\"cached_tokens\":40,\"cache_creation_tokens\":30},"
	    "\"prompt_audio_seconds\":3}}", (struct want){ .input = 30,
	    .read = 40, .write_5m = 30, .output = 5, .ms = 3000 });
}
END_TEST

START_TEST(test_completions_count_their_text)
{
	read_steps(WIRE_ROUTE_COMPLETIONS, true,
	    "data: {\"choices\":[{\"text\":\"abcdef\"}],\"usage\":null}\n\n"
	    "data: [DONE]\n\n", 3);
	ck_assert_uint_eq(meter.output_bytes_seen, 6);
	ck_assert_uint_eq(usage->marks, 0);
	check(WIRE_ROUTE_COMPLETIONS, false, "{\"choices\":[{\"text\":\"x\"}],"
	    "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":512,"
	    "\"total_tokens\":522}}", (struct want){ .input = 10,
	    .output = 512 });
}
END_TEST

#define RESPONSE_USAGE "\"usage\":{\"input_tokens\":1000," \
	"\"input_tokens_details\":{\"cached_tokens\":600," \
	"\"cache_write_tokens\":300,\"cache_write_tokens_details\":" \
	"{\"ttl_30m_tokens\":200,\"ttl_12h_tokens\":100}}," \
	"\"output_tokens\":70,\"output_tokens_details\":" \
	"{\"reasoning_tokens\":64},\"total_tokens\":1070}"

START_TEST(test_responses_reads_a_document)
{
	struct want want = { .input = 100, .output = 70, .read = 600,
		.write_5m = 200, .write_1h = 100, .reasoning = 64 };

	check(WIRE_ROUTE_RESPONSES, false, "{\"id\":\"resp_1\",\"status\":"
	    "\"completed\",\"service_tier\":\"priority\",\"output\":[{\"type\":"
	    "\"message\",\"content\":[{\"type\":\"output_text\",\"text\":"
	    "\"usage\\\":{\"}]}]," RESPONSE_USAGE "}", want);
	ck_assert_str_eq(meter.id, "resp_1");
	ck_assert_uint_eq(usage->tier, TIER_PRIORITY);
	ck_assert(meter.finished && !meter.pending);
	ck_assert_uint_eq(meter.output_bytes_seen, 8);
}
END_TEST

START_TEST(test_responses_counts_what_tools_cost)
{
	check(WIRE_ROUTE_RESPONSES, false, "{\"output\":[{\"type\":"
	    "\"web_search_call\"},{\"type\":\"file_search_call\"},{\"type\":"
	    "\"web_search_call\"}],\"usage\":{\"input_tokens\":1,"
	    "\"output_tokens\":2}}", (struct want){ .input = 1, .output = 2,
	    .tools = 3 });
	check(WIRE_ROUTE_RESPONSES, false, "{\"tool_usage\":{\"image_gen\":{"
	    "\"input_tokens\":9,\"output_tokens\":1056},\"web_search\":{"
	    "\"num_requests\":5}},\"output\":[{\"type\":\"web_search_call\"}],"
	    "\"usage\":{\"output_tokens\":2,\"input_tokens\":1}}",
	    (struct want){ .input = 1, .output = 2, .tools = 5, .in_image = 9,
	    .out_image = 1056 });
	check(WIRE_ROUTE_RESPONSES, false, "{\"usage\":{\"input_tokens\":1,"
	    "\"output_tokens\":2,\"num_server_side_tools_used\":9,"
	    "\"server_side_tool_usage_details\":{\"web_search_calls\":2,"
	    "\"x_search_calls\":1,\"mcp_calls\":6}}}",
	    (struct want){ .input = 1, .output = 2, .tools = 3 });
}
END_TEST

START_TEST(test_responses_stream_ends_with_its_last_event)
{
	struct want want = { .input = 100, .output = 70, .read = 600,
		.write_5m = 200, .write_1h = 100, .reasoning = 64 };

	/* The type may come last, lines may end with CRLF. */
	check(WIRE_ROUTE_RESPONSES, true, "event: response.created\r\n"
	    "data: {\"type\":\"response.created\",\"response\":{\"id\":"
	    "\"resp_2\",\"status\":\"in_progress\",\"usage\":null}}\r\n\r\n"
	    "data: {\"delta\":\"abc\",\"item_id\":\"msg\",\"type\":"
	    "\"response.output_text.delta\"}\r\n\r\n"
	    "data: {\"response\":{\"output\":[{\"content\":[{\"text\":\"abc\"}]"
	    "}],\"status\":\"completed\"," RESPONSE_USAGE "},\"type\":"
	    "\"response.completed\"}\r\n\r\n", want);
	ck_assert(meter.finished && !meter.pending);
	ck_assert_str_eq(meter.id, "resp_2");
	ck_assert_uint_eq(meter.output_bytes_seen, 3);
	read_steps(WIRE_ROUTE_RESPONSES, true, "data: {\"type\":"
	    "\"response.created\",\"response\":{\"status\":\"queued\"}}\n\n",
	    5);
	ck_assert(!meter.finished && meter.pending && usage->marks == 0);
}
END_TEST

START_TEST(test_responses_in_the_background_are_pending)
{
	read_steps(WIRE_ROUTE_RESPONSES, false, "{\"usage\":null,\"status\":"
	    "\"queued\",\"id\":\"resp_3\",\"background\":true}", 1);
	ck_assert(meter.pending && usage->marks == 0);
	ck_assert_str_eq(meter.id, "resp_3");
}
END_TEST

START_TEST(test_embeddings_and_rankings_read_what_was_read)
{
	check(WIRE_ROUTE_EMBEDDINGS, false, "{\"data\":[{\"embedding\":[0.1,"
	    "-2]}],\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8}}",
	    (struct want){ .input = 8 });
	check(WIRE_ROUTE_EMBEDDINGS, false, "{\"usage\":{\"total_tokens\":18}}",
	    (struct want){ .input = 18 });
	check(WIRE_ROUTE_RERANK, false, "{\"results\":[{\"index\":0}],\"usage\""
	    ":{\"total_tokens\":815}}", (struct want){ .input = 815 });
	check(WIRE_ROUTE_RERANK, false, "{\"meta\":{\"billed_units\":{"
	    "\"search_units\":2}}}", (struct want){ .calls = 2 });
	check(WIRE_ROUTE_MODERATIONS, false, "{\"usage\":{\"prompt_tokens\":4,"
	    "\"completion_tokens\":0,\"total_tokens\":4}}",
	    (struct want){ .input = 4 });
}
END_TEST

START_TEST(test_images_are_counted_and_measured)
{
	check(WIRE_ROUTE_IMAGES, false, "{\"created\":1,\"data\":[{\"url\":"
	    "\"u\"},{\"b64_json\":\"eA==\"}]}", (struct want){ .images = 2 });
	check(WIRE_ROUTE_IMAGES, false, "{\"size\":\"1024x1536\",\"quality\":"
	    "\"high\",\"data\":[{}],\"usage\":{\"input_tokens\":50,"
	    "\"input_tokens_details\":{\"text_tokens\":10,\"image_tokens\":40},"
	    "\"output_tokens\":6208,\"total_tokens\":6258}}",
	    (struct want){ .images = 1, .input = 10, .in_image = 40,
	    .out_image = 6208 });
	ck_assert_uint_eq(usage->image_width, 1024);
	ck_assert_uint_eq(usage->image_height, 1536);
	ck_assert_uint_eq(usage->image_quality, IMAGE_QUALITY_HIGH);
	check(WIRE_ROUTE_IMAGE_EDITS, true, "event: x\ndata: {\"type\":"
	    "\"image_edit.partial_image\",\"b64_json\":\"eA==\"}\n\n"
	    "data: {\"type\":\"image_edit.completed\",\"b64_json\":\"eA==\","
	    "\"usage\":{\"input_tokens\":5,\"output_tokens\":100}}\n\n"
	    "data: {\"usage\":{\"input_tokens\":5,\"output_tokens\":100},"
	    "\"type\":\"image_edit.completed\"}\n\n",
	    (struct want){ .images = 2, .input = 10, .out_image = 200 });
}
END_TEST

START_TEST(test_transcriptions_state_tokens_or_time)
{
	check(WIRE_ROUTE_TRANSCRIPTIONS, false, "{\"text\":\"hi\",\"usage\":{"
	    "\"type\":\"tokens\",\"input_tokens\":14,\"input_token_details\":{"
	    "\"text_tokens\":4,\"audio_tokens\":10},\"output_tokens\":45,"
	    "\"total_tokens\":59}}", (struct want){ .input = 4,
	    .in_audio = 10, .output = 45 });
	check(WIRE_ROUTE_TRANSCRIPTIONS, false, "{\"text\":\"hi\",\"usage\":{"
	    "\"type\":\"duration\",\"seconds\":9}}",
	    (struct want){ .ms = 9000 });
	check(WIRE_ROUTE_TRANSLATIONS, false, "{\"duration\":\"8.4705\","
	    "\"text\":\"x\"}", (struct want){ .ms = 8471 });
	check(WIRE_ROUTE_TRANSCRIPTIONS, false, "{\"duration\":8.47,"
	    "\"usage\":{\"seconds\":9,\"type\":\"duration\"}}",
	    (struct want){ .ms = 9000 });
	check(WIRE_ROUTE_TRANSCRIPTIONS, true, "data: {\"type\":"
	    "\"transcript.text.delta\",\"delta\":\"hi\"}\n\ndata: {\"type\":"
	    "\"transcript.text.done\",\"text\":\"hi\",\"usage\":{"
	    "\"input_tokens\":3,\"output_tokens\":2}}\n\n",
	    (struct want){ .input = 3, .output = 2 });
	ck_assert(meter.finished);
}
END_TEST

START_TEST(test_speech_is_audio_or_events)
{
	wire_meter_init(&meter, WIRE_ROUTE_SPEECH, false);
	wire_meter_opaque(&meter);
	wire_meter_feed(&meter, "{\"usage\":{\"input_tokens\":9}}", 28);
	ck_assert(!meter.finished);
	wire_meter_finish(&meter);
	ck_assert(meter.finished && !meter.malformed);
	ck_assert_uint_eq(wire_meter_usage(&meter)->marks, 0);
	check(WIRE_ROUTE_SPEECH, true, "data: {\"type\":\"speech.audio.delta\","
	    "\"audio\":\"AAAA\"}\n\ndata: {\"type\":\"speech.audio.done\","
	    "\"usage\":{\"input_tokens\":14,\"output_tokens\":101,"
	    "\"total_tokens\":115}}\n\n", (struct want){ .input = 14,
	    .out_audio = 101 });
}
END_TEST

#define GEMINI_USAGE "\"usageMetadata\":{\"promptTokenCount\":1000," \
	"\"cachedContentTokenCount\":300,\"candidatesTokenCount\":40," \
	"\"thoughtsTokenCount\":7,\"toolUsePromptTokenCount\":25," \
	"\"totalTokenCount\":1072,\"promptTokensDetails\":[" \
	"{\"tokenCount\":700,\"modality\":\"TEXT\"}," \
	"{\"modality\":\"AUDIO\",\"tokenCount\":200}," \
	"{\"modality\":\"IMAGE\",\"tokenCount\":60}," \
	"{\"modality\":\"VIDEO\",\"tokenCount\":40}]," \
	"\"cacheTokensDetails\":[{\"tokenCount\":50,\"modality\":\"AUDIO\"}," \
	"{\"modality\":\"TEXT\",\"tokenCount\":250}]," \
	"\"candidatesTokensDetails\":[{\"modality\":\"IMAGE\"," \
	"\"tokenCount\":30},{\"modality\":\"TEXT\",\"tokenCount\":10}]," \
	"\"serviceTier\":\"flex\"}"
#define GEMINI_WANT (struct want){ .input = 700 + 40 - 250 + 25, \
	.in_audio = 150, .in_image = 60, .read = 250, .read_audio = 50, \
	.output = 10 + 7, .out_image = 30, .reasoning = 7 }

START_TEST(test_gemini_reads_documents_events_and_arrays)
{
	check(WIRE_ROUTE_GENERATE, false, "{\"candidates\":[{\"content\":{"
	    "\"parts\":[{\"text\":\"hi\"}]},\"finishReason\":\"STOP\"}],"
	    GEMINI_USAGE "}", GEMINI_WANT);
	ck_assert_uint_eq(usage->tier, TIER_FLEX);
	ck_assert_uint_eq(meter.output_bytes_seen, 2);
	check(WIRE_ROUTE_STREAM_GENERATE, true, "data: {\"usageMetadata\":{"
	    "\"promptTokenCount\":5,\"candidatesTokenCount\":1}}\r\n\r\n"
	    "data: {" GEMINI_USAGE "}\r\n\r\n", GEMINI_WANT);
	check(WIRE_ROUTE_STREAM_GENERATE, false, "[{\"usageMetadata\":{"
	    "\"promptTokenCount\":5}}\r\n,\r\n{" GEMINI_USAGE "}]",
	    GEMINI_WANT);
	ck_assert(meter.finished);
}
END_TEST

START_TEST(test_gemini_array_knows_where_an_event_fits)
{
	wire_meter_init(&meter, WIRE_ROUTE_STREAM_GENERATE, false);
	wire_meter_feed(&meter, "[{\"a\":", 6);
	ck_assert(wire_meter_frame_open(&meter));
	wire_meter_feed(&meter, "1}", 2);
	ck_assert(!wire_meter_frame_open(&meter));
	ck_assert(!meter.finished);
	/* A member of that name is no element. */
	read_steps(WIRE_ROUTE_GENERATE, false, "{\"[]\":{" GEMINI_USAGE "}}",
	    7);
	ck_assert_uint_eq(usage->marks, 0);
}
END_TEST

START_TEST(test_gemini_counts_searches)
{
	check(WIRE_ROUTE_GENERATE, false, "{\"candidates\":[{"
	    "\"groundingMetadata\":{\"webSearchQueries\":[\"a\",\"b\"]}}],"
	    "\"usageMetadata\":{\"promptTokenCount\":3}}",
	    (struct want){ .input = 3, .tools = 2 });
	check(WIRE_ROUTE_EMBED, false, "{\"embedding\":{\"values\":[0.5]},"
	    "\"usageMetadata\":{\"promptTokenCount\":3}}",
	    (struct want){ .input = 3 });
}
END_TEST

#define INTERACTION "\"id\":\"v1_abc\",\"status\":\"completed\",\"usage\":{" \
	"\"total_tokens\":323,\"total_input_tokens\":110," \
	"\"input_tokens_by_modality\":[" \
	"{\"modality\":\"text\",\"tokens\":100}," \
	"{\"tokens\":10,\"modality\":\"audio\"}],\"total_cached_tokens\":20," \
	"\"total_output_tokens\":29,\"total_tool_use_tokens\":10," \
	"\"total_thought_tokens\":174},\"service_tier\":\"standard\""
#define INTERACTION_WANT (struct want){ .input = 80 + 10, .in_audio = 10, \
	.read = 20, .output = 29 + 174, .reasoning = 174 }

START_TEST(test_interactions_read_documents_and_events)
{
	check(WIRE_ROUTE_INTERACTIONS, false, "{" INTERACTION "}",
	    INTERACTION_WANT);
	ck_assert_str_eq(meter.id, "v1_abc");
	check(WIRE_ROUTE_INTERACTIONS, true, "data: {\"interaction\":{\"id\":"
	    "\"v1_abc\",\"status\":\"in_progress\"},\"event_type\":"
	    "\"interaction.created\"}\n\ndata: {\"delta\":{\"type\":\"text\","
	    "\"text\":\"abc\"},\"event_type\":\"step.delta\"}\n\n"
	    "data: {\"interaction\":{" INTERACTION "},\"event_type\":"
	    "\"interaction.completed\"}\n\ndata: [DONE]\n\n",
	    INTERACTION_WANT);
	ck_assert(meter.finished && !meter.pending);
	ck_assert_uint_eq(meter.output_bytes_seen, 3);
}
END_TEST

START_TEST(test_messages_say_how_they_were_served)
{
	check(WIRE_ROUTE_MESSAGES, false, "{\"usage\":{\"input_tokens\":1,"
	    "\"output_tokens\":2,\"server_tool_use\":{\"web_search_requests\":"
	    "3,\"web_fetch_requests\":8},\"service_tier\":\"batch\",\"speed\":"
	    "\"fast\",\"inference_geo\":\"us\"}}", (struct want){ .input = 1,
	    .output = 2, .tools = 3 });
	ck_assert_uint_eq(usage->tier, TIER_BATCH);
	ck_assert_uint_eq(usage->speed, SPEED_FAST);
	ck_assert_uint_eq(usage->region, REGION_US);
	check(WIRE_ROUTE_MESSAGES, false, "{\"usage\":{\"input_tokens\":1,"
	    "\"output_tokens\":2,\"service_tier\":\"novel\",\"inference_geo\":"
	    "\"mars\"}}", (struct want){ .input = 1, .output = 2 });
	ck_assert_uint_eq(usage->tier, TIER_OTHER);
	ck_assert_uint_eq(usage->region, REGION_OTHER);
}
END_TEST

START_TEST(test_messages_keep_another_models_iterations_apart)
{
	check(WIRE_ROUTE_MESSAGES, false, "{\"usage\":{\"iterations\":[{"
	    "\"type\":\"message\",\"input_tokens\":5,\"output_tokens\":6},{"
	    "\"model\":\"opus\",\"input_tokens\":90,\"output_tokens\":9,"
	    "\"cache_creation_input_tokens\":4,\"cache_read_input_tokens\":3,"
	    "\"type\":\"advisor_message\"},{\"type\":\"advisor_message\","
	    "\"model\":\"opus\",\"input_tokens\":10},{\"type\":"
	    "\"advisor_message\",\"model\":\"third\",\"input_tokens\":100}],"
	    "\"input_tokens\":5,\"output_tokens\":6}}",
	    (struct want){ .input = 105, .output = 6,
	    .marks = USAGE_UNKNOWN_FIELD });
	ck_assert_str_eq(usage->other.model, "opus");
	ck_assert_uint_eq(usage->other.count[USAGE_INPUT], 100);
	ck_assert_uint_eq(usage->other.count[USAGE_OUTPUT], 9);
	ck_assert_uint_eq(usage->other.count[USAGE_CACHE_READ], 3);
	ck_assert_uint_eq(usage->other.count[USAGE_CACHE_WRITE_5M], 4);
}
END_TEST

START_TEST(test_messages_totals_after_a_fallback_are_the_others)
{
	check(WIRE_ROUTE_MESSAGES, false, "{\"usage\":{\"input_tokens\":412,"
	    "\"output_tokens\":264,\"iterations\":[{\"type\":\"message\","
	    "\"model\":\"a\",\"input_tokens\":408,\"output_tokens\":0},{"
	    "\"type\":\"fallback_message\",\"model\":\"b\",\"input_tokens\":"
	    "412,\"output_tokens\":264}]}}", (struct want){ .input = 408 });
	ck_assert_str_eq(usage->other.model, "b");
	ck_assert_uint_eq(usage->other.count[USAGE_INPUT], 412);
	ck_assert_uint_eq(usage->other.count[USAGE_OUTPUT], 264);
}
END_TEST

START_TEST(test_nothing_in_a_string_is_usage)
{
	check(WIRE_ROUTE_GENERATE, false, "{\"candidates\":[{\"content\":{"
	    "\"parts\":[{\"text\":\"\\\"usageMetadata\\\":{"
	    "\\\"promptTokenCount\\\":9}\"},{\"functionCall\":{\"args\":{"
	    "\"usageMetadata\":{\"promptTokenCount\":8}}}}]}}],"
	    "\"\\u0075sageMetadata\":{\"promptToken\\u0043ount\":1,"
	    "\"candidatesTokenCount\":2}}", (struct want){ .input = 1,
	    .output = 2 });
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire/kinds");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_chat_tells_audio_and_images_apart);
	tcase_add_test(tcase, test_chat_reads_what_proxies_call_it);
	tcase_add_test(tcase, test_completions_count_their_text);
	tcase_add_test(tcase, test_responses_reads_a_document);
	tcase_add_test(tcase, test_responses_counts_what_tools_cost);
	tcase_add_test(tcase, test_responses_stream_ends_with_its_last_event);
	tcase_add_test(tcase, test_responses_in_the_background_are_pending);
	tcase_add_test(tcase,
	    test_embeddings_and_rankings_read_what_was_read);
	tcase_add_test(tcase, test_images_are_counted_and_measured);
	tcase_add_test(tcase, test_transcriptions_state_tokens_or_time);
	tcase_add_test(tcase, test_speech_is_audio_or_events);
	tcase_add_test(tcase, test_gemini_reads_documents_events_and_arrays);
	tcase_add_test(tcase, test_gemini_array_knows_where_an_event_fits);
	tcase_add_test(tcase, test_gemini_counts_searches);
	tcase_add_test(tcase, test_interactions_read_documents_and_events);
	tcase_add_test(tcase, test_messages_say_how_they_were_served);
	tcase_add_test(tcase,
	    test_messages_keep_another_models_iterations_apart);
	tcase_add_test(tcase,
	    test_messages_totals_after_a_fallback_are_the_others);
	tcase_add_test(tcase, test_nothing_in_a_string_is_usage);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

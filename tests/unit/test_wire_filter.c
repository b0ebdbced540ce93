/*
 * test_wire_filter.c: the usage frame stays here, all else leaves byte-exact
 * and as early as it can, however the stream is cut.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"
#include "wire/filter.h"

static struct wire_filter filter;
static char out[40000];
static size_t out_len;

static void
take(const struct span *span)
{
	ck_assert_uint_le(out_len + span->len, sizeof(out) - 1);
	if (span->len > 0)
		memcpy(out + out_len, span->p, span->len);
	out_len += span->len;
	out[out_len] = '\0';
}

/* Each piece is given in memory of its own, gone after the call. */
static void
feed_piece(const char *in, size_t len)
{
	char *copy = malloc(len);
	struct span span;
	size_t at = 0, used;
	int idle = 0;

	memcpy(copy, in, len);
	while (at < len) {
		wire_filter_feed(&filter, copy + at, len - at, &used, &span);
		take(&span);
		idle = used == 0 ? idle + 1 : 0;
		ck_assert_int_lt(idle, 2);
		at += used;
	}
	free(copy);
}

static void
run_steps(const char *text, size_t step)
{
	struct span span;
	size_t len = strlen(text), at, n;

	wire_filter_init(&filter);
	out_len = 0;
	for (at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		feed_piece(text + at, n);
	}
	wire_filter_finish(&filter, &span);
	take(&span);
}

static void
check_filter(const char *text, const char *expected, uint64_t hidden)
{
	size_t step;

	for (step = 1; step <= strlen(text); step += step < 300 ? 1 : 97) {
		run_steps(text, step);
		ck_assert_str_eq(out, expected);
		ck_assert_uint_eq(filter.frames_hidden, hidden);
	}
}

#define CHUNK "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":" \
	"\"hi\"}}],\"usage\":null}\n\n"
#define USAGE_DATA "data: {\"id\":\"c\",\"choices\":[],\"usage\":{" \
	"\"prompt_tokens\":5,\"completion_tokens\":2},\"x\":[1]}"
#define USAGE USAGE_DATA "\n\n"
#define DONE "data: [DONE]\n\n"

START_TEST(test_filter_removes_the_usage_frame)
{
	check_filter(CHUNK CHUNK USAGE DONE, CHUNK CHUNK DONE, 1);
	check_filter(USAGE, "", 1);
	check_filter("data: {\"usage\":{\"a\":1},\"choices\":[ ]}\n\n" DONE,
	    DONE, 1);
	check_filter("data: {\"usage\":{\"a\":1}}\n\n" CHUNK, CHUNK, 1);
	check_filter("data: {\"choices\":null,\"usage\":{}}\n\n" CHUNK, CHUNK,
	    1);
	check_filter("event: x\nid: 4\ndata: {\"choices\":\n"
	    "data: [],\"usage\":{}}\n\n" CHUNK, CHUNK, 1);
	check_filter(CHUNK USAGE CHUNK USAGE DONE, CHUNK CHUNK DONE, 2);
}
END_TEST

START_TEST(test_filter_passes_everything_else)
{
	static const char *const others[] = { CHUNK DONE, DONE,
		"data: {\"choices\":[],\"prompt_filter_results\":[{}]}\n\n"
		DONE,
		"data: {\"choices\":[],\"usage\":null}\n\n" DONE,
		"data: {\"choices\":[{}],\"usage\":{\"a\":1}}\n\n" DONE,
		"data: {\"usage\":{\"a\":1},\"choices\":[{}]}\n\n" DONE,
		"data: {\"error\":{\"message\":\"no\"}}\n\n",
		"data: {\"error\":\"x\",\"usage\":{}}\n\n",
		"data: {\"a\":{\"choices\":[],\"usage\":{}}}\n\n" DONE,
		": ping\n\n" CHUNK, "\n\n\r\n" CHUNK "\n\n\n" DONE,
		"event: ping\n\n" CHUNK, "data:\n\n" CHUNK,
		"data: <html>\n\n" CHUNK, "data: {\"a\":}\n\n" CHUNK,
		"data: {\"half\":\n\n" CHUNK, "\xef\xbb\xbf" CHUNK, "event: x",
		CHUNK "data: [DONE]" };
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		check_filter(others[i], others[i], 0);
}
END_TEST

START_TEST(test_filter_keeps_comments_and_foreign_line_ends)
{
	check_filter(": a\n" USAGE ": b\n\n" DONE, ": a\n: b\n\n" DONE, 1);
	check_filter(CHUNK USAGE_DATA "\r\n\r\n" DONE, CHUNK DONE, 1);
	check_filter(CHUNK USAGE_DATA "\r\r" DONE, CHUNK DONE, 1);
	check_filter("data: [DONE]\r\n\r\ndata: x\r\n\r\n" USAGE_DATA
	    "\r\n\r\ndata: y\r\r\n\n", "data: [DONE]\r\n\r\ndata: x\r\n\r\n"
	    "data: y\r\r\n\n", 1);
}
END_TEST

START_TEST(test_filter_drops_what_is_cut_before_its_decision)
{
	check_filter(CHUNK "data: {\"id\":\"c\",\"choi", CHUNK, 0);
	check_filter(CHUNK "data: {\"id\":\"c\",\"choices\":[],\"us", CHUNK,
	    0);
	check_filter(CHUNK USAGE_DATA, CHUNK, 1);
	check_filter(CHUNK "data: {\"choices\":[{\"de",
	    CHUNK "data: {\"choices\":[{\"de", 0);
}
END_TEST

START_TEST(test_filter_lets_a_frame_go_the_moment_it_is_decided)
{
	static const char head[] = "data: {\"id\":\"c\",\"choices\":[";

	wire_filter_init(&filter);
	out_len = 0;
	feed_piece(head, strlen(head));
	ck_assert_uint_eq(out_len, 0);
	feed_piece("{", 1);
	ck_assert_uint_eq(out_len, strlen(head) + 1);
	feed_piece("\"", 1);
	ck_assert_uint_eq(out_len, strlen(head) + 2);
}
END_TEST

START_TEST(test_filter_lets_an_undecided_frame_go_at_the_bound)
{
	static char text[WIRE_FILTER_HOLD_BYTES + 2000];
	size_t len, step;
	int over;

	/* The decision lies at the last byte that may be held, or behind. */
	for (over = 0; over < 2; over++) {
		len = (size_t)(WIRE_FILTER_HOLD_BYTES - 1 + over) -
		    strlen("data: {\"choices\":[],\"p\":\"\",\"usage\":");
		strcpy(text, "data: {\"choices\":[],\"p\":\"");
		memset(text + strlen(text), 'p', len);
		strcpy(text + 25 + len, "\",\"usage\":{\"a\":1}}\n\n" DONE);
		for (step = 1; step < sizeof(text); step = step * 3 + 1) {
			run_steps(text, step);
			ck_assert_str_eq(out, over ? text : DONE);
		}
	}
}
END_TEST

/* Random streams of frames, cut at random: what is expected is known. */
START_TEST(test_filter_is_exact_for_any_cut)
{
	static const char *const frames[] = { CHUNK, USAGE, DONE, ": c\n\n",
		"data: {\"choices\":[],\"usage\":null}\n\n", "\n",
		"data: {\"error\":1}\r\n\r\n" };
	static char text[4000], expected[4000];
	struct span span;
	unsigned int seed = 1;
	size_t at, n, len, which;
	int round, i;

	for (round = 0; round < 2000; round++) {
		text[0] = expected[0] = '\0';
		for (i = 0; i < 12; i++) {
			which = (size_t)rand_r(&seed) % 7;
			/* A blank line goes the way of what is before it. */
			if (which == 5 && i > 0)
				continue;
			strcat(text, frames[which]);
			if (which != 1)
				strcat(expected, frames[which]);
		}
		wire_filter_init(&filter);
		out_len = 0;
		out[0] = '\0';
		len = strlen(text);
		for (at = 0; at < len; at += n) {
			n = 1 + (size_t)rand_r(&seed) % 90;
			n = n < len - at ? n : len - at;
			feed_piece(text + at, n);
		}
		wire_filter_finish(&filter, &span);
		take(&span);
		ck_assert_str_eq(out, expected);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire/filter");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_filter_removes_the_usage_frame);
	tcase_add_test(tcase, test_filter_passes_everything_else);
	tcase_add_test(tcase, test_filter_keeps_comments_and_foreign_line_ends);
	tcase_add_test(tcase,
	    test_filter_drops_what_is_cut_before_its_decision);
	tcase_add_test(tcase,
	    test_filter_lets_a_frame_go_the_moment_it_is_decided);
	tcase_add_test(tcase,
	    test_filter_lets_an_undecided_frame_go_at_the_bound);
	tcase_add_test(tcase, test_filter_is_exact_for_any_cut);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

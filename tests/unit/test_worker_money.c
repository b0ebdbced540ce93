/*
 * test_worker_money.c: how much is held, and what is charged.
 */
#include <check.h>
#include <string.h>

#include "tests/unit/run.h"
#include "wire/estimate.h"
#include "wire/request.h"
#include "worker/amount.h"
#include "worker/settle.h"

#define MILLION INT64_C(1000000)

static const struct usage one_call = { .count = { [USAGE_CALLS] = 1 } };

static struct hold_terms
terms_of(int64_t input, int64_t output)
{
	struct hold_terms terms = { .multiplier_ppm = MULTIPLIER_ONE_PPM };

	price_clear(&terms.price);
	/* So many nano a token. */
	terms.price.nano[USAGE_INPUT] = input * MILLION;
	terms.price.nano[USAGE_OUTPUT] = output * MILLION;
	return terms;
}

static struct wire_request
request_of(size_t bytes, bool stream, uint64_t max_tokens, uint32_t n)
{
	struct wire_request request;

	memset(&request, 0, sizeof(request));
	request.body_bytes = bytes;
	request.stream = stream;
	request.has_max_tokens = max_tokens > 0;
	request.max_tokens = max_tokens;
	request.n = n;
	return request;
}

START_TEST(test_amount_holds_an_unstreamed_call_as_a_whole)
{
	struct wire_request request = request_of(3000, false, 500, 2);
	struct amount_plan plan = amount_plan(&request, 4096, 8192, 64);

	ck_assert_uint_eq(plan.input_tokens, wire_estimate_input_tokens(3000));
	ck_assert_uint_eq(plan.ceiling_tokens, 1000);
	ck_assert_uint_eq(plan.first_tokens, 1000);
}
END_TEST

START_TEST(test_amount_holds_a_stream_by_steps)
{
	struct wire_request request = request_of(3000, true, 500, 1);
	struct amount_plan plan = amount_plan(&request, 4096, 8192, 64);

	ck_assert_uint_eq(plan.ceiling_tokens, 500);
	ck_assert_uint_eq(plan.first_tokens, 64);
	request.max_tokens = 10;
	plan = amount_plan(&request, 4096, 8192, 64);
	ck_assert_uint_eq(plan.first_tokens, 10);
}
END_TEST

START_TEST(test_amount_without_a_limit_is_the_models_then_the_default)
{
	struct wire_request request = request_of(10, false, 0, 3);

	ck_assert_uint_eq(amount_plan(&request, 4096, 8192, 64).ceiling_tokens,
	    3 * 4096);
	ck_assert_uint_eq(amount_plan(&request, 0, 8192, 64).ceiling_tokens,
	    3 * 8192);
}
END_TEST

START_TEST(test_amount_takes_the_dearest_input_price)
{
	struct hold_terms terms = terms_of(3, 7);

	ck_assert_int_eq(amount_of(&terms, &one_call, 100, 10), 370);
	terms.price.nano[USAGE_CACHE_READ] = MILLION;
	ck_assert_int_eq(amount_of(&terms, &one_call, 100, 10), 370);
	terms.price.nano[USAGE_CACHE_WRITE_1H] = 6 * MILLION;
	ck_assert_int_eq(amount_of(&terms, &one_call, 100, 10), 670);
	terms.multiplier_ppm = 2 * MULTIPLIER_ONE_PPM;
	ck_assert_int_eq(amount_of(&terms, &one_call, 100, 10), 1340);
}
END_TEST

START_TEST(test_amount_takes_the_dearest_way_that_was_asked_for)
{
	struct hold_terms terms = terms_of(3, 7);
	struct wire_request request = request_of(10, false, 5, 1);
	struct usage besides;

	terms.price.tier_ppm[TIER_FLEX] = 500000;
	terms.price.tier_ppm[TIER_PRIORITY] = 2000000;
	terms.price.speed_ppm[SPEED_FAST] = 6000000;
	request.asked.tiers = 1 << TIER_STANDARD | 1 << TIER_FLEX;
	request.asked.speeds = 1 << SPEED_NORMAL;
	request.asked.regions = 1 << REGION_GLOBAL;
	besides = amount_besides(&request, &terms.price);
	ck_assert_int_eq(besides.count[USAGE_CALLS], 1);
	ck_assert_int_eq(amount_of(&terms, &besides, 100, 10), 370);
	request.asked.tiers |= 1 << TIER_PRIORITY;
	besides = amount_besides(&request, &terms.price);
	ck_assert_int_eq(amount_of(&terms, &besides, 100, 10), 740);
	request.asked.speeds |= 1 << SPEED_FAST;
	besides = amount_besides(&request, &terms.price);
	ck_assert_int_eq(amount_of(&terms, &besides, 100, 10), 6 * 740);
}
END_TEST

START_TEST(test_amount_covers_every_kind_of_price)
{
	struct hold_terms terms = terms_of(3, 7);

	terms.price.nano[USAGE_CALLS] = 1000;
	ck_assert_int_eq(amount_of(&terms, &one_call, 100, 10), 1370);
	terms.price.minimum_nano = 5000;
	ck_assert_int_eq(amount_of(&terms, &one_call, 100, 10), 5000);
	terms.price.minimum_nano = PRICE_UNSET;
	/* Audio may be among it, where the row has a price for it. */
	terms.price.nano[USAGE_OUTPUT_AUDIO] = 70 * MILLION;
	ck_assert_int_eq(amount_of(&terms, &one_call, 100, 10), 2000);
	terms.price.long_above = 99;
	terms.price.long_ppm[0] = 2 * MULTIPLIER_ONE_PPM;
	ck_assert_int_eq(amount_of(&terms, &one_call, 99, 10), 1997);
	ck_assert_int_eq(amount_of(&terms, &one_call, 100, 10), 2300);
}
END_TEST

START_TEST(test_amount_knows_what_cannot_be_charged)
{
	struct hold_terms terms = terms_of(3, 7);
	struct usage tools = one_call;

	tools.count[USAGE_TOOL_CALLS] = 1;
	ck_assert(amount_priced(&terms.price, &one_call, 1, true));
	ck_assert(!amount_priced(&terms.price, &tools, 1, true));
	ck_assert(amount_priced(&terms.price, &tools, 1, false));
	terms.price.nano[USAGE_OUTPUT] = PRICE_UNSET;
	ck_assert(!amount_priced(&terms.price, &one_call, 1, true));
	ck_assert(amount_priced(&terms.price, &one_call, 0, true));
	price_clear(&terms.price);
	terms.price.nano[USAGE_IMAGES] = 1;
	ck_assert(!amount_priced(&terms.price, &one_call, 1, false));
	ck_assert_int_eq(amount_of(&terms, &one_call, 1, 1), INT64_MAX);
}
END_TEST

START_TEST(test_amount_more_adds_up_to_the_whole)
{
	struct hold_terms terms = terms_of(3, 7);
	int64_t sum = amount_of(&terms, &one_call, 100, 1);

	/* A multiplier with which every step is rounded. */
	terms.multiplier_ppm = 1337;
	sum = amount_of(&terms, &one_call, 100, 1);
	for (uint64_t covered = 1; covered < 1000; covered += 9)
		sum += amount_more(&terms, &one_call, 100, covered, 9);
	ck_assert_int_eq(sum, amount_of(&terms, &one_call, 100, 1000));
}
END_TEST

START_TEST(test_amount_beyond_all_money_is_the_maximum)
{
	struct hold_terms terms = terms_of(PRICE_MAX_NANO / MILLION,
	    PRICE_MAX_NANO / MILLION);

	terms.multiplier_ppm = MULTIPLIER_MAX_PPM;
	ck_assert_int_eq(amount_of(&terms, &one_call, UINT64_MAX, UINT64_MAX),
	    INT64_MAX);
}
END_TEST

START_TEST(test_settle_believes_a_complete_statement)
{
	const struct settle_known known = { 400, 900, 1000 };
	struct usage seen = { .marks = USAGE_SEEN }, usage;

	seen.count[USAGE_INPUT] = 11;
	seen.count[USAGE_OUTPUT] = 5;
	settle_complete_usage(&seen, true, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_INPUT], 11);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 5);
	ck_assert_uint_eq(usage.marks, USAGE_SEEN);
}
END_TEST

START_TEST(test_settle_estimates_what_an_early_statement_lacks)
{
	struct settle_known known = { 400, 900, 1000 };
	struct usage seen = { .marks = USAGE_SEEN }, usage;

	seen.count[USAGE_INPUT] = 11;
	seen.count[USAGE_CACHE_READ] = 7;
	seen.count[USAGE_OUTPUT] = 1;
	settle_complete_usage(&seen, false, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_INPUT], 11);
	ck_assert_uint_eq(usage.count[USAGE_CACHE_READ], 7);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 900);
	ck_assert(usage.marks & USAGE_ESTIMATED);
	known.output_tokens = 0;
	settle_complete_usage(&seen, false, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 1);
	ck_assert(!(usage.marks & USAGE_ESTIMATED));
}
END_TEST

START_TEST(test_settle_never_takes_silence_for_nothing)
{
	const struct settle_known known = { 400, 900, 1000 };
	struct usage seen = { 0 }, usage;

	settle_complete_usage(&seen, true, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_INPUT], 400);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 900);
	ck_assert(usage.marks & USAGE_ESTIMATED);
}
END_TEST

START_TEST(test_settle_never_takes_a_stated_nothing)
{
	const struct settle_known known = { 400, 900, 1000 };
	struct usage seen = { .marks = USAGE_SEEN }, usage;

	settle_complete_usage(&seen, true, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_INPUT], 400);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 900);
	ck_assert(usage.marks & USAGE_ESTIMATED);
	/* All of it from a cache is a statement, and so is no answer. */
	seen.count[USAGE_CACHE_READ] = 3;
	seen.count[USAGE_OUTPUT] = 1;
	settle_complete_usage(&seen, true, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_INPUT], 0);
	ck_assert_uint_eq(usage.marks, USAGE_SEEN);
}
END_TEST

START_TEST(test_settle_cuts_output_that_nobody_asked_for_or_saw)
{
	struct settle_known known = { 400, 90, 1000 };
	struct usage seen = { .marks = USAGE_SEEN }, usage;

	seen.count[USAGE_INPUT] = 1;
	seen.count[USAGE_OUTPUT] = seen.reasoning = 1001;
	settle_complete_usage(&seen, true, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 1000);
	ck_assert_uint_eq(usage.reasoning, 1000);
	ck_assert_uint_eq(usage.marks, USAGE_SEEN | USAGE_CLAMPED);
	/* What passed did pass, whatever was asked for. */
	known.output_tokens = 1001;
	settle_complete_usage(&seen, true, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 1001);
	ck_assert_uint_eq(usage.marks, USAGE_SEEN);
}
END_TEST

START_TEST(test_settle_takes_audio_and_anothers_output_for_output)
{
	struct usage seen = { .marks = USAGE_SEEN }, usage;
	struct settle_known known = { .input_tokens = 400,
		.output_tokens = 30 };

	seen.count[USAGE_INPUT] = 11;
	seen.count[USAGE_OUTPUT_AUDIO] = 40;
	settle_complete_usage(&seen, true, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 0);
	ck_assert_uint_eq(usage.marks, USAGE_SEEN);
	memset(seen.count, 0, sizeof(seen.count));
	seen.other.count[USAGE_INPUT] = 5;
	seen.other.count[USAGE_OUTPUT] = 6;
	settle_complete_usage(&seen, true, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_INPUT], 0);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 0);
	/* Not complete: what passed and nobody stated. */
	settle_complete_usage(&seen, false, &known, &usage);
	ck_assert_uint_eq(usage.count[USAGE_OUTPUT], 24);
}
END_TEST

static struct wire_request
scanned(enum wire_route route, const char *body)
{
	struct wire_request request;
	struct wire_fault fault;

	ck_assert_msg(wire_request_scan(route, body, strlen(body), &request,
	    &fault), "%s", body);
	return request;
}

START_TEST(test_amount_besides_is_what_a_request_says)
{
	struct hold_terms terms = terms_of(3, 7);
	struct wire_request request;
	struct usage besides;
	int64_t text;

	request = scanned(WIRE_ROUTE_SPEECH,
	    "{\"model\":\"m\",\"input\":\"a\\u00e9\\ud83d\\ude00\"}");
	ck_assert_uint_eq(request.characters, 3);
	besides = amount_besides(&request, &terms.price);
	ck_assert_uint_eq(besides.count[USAGE_CHARACTERS], 3);
	/* and the audio, at the price of output: 64 and 2 a character */
	ck_assert_uint_eq(besides.count[USAGE_OUTPUT_AUDIO], 70);
	ck_assert_uint_eq(wire_request_output_tokens(&request, 4096), 0);
	text = amount_of(&terms, &besides, 0, 0);
	ck_assert_int_ge(text, 70 * 7);
	terms.price.nano[USAGE_CHARACTERS] = 2 * MILLION;
	ck_assert_int_gt(amount_of(&terms, &besides, 0, 0), 0);
	request = scanned(WIRE_ROUTE_EMBEDDINGS, "{\"model\":\"m\"}");
	besides = amount_besides(&request, &terms.price);
	ck_assert_int_eq(amount_of(&terms, &besides, 0, 0), 0);
	ck_assert_uint_eq(wire_request_output_tokens(&request, 4096), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("worker money");
	TCase *tcase = tcase_create("money");

	tcase_add_test(tcase, test_amount_holds_an_unstreamed_call_as_a_whole);
	tcase_add_test(tcase, test_amount_holds_a_stream_by_steps);
	tcase_add_test(tcase,
	    test_amount_without_a_limit_is_the_models_then_the_default);
	tcase_add_test(tcase, test_amount_takes_the_dearest_input_price);
	tcase_add_test(tcase,
	    test_amount_takes_the_dearest_way_that_was_asked_for);
	tcase_add_test(tcase, test_amount_covers_every_kind_of_price);
	tcase_add_test(tcase, test_amount_knows_what_cannot_be_charged);
	tcase_add_test(tcase, test_amount_more_adds_up_to_the_whole);
	tcase_add_test(tcase, test_amount_beyond_all_money_is_the_maximum);
	tcase_add_test(tcase, test_settle_believes_a_complete_statement);
	tcase_add_test(tcase,
	    test_settle_estimates_what_an_early_statement_lacks);
	tcase_add_test(tcase, test_settle_never_takes_silence_for_nothing);
	tcase_add_test(tcase, test_settle_never_takes_a_stated_nothing);
	tcase_add_test(tcase,
	    test_settle_cuts_output_that_nobody_asked_for_or_saw);
	tcase_add_test(tcase,
	    test_settle_takes_audio_and_anothers_output_for_output);
	tcase_add_test(tcase, test_amount_besides_is_what_a_request_says);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

/* What a call costs, to the nano. */
#include "base/fee.h"

#include <string.h>

#include "tests/unit/run.h"

static struct price
price_of(int64_t input, int64_t output)
{
	struct price p;

	price_clear(&p);
	p.nano[USAGE_INPUT] = input;
	p.nano[USAGE_OUTPUT] = output;
	p.version = 1;
	return p;
}

static struct usage
usage_of(uint64_t input, uint64_t output)
{
	struct usage u = { .marks = USAGE_SEEN };

	u.count[USAGE_INPUT] = input;
	u.count[USAGE_OUTPUT] = output;
	return u;
}

static int64_t
fee_of(const struct usage *u, const struct price *p, uint32_t ppm)
{
	struct fee_terms terms = { p, NULL, ppm };
	int64_t fee = -1;

	ck_assert_int_eq(fee_compute(u, &terms, &fee, NULL), FEE_OK);
	return fee;
}

START_TEST(test_fee_is_tokens_times_price)
{
	/* 3 and 15 units a million */
	struct price p = price_of(INT64_C(3000000000), INT64_C(15000000000));
	struct usage u = usage_of(1234, 567);

	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM),
	    1234 * 3000 + 567 * 15000);
}
END_TEST

START_TEST(test_fee_is_multiplied_by_the_group)
{
	struct price p = price_of(INT64_C(3000000000), 0);
	struct usage u = usage_of(1000, 0);

	ck_assert_int_eq(fee_of(&u, &p, 1250000), 3750000);
	ck_assert_int_eq(fee_of(&u, &p, 0), 0);
}
END_TEST

START_TEST(test_fee_rounds_a_half_to_the_even_nano)
{
	/* count nano-units of 10^-6: 500000 a million is half a nano each */
	struct price p = price_of(500000, 0);
	struct usage u;

	u = usage_of(1, 0);	/* 0.5 */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 0);
	u = usage_of(3, 0);	/* 1.5 */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 2);
	u = usage_of(5, 0);	/* 2.5 */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 2);
	u = usage_of(1, 0);	/* a hair above a half */
	ck_assert_int_eq(fee_of(&u, &p, 1000001), 1);
	u = usage_of(3, 0);	/* a hair below 1.5 */
	ck_assert_int_eq(fee_of(&u, &p, 999999), 1);
}
END_TEST

START_TEST(test_fee_is_rounded_once_over_all_dimensions)
{
	/* Rounded one by one, 0.5 and 0.5 would make nothing. */
	struct price p = price_of(500000, 500000);
	struct usage u = usage_of(1, 1);

	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 1);
}
END_TEST

START_TEST(test_fee_falls_back_to_the_refined_dimension)
{
	struct price p = price_of(1000000, 5000000);
	struct usage u = usage_of(0, 0);

	u.count[USAGE_CACHE_READ] = 10;
	u.count[USAGE_CACHE_WRITE_5M] = 100;
	u.count[USAGE_CACHE_WRITE_1H] = 1000;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 1110);
	p.nano[USAGE_CACHE_READ] = 0;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 1100);
	p.nano[USAGE_CACHE_WRITE_5M] = 2000000;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 2200);
	p.nano[USAGE_CACHE_WRITE_1H] = 3000000;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 3200);
}
END_TEST

START_TEST(test_price_of_output_has_no_fallback)
{
	struct price p = price_of(1000000, PRICE_UNSET);

	ck_assert_int_eq(fee_price_of(&p, USAGE_OUTPUT), PRICE_UNSET);
	ck_assert(!fee_price_complete(&p));
	p.nano[USAGE_OUTPUT] = 0;
	ck_assert(fee_price_complete(&p));
	p.nano[USAGE_INPUT] = PRICE_UNSET;
	ck_assert(!fee_price_complete(&p));
	ck_assert_int_eq(fee_price_of(&p, USAGE_CACHE_READ), PRICE_UNSET);
}
END_TEST

START_TEST(test_fee_beyond_64_bits_is_said_and_cut)
{
	struct price p = price_of(PRICE_MAX_NANO, PRICE_MAX_NANO);
	struct usage u = usage_of(USAGE_COUNT_MAX, USAGE_COUNT_MAX);
	struct fee_terms terms = { &p, NULL, MULTIPLIER_MAX_PPM };
	int64_t fee = 0;

	ck_assert_int_eq(fee_compute(&u, &terms, &fee, NULL), FEE_OVERFLOW);
	ck_assert_int_eq(fee, INT64_MAX);
}
END_TEST

START_TEST(test_largest_fee_that_fits_is_exact)
{
	/* 10^15 × 10 a million: each token costs 10^10 nano-units. */
	struct price p = price_of(PRICE_MAX_NANO, 0);
	struct usage u = usage_of(UINT64_C(922337203), 0);
	struct fee_terms terms = { &p, NULL, 10000000 };
	int64_t fee = 0;

	ck_assert_int_eq(fee_compute(&u, &terms, &fee, NULL), FEE_OK);
	ck_assert_int_eq(fee, INT64_C(9223372030000000000));
	u.count[USAGE_INPUT] = UINT64_C(922337204);
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, NULL), FEE_OVERFLOW);
}
END_TEST

/* Everything at its largest, unpriced units as tokens too: no product may
 * leave its bits (wide_mul() and wide_add() assert). */
START_TEST(test_the_largest_of_all_is_within_the_bounds)
{
	struct price p;
	struct usage u = { .tier = TIER_PRIORITY, .speed = SPEED_FAST,
		.region = REGION_US };
	struct fee_terms terms = { &p, &p, MULTIPLIER_MAX_PPM };
	int64_t fee;

	price_clear(&p);
	for (int i = 0; i < PRICE_FIELDS_N; i++)
		ck_assert(price_set(&p, &price_fields[i],
		    price_fields[i].kind == PRICE_FIELD_NANO ?
		    PRICE_MAX_NANO : price_fields[i].kind ==
		    PRICE_FIELD_PPM ? MULTIPLIER_MAX_PPM : 1));
	for (int i = 0; i < USAGE_DIMS; i++)
		u.count[i] = USAGE_COUNT_MAX;
	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		u.other.count[i] = USAGE_COUNT_MAX;
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, NULL), FEE_OVERFLOW);
	for (int i = USAGE_IMAGES; i <= USAGE_TOOL_CALLS; i++)
		p.nano[i] = PRICE_UNSET;
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, NULL), FEE_OVERFLOW);
}
END_TEST

static enum fee_how
how_of(const struct usage *u, const struct price *p, enum usage_dim dim)
{
	return fee_line(u, p, dim).how;
}

START_TEST(test_what_has_no_price_is_charged_and_marked)
{
	struct price p = price_of(1000000, 5000000);
	struct fee_terms terms = { &p, NULL, MULTIPLIER_ONE_PPM };
	struct usage u = usage_of(0, 0);
	int64_t fee;
	bool marked;

	u.count[USAGE_INPUT_AUDIO] = 1;
	u.count[USAGE_OUTPUT_IMAGE] = 10;
	u.count[USAGE_TOOL_CALLS] = 2;
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, &marked), FEE_OK);
	ck_assert_int_eq(fee, 1 + 50 + 16000);
	ck_assert(marked);
	ck_assert(!fee_price_covers(&p, &u));
	/* Audio and images as text are no reason to refuse. */
	u.count[USAGE_TOOL_CALLS] = 0;
	ck_assert(fee_price_covers(&p, &u));
	u.count[USAGE_TOOL_CALLS] = 2;
	p.nano[USAGE_INPUT_AUDIO] = p.nano[USAGE_OUTPUT_IMAGE] = 0;
	p.nano[USAGE_TOOL_CALLS] = 7;
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, &marked), FEE_OK);
	ck_assert_int_eq(fee, 14);
	ck_assert(!marked);
	ck_assert(fee_price_covers(&p, &u));
}
END_TEST

START_TEST(test_a_cheap_fallback_is_never_cheaper_than_the_row)
{
	/* Only one token price, and that of another dimension. */
	struct price p = price_of(PRICE_UNSET, PRICE_UNSET);
	struct usage u = usage_of(3, 4);

	p.nano[USAGE_INPUT_AUDIO] = 2000000;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 14);
	ck_assert_int_eq(how_of(&u, &p, USAGE_OUTPUT), FEE_HOW_MARKED);
}
END_TEST

START_TEST(test_one_work_is_charged_by_one_measure)
{
	struct price p = price_of(1000000, 1000000);
	struct usage u = usage_of(10, 0);

	/* An image priced by its tokens isn't charged as an image as well. */
	u.count[USAGE_IMAGES] = 1;
	u.count[USAGE_OUTPUT_IMAGE] = 5;
	p.nano[USAGE_OUTPUT_IMAGE] = 2000000;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 20);
	ck_assert_int_eq(how_of(&u, &p, USAGE_IMAGES), FEE_HOW_INCLUDED);
	/* Nor are the tokens of one that is priced by the image. */
	price_clear(&p);
	p.nano[USAGE_IMAGES] = 40;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 40);
	ck_assert_int_eq(how_of(&u, &p, USAGE_INPUT), FEE_HOW_INCLUDED);
	/* By both, if both are priced. */
	p.nano[USAGE_INPUT] = 1000000;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 40 + 10 + 5);
}
END_TEST

START_TEST(test_nothing_at_all_priced_is_never_free)
{
	struct price p;
	struct fee_terms terms = { &p, NULL, MULTIPLIER_ONE_PPM };
	struct usage u = usage_of(1, 0);
	int64_t fee;
	bool marked;

	price_clear(&p);
	p.nano[USAGE_MILLISECONDS] = 60000;
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, &marked),
	    FEE_UNPRICED);
	ck_assert(marked);
	ck_assert(!fee_price_complete(&p));
	u.count[USAGE_MILLISECONDS] = 30;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 30);
	/* Unless it is so on purpose. */
	price_clear(&p);
	p.flags = PRICE_FREE;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 0);
	ck_assert(fee_price_complete(&p));
}
END_TEST

START_TEST(test_a_minute_is_charged_by_the_millisecond)
{
	struct price p;
	struct usage u = usage_of(0, 0);

	price_clear(&p);
	p.nano[USAGE_MILLISECONDS] = 6100000;	/* 0.0061 a minute */
	u.count[USAGE_MILLISECONDS] = 60000;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 6100000);
	u.count[USAGE_MILLISECONDS] = 1;	/* 101.666… */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 102);
	u.count[USAGE_MILLISECONDS] = 3;	/* 305 */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 305);
}
END_TEST

START_TEST(test_long_contexts_change_the_whole_call)
{
	struct price p = price_of(1000000, 10000000);
	struct usage u = usage_of(90, 1);

	p.nano[USAGE_CACHE_READ] = 500000;
	p.long_above = 100;
	p.long_nano[USAGE_INPUT] = 2000000;
	p.long_nano[USAGE_OUTPUT] = 15000000;
	p.long_ppm[0] = 3000000;
	u.count[USAGE_CACHE_READ] = 10;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 90 + 10 + 5);
	u.count[USAGE_CACHE_READ] = 12;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM),
	    180 + 15 + 18);
	/* What falls back falls back to the long price. */
	u.count[USAGE_CACHE_WRITE_5M] = 1;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM),
	    180 + 15 + 18 + 2);
}
END_TEST

START_TEST(test_images_are_priced_by_size_then_quality)
{
	struct price p;
	struct usage u = usage_of(0, 0);

	price_clear(&p);
	p.image[0] = (struct price_image) { .nano = 11, .width = 1024,
		.height = 1024, .quality = IMAGE_QUALITY_LOW };
	p.image[1] = (struct price_image) { .nano = 42, .width = 1024,
		.height = 1024 };
	p.image[2] = (struct price_image) { .nano = 63, .width = 1024,
		.height = 1536 };
	p.image[3] = (struct price_image) { .nano = 7,
		.quality = IMAGE_QUALITY_LOW };
	p.images = 4;
	u.count[USAGE_IMAGES] = 1;
	u.image_width = u.image_height = 1024;
	u.image_quality = IMAGE_QUALITY_LOW;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 11);
	u.image_quality = IMAGE_QUALITY_HIGH;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 42);
	u.image_width = 1536;	/* landscape or portrait */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 63);
	u.image_width = 2048;	/* none fits: the dearest, marked */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 63);
	ck_assert_int_eq(how_of(&u, &p, USAGE_IMAGES), FEE_HOW_MARKED);
	u.image_quality = IMAGE_QUALITY_LOW;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 7);
	u.image_quality = IMAGE_QUALITY_HIGH;
	p.nano[USAGE_IMAGES] = 50;	/* or what any other costs */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 50);
	ck_assert_int_eq(how_of(&u, &p, USAGE_IMAGES), FEE_HOW_PRICED);
}
END_TEST

START_TEST(test_ways_of_serving_multiply_all_but_calls_and_tools)
{
	struct price p = price_of(1000000, 1000000);
	struct usage u = usage_of(100, 0);

	p.nano[USAGE_CALLS] = 1000;
	p.nano[USAGE_TOOL_CALLS] = 500;
	p.tier_ppm[TIER_FLEX] = 500000;
	p.speed_ppm[SPEED_FAST] = 6000000;
	p.region_ppm[REGION_US] = 1100000;
	u.count[USAGE_CALLS] = u.count[USAGE_TOOL_CALLS] = 1;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 1600);
	u.tier = TIER_FLEX;
	u.speed = SPEED_FAST;
	u.region = REGION_US;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 330 + 1500);
	ck_assert_int_eq(fee_of(&u, &p, 2 * MULTIPLIER_ONE_PPM), 3660);
	u.tier = TIER_BATCH;	/* not set: as it is */
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 660 + 1500);
}
END_TEST

START_TEST(test_the_minimum_is_of_calls_that_used_something)
{
	struct price p = price_of(1000000, 1000000);
	struct usage u = usage_of(0, 0);

	p.minimum_nano = 100;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 0);
	u.count[USAGE_INPUT] = 1;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 100);
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM / 2), 50);
	ck_assert_int_eq(fee_of(&u, &p, 0), 0);
	u.count[USAGE_INPUT] = 101;
	ck_assert_int_eq(fee_of(&u, &p, MULTIPLIER_ONE_PPM), 101);
}
END_TEST

START_TEST(test_another_models_part_is_at_its_own_price)
{
	struct price p = price_of(1000000, 1000000);
	struct price other = price_of(7000000, 9000000);
	struct fee_terms terms = { &p, &other, MULTIPLIER_ONE_PPM };
	struct usage u = usage_of(100, 0);
	int64_t fee;
	bool marked;

	u.other.count[USAGE_INPUT] = 10;
	u.other.count[USAGE_OUTPUT] = 1;
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, &marked), FEE_OK);
	ck_assert_int_eq(fee, 100 + 70 + 9);
	ck_assert(!marked);
	terms.other = NULL;
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, &marked), FEE_OK);
	ck_assert_int_eq(fee, 100 + 10 + 1);
	ck_assert(marked);
}
END_TEST

START_TEST(test_price_check_finds_what_nobody_meant)
{
	struct price p;

	price_clear(&p);
	ck_assert_ptr_nonnull(price_check(&p));
	p.flags = PRICE_FREE;
	ck_assert_ptr_null(price_check(&p));
	p.nano[USAGE_INPUT] = 1;
	ck_assert_ptr_nonnull(price_check(&p));
	p.flags = 0;
	ck_assert_ptr_null(price_check(&p));
	p.nano[USAGE_INPUT] = p.nano[USAGE_OUTPUT] = 0;
	ck_assert_ptr_nonnull(price_check(&p));
	p.nano[USAGE_OUTPUT] = 1;
	ck_assert_ptr_null(price_check(&p));
	p.long_above = 5;	/* for the price of nothing */
	ck_assert_ptr_nonnull(price_check(&p));
	p.long_nano[USAGE_INPUT] = 2;
	ck_assert_ptr_nonnull(price_check(&p));
	p.long_ppm[1] = 1500000;
	ck_assert_ptr_null(price_check(&p));
	p.long_above = 0;
	ck_assert_ptr_nonnull(price_check(&p));
}
END_TEST

START_TEST(test_fields_keep_their_bounds)
{
	struct price p;

	price_clear(&p);
	ck_assert(price_is_sane(&p));
	for (int i = 0; i < PRICE_FIELDS_N; i++) {
		const struct price_field *f = &price_fields[i];
		int64_t most = f->kind == PRICE_FIELD_NANO ? PRICE_MAX_NANO :
		    f->kind == PRICE_FIELD_PPM ? MULTIPLIER_MAX_PPM :
		    (int64_t)USAGE_COUNT_MAX;

		ck_assert_int_eq(price_get(&p, f), PRICE_UNSET);
		ck_assert(!price_set(&p, f, most + 1));
		ck_assert(!price_set(&p, f, -2));
		ck_assert(price_set(&p, f, 0) ==
		    (f->kind == PRICE_FIELD_NANO));
		ck_assert(price_set(&p, f, most));
		ck_assert_int_eq(price_get(&p, f), most);
		ck_assert(price_is_sane(&p));
	}
	p.tier_ppm[TIER_FLEX] = MULTIPLIER_MAX_PPM + 1;
	ck_assert(!price_is_sane(&p));
	p.tier_ppm[TIER_FLEX] = 1;
	p.images = PRICE_IMAGES + 1;
	ck_assert(!price_is_sane(&p));
}
END_TEST

START_TEST(test_clamping_makes_any_bytes_a_usage)
{
	struct usage u;
	struct price p = price_of(PRICE_MAX_NANO, PRICE_MAX_NANO);
	struct fee_terms terms = { &p, NULL, MULTIPLIER_MAX_PPM };
	int64_t fee;

	memset(&u, 0xff, sizeof(u));
	usage_clamp(&u);
	ck_assert_int_eq(fee_compute(&u, &terms, &fee, NULL), FEE_OVERFLOW);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/fee");
	TCase *t = tcase_create("fee");

	tcase_add_test(t, test_fee_is_tokens_times_price);
	tcase_add_test(t, test_fee_is_multiplied_by_the_group);
	tcase_add_test(t, test_fee_rounds_a_half_to_the_even_nano);
	tcase_add_test(t, test_fee_is_rounded_once_over_all_dimensions);
	tcase_add_test(t, test_fee_falls_back_to_the_refined_dimension);
	tcase_add_test(t, test_price_of_output_has_no_fallback);
	tcase_add_test(t, test_fee_beyond_64_bits_is_said_and_cut);
	tcase_add_test(t, test_largest_fee_that_fits_is_exact);
	tcase_add_test(t, test_the_largest_of_all_is_within_the_bounds);
	tcase_add_test(t, test_what_has_no_price_is_charged_and_marked);
	tcase_add_test(t, test_a_cheap_fallback_is_never_cheaper_than_the_row);
	tcase_add_test(t, test_one_work_is_charged_by_one_measure);
	tcase_add_test(t, test_nothing_at_all_priced_is_never_free);
	tcase_add_test(t, test_a_minute_is_charged_by_the_millisecond);
	tcase_add_test(t, test_long_contexts_change_the_whole_call);
	tcase_add_test(t, test_images_are_priced_by_size_then_quality);
	tcase_add_test(t,
	    test_ways_of_serving_multiply_all_but_calls_and_tools);
	tcase_add_test(t, test_the_minimum_is_of_calls_that_used_something);
	tcase_add_test(t, test_another_models_part_is_at_its_own_price);
	tcase_add_test(t, test_price_check_finds_what_nobody_meant);
	tcase_add_test(t, test_fields_keep_their_bounds);
	tcase_add_test(t, test_clamping_makes_any_bytes_a_usage);
	suite_add_tcase(s, t);
	return run_suite(s);
}

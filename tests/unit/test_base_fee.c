/* What a call costs, to the nano. */
#include "base/fee.h"

#include <signal.h>
#include <string.h>

#include "tests/unit/run.h"

static struct price
price_of(int64_t input, int64_t output)
{
	struct price p;

	for (int i = 0; i < USAGE_SLOTS; i++)
		p.nano[i] = PRICE_UNSET;
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
	int64_t fee = -1;

	ck_assert_int_eq(fee_compute(u, p, ppm, &fee), FEE_OK);
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
	int64_t fee = 0;

	ck_assert_int_eq(fee_compute(&u, &p, MULTIPLIER_MAX_PPM, &fee),
	    FEE_OVERFLOW);
	ck_assert_int_eq(fee, INT64_MAX);
}
END_TEST

START_TEST(test_largest_fee_that_fits_is_exact)
{
	/* 10^15 × 10 a million: each token costs 10^10 nano-units. */
	struct price p = price_of(PRICE_MAX_NANO, 0);
	struct usage u = usage_of(UINT64_C(922337203), 0);
	int64_t fee = 0;

	ck_assert_int_eq(fee_compute(&u, &p, 10000000, &fee), FEE_OK);
	ck_assert_int_eq(fee, INT64_C(9223372030000000000));
	u.count[USAGE_INPUT] = UINT64_C(922337204);
	ck_assert_int_eq(fee_compute(&u, &p, 10000000, &fee), FEE_OVERFLOW);
}
END_TEST

START_TEST(test_unpriced_dimension_with_a_count_is_our_own_error)
{
	struct price p = price_of(1, PRICE_UNSET);
	struct usage u = usage_of(1, 1);
	int64_t fee;

	(void)!fee_compute(&u, &p, MULTIPLIER_ONE_PPM, &fee);
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
	tcase_add_test_raise_signal(t,
	    test_unpriced_dimension_with_a_count_is_our_own_error, SIGABRT);
	suite_add_tcase(s, t);
	return run_suite(s);
}

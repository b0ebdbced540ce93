/* Amounts as people write them. */
#include "base/money.h"

#include <string.h>

#include "tests/unit/run.h"

static int64_t
parsed(const char *text)
{
	int64_t nano = -7;

	ck_assert_msg(money_parse(text, &nano) == MONEY_OK, "%s", text);
	return nano;
}

START_TEST(test_amounts_are_read_to_the_nano)
{
	ck_assert_int_eq(parsed("12.5"), INT64_C(12500000000));
	ck_assert_int_eq(parsed("0.000000001"), 1);
	ck_assert_int_eq(parsed("-0.000000001"), -1);
	ck_assert_int_eq(parsed("+3"), INT64_C(3000000000));
	ck_assert_int_eq(parsed("007"), INT64_C(7000000000));
	ck_assert_int_eq(parsed("1.5000000000000"), INT64_C(1500000000));
	ck_assert_int_eq(parsed("1000000000"), MONEY_AMOUNT_MAX);
	ck_assert_int_eq(parsed("-0"), 0);
}
END_TEST

START_TEST(test_amounts_that_are_no_decimal_numbers_are_refused)
{
	static const char *const bad[] = { "", "-", "+", ".", ".5", "5.",
		"1e3", "1,5", " 1", "1 ", "0x10", "--1", "1.2.3", "inf",
		"nan", "1_000", NULL };
	int64_t nano = 77;

	for (int i = 0; bad[i] != NULL; i++)
		ck_assert_msg(money_parse(bad[i], &nano) == MONEY_BAD_SYNTAX,
		    "'%s'", bad[i]);
	ck_assert_int_eq(nano, 77);
}
END_TEST

START_TEST(test_amounts_that_cannot_be_kept_exactly_are_refused)
{
	int64_t nano;

	ck_assert_int_eq(money_parse("0.0000000001", &nano),
	    MONEY_TOO_PRECISE);
	ck_assert_int_eq(money_parse("1000000000.000000001", &nano),
	    MONEY_TOO_LARGE);
	ck_assert_int_eq(money_parse("99999999999999999999999", &nano),
	    MONEY_TOO_LARGE);
	ck_assert_int_eq(money_parse("-1000000001", &nano), MONEY_TOO_LARGE);
}
END_TEST

START_TEST(test_amounts_are_written_with_as_few_places_as_wanted)
{
	char text[MONEY_TEXT_BYTES];

	money_format(INT64_C(12500000000), 0, text);
	ck_assert_str_eq(text, "12.5");
	money_format(INT64_C(12500000000), 2, text);
	ck_assert_str_eq(text, "12.50");
	money_format(-1, 0, text);
	ck_assert_str_eq(text, "-0.000000001");
	money_format(0, 0, text);
	ck_assert_str_eq(text, "0");
	money_format(INT64_C(3000000000), 9, text);
	ck_assert_str_eq(text, "3.000000000");
}
END_TEST

START_TEST(test_extreme_amounts_are_written_in_full)
{
	char text[MONEY_TEXT_BYTES];

	money_format(INT64_MAX, 9, text);
	ck_assert_str_eq(text, "9223372036.854775807");
	money_format(INT64_MIN, 9, text);
	ck_assert_str_eq(text, "-9223372036.854775808");
}
END_TEST

START_TEST(test_what_is_written_reads_the_same)
{
	static const int64_t amounts[] = { 0, 1, -1, 999999999, 1000000000,
		INT64_C(123456789012345678), -INT64_C(500000000) };
	char text[MONEY_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		money_format(amounts[i], 2, text);
		ck_assert_int_eq(parsed(text), amounts[i]);
	}
}
END_TEST

START_TEST(test_multipliers_are_parts_per_million)
{
	char text[MONEY_TEXT_BYTES];
	uint32_t ppm = 5;

	ck_assert_int_eq(ppm_parse("1.25", &ppm), MONEY_OK);
	ck_assert_uint_eq(ppm, 1250000);
	ppm_format(ppm, text);
	ck_assert_str_eq(text, "1.25");
	ck_assert_int_eq(ppm_parse("0", &ppm), MONEY_OK);
	ck_assert_uint_eq(ppm, 0);
	ck_assert_int_eq(ppm_parse("1000", &ppm), MONEY_OK);
	ck_assert_int_eq(ppm_parse("1000.000001", &ppm), MONEY_TOO_LARGE);
	ck_assert_int_eq(ppm_parse("0.0000001", &ppm), MONEY_TOO_PRECISE);
	ck_assert_int_eq(ppm_parse("-1", &ppm), MONEY_BAD_SYNTAX);
}
END_TEST

START_TEST(test_sums_that_do_not_fit_are_refused)
{
	int64_t sum = 9;

	ck_assert(money_add(INT64_MAX - 1, 1, &sum));
	ck_assert_int_eq(sum, INT64_MAX);
	ck_assert(!money_add(INT64_MAX, 1, &sum));
	ck_assert(!money_add(INT64_MIN, -1, &sum));
	ck_assert_int_eq(sum, INT64_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/money");
	TCase *t = tcase_create("money");

	tcase_add_test(t, test_amounts_are_read_to_the_nano);
	tcase_add_test(t,
	    test_amounts_that_are_no_decimal_numbers_are_refused);
	tcase_add_test(t,
	    test_amounts_that_cannot_be_kept_exactly_are_refused);
	tcase_add_test(t,
	    test_amounts_are_written_with_as_few_places_as_wanted);
	tcase_add_test(t, test_extreme_amounts_are_written_in_full);
	tcase_add_test(t, test_what_is_written_reads_the_same);
	tcase_add_test(t, test_multipliers_are_parts_per_million);
	tcase_add_test(t, test_sums_that_do_not_fit_are_refused);
	suite_add_tcase(s, t);
	return run_suite(s);
}

/* Prices in minor units of their currency. */
#include "base/currency.h"

#include "tests/unit/run.h"

START_TEST(test_minor_units_follow_the_currency)
{
	static const struct {
		const char *text, *code;
		int64_t minor;
		const char *back;
	} good[] = {
		{ "19.99", "EUR", 1999, "19.99" },
		{ "20", "EUR", 2000, "20.00" },
		{ "0.5", "USD", 50, "0.50" },
		{ "0", "USD", 0, "0.00" },
		{ "1500", "JPY", 1500, "1500" },
		{ "1.234", "KWD", 1234, "1.234" },
		{ "1.2345", "CLF", 12345, "1.2345" },
		{ "10000000000000", "EUR", CURRENCY_MINOR_MAX,
		    "10000000000000.00" }
	};
	char text[CURRENCY_TEXT_BYTES];
	int64_t minor;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(currency_parse(good[i].text, good[i].code,
		    &minor), "%s", good[i].text);
		ck_assert_int_eq(minor, good[i].minor);
		currency_format(minor, good[i].code, text);
		ck_assert_str_eq(text, good[i].back);
	}
}
END_TEST

START_TEST(test_what_a_currency_cannot_hold_is_refused)
{
	static const char *const bad[] = { "", "-1", "+1", "1.", ".5", "1.999",
		"1e3", "1,5", " 1", "1 ", "nan", "1.2.3", "10000000000000.01",
		"99999999999999999999999999", NULL };
	int64_t minor = 7;
	int i;

	for (i = 0; bad[i] != NULL; i++)
		ck_assert_msg(!currency_parse(bad[i], "EUR", &minor), "'%s'",
		    bad[i]);
	ck_assert(!currency_parse("1.5", "JPY", &minor));
	ck_assert(!currency_parse("1000000000000000", "CLF", &minor));
	ck_assert_int_eq(minor, 7);
}
END_TEST

START_TEST(test_codes_are_three_capital_letters)
{
	ck_assert(currency_is_code("EUR"));
	ck_assert(!currency_is_code("eur"));
	ck_assert(!currency_is_code("EURO"));
	ck_assert(!currency_is_code("E1R"));
	ck_assert(!currency_is_code(""));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("base_currency");
	TCase *tc = tcase_create("currency");

	tcase_add_test(tc, test_minor_units_follow_the_currency);
	tcase_add_test(tc, test_what_a_currency_cannot_hold_is_refused);
	tcase_add_test(tc, test_codes_are_three_capital_letters);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

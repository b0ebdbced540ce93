/* Codes by the time: RFC 6238's vectors, which of them are accepted, and what
 * an authenticator is told. */
#include "base/totp.h"

#include <string.h>

#include "tests/unit/run.h"

static const uint8_t secret[] = "12345678901234567890";

/* Appendix B, of SHA-1. */
START_TEST(test_codes_are_rfc_6238s)
{
	static const struct {
		int64_t s;
		const char *code;
	} vectors[] = {
		{ 59, "94287082" }, { 1111111109, "07081804" },
		{ 1111111111, "14050471" }, { 1234567890, "89005924" },
		{ 2000000000, "69279037" }, { 20000000000, "65353130" },
	};
	char text[9];

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		totp_code(secret, vectors[i].s / TOTP_PERIOD_S, 8, text);
		ck_assert_str_eq(text, vectors[i].code);
		totp_code(secret, vectors[i].s / TOTP_PERIOD_S, 6, text);
		ck_assert_str_eq(text, vectors[i].code + 2);
	}
}
END_TEST

/* 1111111109 is in step 37037036, "081804"; the next one is "050471". */
START_TEST(test_a_code_is_good_for_a_step_around_its_own_and_once)
{
	const int64_t step = 37037036, begin = step * TOTP_PERIOD_S;
	struct wall_time now = { (begin + 29) * 1000000 };

	ck_assert_int_eq(totp_match(secret, now, 0, "081804"), step);
	ck_assert_int_eq(totp_match(secret, now, step - 1, "081804"), step);
	ck_assert_int_eq(totp_match(secret, now, step, "081804"), 0);
	ck_assert_int_eq(totp_match(secret, now, step, "050471"), step + 1);
	ck_assert_int_eq(totp_match(secret, now, 0, "081805"), 0);
	ck_assert_int_eq(totp_match(secret, now, 0, "81804"), 0);
	ck_assert_int_eq(totp_match(secret, now, 0, ""), 0);
	ck_assert_int_eq(totp_match(secret, now, 0, "0818040"), 0);
	now.us = (begin - 31) * 1000000;
	ck_assert_int_eq(totp_match(secret, now, 0, "081804"), 0);
	now.us = (begin - 30) * 1000000;
	ck_assert_int_eq(totp_match(secret, now, 0, "081804"), step);
	now.us = (begin + 59) * 1000000;
	ck_assert_int_eq(totp_match(secret, now, 0, "081804"), step);
	now.us = (begin + 60) * 1000000;
	ck_assert_int_eq(totp_match(secret, now, 0, "081804"), 0);
}
END_TEST

/* RFC 4648, section 10, without the padding. */
START_TEST(test_base32_is_rfc_4648s)
{
	static const char *const plain[] = { "", "f", "fo", "foo", "foob",
		"fooba", "foobar" };
	static const char *const coded[] = { "", "MY", "MZXQ", "MZXW6",
		"MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI" };
	char text[BASE32_TEXT_BYTES(6)];

	for (size_t i = 0; i < 7; i++) {
		base32_encode(plain[i], strlen(plain[i]), text);
		ck_assert_str_eq(text, coded[i]);
	}
}
END_TEST

START_TEST(test_an_authenticator_is_told_everything)
{
	char uri[256];

	ck_assert(totp_uri(secret, "You & Yun", "a+b@c.example", uri,
	    sizeof uri));
	ck_assert_str_eq(uri, "otpauth://totp/You%20%26%20Yun:a%2Bb%40"
	    "c.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	    "&issuer=You%20%26%20Yun&algorithm=SHA1&digits=6&period=30");
	ck_assert(!totp_uri(secret, "You & Yun", "a+b@c.example", uri, 60));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("totp");
	TCase *tc = tcase_create("totp");

	tcase_add_test(tc, test_codes_are_rfc_6238s);
	tcase_add_test(tc,
	    test_a_code_is_good_for_a_step_around_its_own_and_once);
	tcase_add_test(tc, test_base32_is_rfc_4648s);
	tcase_add_test(tc, test_an_authenticator_is_told_everything);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

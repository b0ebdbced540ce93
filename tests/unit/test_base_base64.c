/* Base64 and mail addresses: the vectors of RFC 4648 and what is refused. */
#include "base/base64.h"
#include "base/mail_address.h"

#include <string.h>

#include "tests/unit/run.h"

START_TEST(test_the_vectors_of_the_rfc_decode)
{
	static const struct {
		const char *text, *bytes;
	} good[] = {
		{ "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" },
		{ "Zm9v", "foo" }, { "Zm9vYg==", "foob" },
		{ "Zm9vYmE=", "fooba" }, { "Zm9vYmFy", "foobar" },
		{ "+/8=", "\xfb\xff" },
	};
	char out[16], text[16];
	size_t len;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		ck_assert(base64_decode(good[i].text, strlen(good[i].text),
		    out, &len));
		ck_assert_uint_eq(len, strlen(good[i].bytes));
		ck_assert(memcmp(out, good[i].bytes, len) == 0);
		base64_encode(good[i].bytes, len, text);
		ck_assert_str_eq(text, good[i].text);
	}
}
END_TEST

START_TEST(test_what_is_no_base64_is_refused)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg=a", "=g==",
		"Zh==", "Zm9=", "Zm 8", "Zm9v\n", "Z===", "====", "Zg==Zg==",
		"Zm9-", "Zm9_", "Z\xc3\xa4=" };
	char out[16];
	size_t len;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!base64_decode(bad[i], strlen(bad[i]), out,
		    &len), "%s", bad[i]);
}
END_TEST

START_TEST(test_an_address_is_one_and_nothing_else)
{
	static const char *const good[] = { "ops@example.com",
		"a.b+c_d=e~f-g@mail.example.co.uk", "1@x-y.de" };
	static const char *const bad[] = { "", "@", "ops", "ops@", "@a.b",
		"ops@localhost", "-f@example.com", "a b@example.com",
		"Ops <ops@example.com>", "ops@example.com,x@example.com",
		"ops@example.com\nBcc: x@example.com", "a..b@example.com",
		".a@example.com", "a.@example.com", "a@b@example.com",
		"ops@-x.com", "ops@x..com", "ops@x.com.", "h\xc3\xb6@x.com",
		"\"a\"@example.com", "a|b@example.com", "`a`@example.com" };

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(mail_address_ok(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!mail_address_ok(bad[i]), "%s", bad[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("base64");
	TCase *tc = tcase_create("decode");

	tcase_add_test(tc, test_the_vectors_of_the_rfc_decode);
	tcase_add_test(tc, test_what_is_no_base64_is_refused);
	tcase_add_test(tc, test_an_address_is_one_and_nothing_else);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

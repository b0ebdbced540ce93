/* Who may tell of payments. */
#include "base/payment.h"

#include <string.h>

#include "base/bytes.h"
#include "tests/unit/run.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"

/* printf '%s' '1700000000.{"id":"p1"}' |
 *     openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef */
#define BODY "{\"id\":\"p1\"}"
#define AT "1700000000"
#define MAC "64aa02541729b789018b668061ad07d230475ab109dbc6ef50eebf495ccf73d5"

static void
parse(struct payment_keys *keys, const char *text)
{
	const char *why;

	memset(keys, 0, sizeof *keys);
	ck_assert(payment_secrets_parse(keys, text, strlen(text), &why));
}

static bool
is_signed(const struct payment_keys *keys, const char *signature,
    const char *at, const char *body)
{
	return payment_signed(keys, signature, at, body, strlen(body));
}

START_TEST(test_an_hmac_is_believed_and_nothing_else)
{
	struct payment_keys keys;
	char changed[] = MAC;

	parse(&keys, SECRET "\n");
	ck_assert(is_signed(&keys, MAC, AT, BODY));
	ck_assert(!is_signed(&keys, MAC, "1700000001", BODY));
	ck_assert(!is_signed(&keys, MAC, AT, BODY " "));
	ck_assert(!is_signed(&keys, "", AT, BODY));
	ck_assert(!is_signed(&keys, MAC "0", AT, BODY));
	changed[10] = changed[10] == '0' ? '1' : '0';
	ck_assert(!is_signed(&keys, changed, AT, BODY));
	/* The place of the point is part of what is signed. */
	ck_assert(!is_signed(&keys, MAC, "170000000", "0." BODY));
	parse(&keys, OTHER);
	ck_assert(!is_signed(&keys, MAC, AT, BODY));
}
END_TEST

START_TEST(test_an_old_secret_goes_on_beside_a_new_one)
{
	struct payment_keys keys;

	parse(&keys, OTHER "\n" SECRET "\n");
	ck_assert_uint_eq(keys.secrets, 2);
	ck_assert(is_signed(&keys, MAC, AT, BODY));
}
END_TEST

START_TEST(test_without_keys_nothing_is_believed)
{
	struct payment_keys keys = { 0 };
	char zeros[129];

	ck_assert(!payment_keys_any(&keys));
	ck_assert(!is_signed(&keys, MAC, AT, BODY));
	memset(zeros, '0', 128);
	zeros[128] = '\0';
	ck_assert(!is_signed(&keys, zeros, AT, BODY));
}
END_TEST

/* RFC 8032, section 7.1, test 3: the message is af 82.  It is cut so that its
 * point stands where ours does, which no vector has; so a bad one it is. */
START_TEST(test_a_signature_of_something_else_is_refused)
{
	struct payment_keys keys = { .has_public_key = true };
	const char *signature =
	    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";

	ck_assert(hex_decode("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac"
	    "5deb911548908025", keys.public_key, 32));
	ck_assert(!is_signed(&keys, signature, AT, BODY));
}
END_TEST

/* Made with openssl genpkey -algorithm ed25519 and
 * openssl pkeyutl -sign -rawin. */
START_TEST(test_an_ed25519_signature_is_believed)
{
	struct payment_keys keys = { .has_public_key = true };

	ck_assert(hex_decode("bb0ea59f8c51b644e0b31eabd1099235a38d64d1c7b7e664c8bd23f88b329384", keys.public_key, 32));
	ck_assert(is_signed(&keys, "d6038e1ad77869ec0724adca7a534186d3170848bc5ce8465d7889652ff086c0"
	    "414f1e5bff466b1379d3bb935f97076e613f3942141f1495afd7103e4ae7240d", AT, BODY));
	ck_assert(!is_signed(&keys, "d6038e1ad77869ec0724adca7a534186d3170848bc5ce8465d7889652ff086c0"
	    "414f1e5bff466b1379d3bb935f97076e613f3942141f1495afd7103e4ae7240d", AT, BODY "\n"));
}
END_TEST

START_TEST(test_bad_files_are_refused_in_words)
{
	static const char *const bad[] = { "", "\n", "short\n",
		SECRET "\n\n", SECRET " \n", SECRET "\t" SECRET "\n",
		SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" };
	struct payment_keys keys;
	const char *why;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		ck_assert(!payment_secrets_parse(&keys, bad[i],
		    strlen(bad[i]), &why));
		ck_assert_ptr_nonnull(why);
	}
}
END_TEST

START_TEST(test_the_window_has_two_sides)
{
	ck_assert(payment_timely("1000", 1000, 300));
	ck_assert(payment_timely("700", 1000, 300));
	ck_assert(payment_timely("1300", 1000, 300));
	ck_assert(!payment_timely("699", 1000, 300));
	ck_assert(!payment_timely("1301", 1000, 300));
	ck_assert(!payment_timely("", 1000, 300));
	ck_assert(!payment_timely("-1000", 1000, 300));
	ck_assert(!payment_timely("1000 ", 1000, 300));
	ck_assert(!payment_timely("+1000", 1000, 300));
	ck_assert(!payment_timely("10000000000000000000000", 1000, 300));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("payment");
	TCase *tc = tcase_create("signature");

	tcase_add_test(tc, test_an_hmac_is_believed_and_nothing_else);
	tcase_add_test(tc, test_an_old_secret_goes_on_beside_a_new_one);
	tcase_add_test(tc, test_without_keys_nothing_is_believed);
	tcase_add_test(tc, test_a_signature_of_something_else_is_refused);
	tcase_add_test(tc, test_an_ed25519_signature_is_believed);
	tcase_add_test(tc, test_bad_files_are_refused_in_words);
	tcase_add_test(tc, test_the_window_has_two_sides);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

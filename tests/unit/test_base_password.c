/* scrypt by RFC 7914's vectors, and what is kept of a password. */
#include "base/password.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "tests/unit/run.h"

static struct key_hasher *
hasher_of(uint8_t pepper)
{
	struct secrets s;

	memset(&s, pepper, sizeof s);
	return key_hasher_open(&s);
}

/* Section 12; the fourth takes a gigabyte. */
START_TEST(test_scrypt_is_rfc_7914s)
{
	static const struct {
		struct password_cost cost;
		const char *password, *salt, *hash;
	} vectors[] = {
		{ { 4, 1, 1 }, "", "",
		  "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fed"
		  "e21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35"
		  "e20c38d18906" },
		{ { 10, 8, 16 }, "password", "NaCl",
		  "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b"
		  "3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360"
		  "cbdfa2cc0640" },
		{ { 14, 8, 1 }, "pleaseletmein", "SodiumChloride",
		  "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f654"
		  "5da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf"
		  "017b45575887" },
	};
	uint8_t hash[64];
	char hex[129];

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		ck_assert(password_scrypt(vectors[i].cost,
		    vectors[i].password, strlen(vectors[i].password),
		    vectors[i].salt, strlen(vectors[i].salt), hash,
		    sizeof hash));
		hex_encode(hash, sizeof hash, hex);
		ck_assert_str_eq(hex, vectors[i].hash);
	}
}
END_TEST

START_TEST(test_a_password_is_known_again_and_no_other)
{
	struct key_hasher *h = hasher_of(7), *other = hasher_of(8);
	char verifier[PASSWORD_VERIFIER_BYTES], again[sizeof verifier];

	ck_assert(password_make(h, "correct horse", verifier));
	ck_assert_int_eq(strncmp(verifier, "scrypt:15:8:3:", 14), 0);
	ck_assert_int_eq(password_check(h, "correct horse", verifier),
	    PASSWORD_OK);
	ck_assert_int_eq(password_check(h, "correct horsf", verifier),
	    PASSWORD_WRONG);
	ck_assert_int_eq(password_check(h, "", verifier), PASSWORD_WRONG);
	/* Without the pepper it is of no use. */
	ck_assert_int_eq(password_check(other, "correct horse", verifier),
	    PASSWORD_WRONG);
	ck_assert(password_make(h, "correct horse", again));
	ck_assert_str_ne(verifier, again);
	key_hasher_close(&h);
	key_hasher_close(&other);
}
END_TEST

START_TEST(test_weaker_parameters_are_right_and_outdated)
{
	static const struct password_cost weak = { 14, 8, 1 };
	struct key_hasher *h = hasher_of(7);
	uint8_t keyed[KEY_DIGEST_BYTES], hash[32];
	char verifier[PASSWORD_VERIFIER_BYTES], hex[65];

	key_hasher_digest_of(h, "password", "old", keyed);
	ck_assert(password_scrypt(weak, keyed, sizeof keyed,
	    "0123456789abcdef", 16, hash, sizeof hash));
	hex_encode(hash, sizeof hash, hex);
	snprintf(verifier, sizeof verifier, "scrypt:14:8:1:"
	    "30313233343536373839616263646566:%s", hex);
	ck_assert_int_eq(password_check(h, "old", verifier),
	    PASSWORD_OUTDATED);
	ck_assert_int_eq(password_check(h, "new", verifier), PASSWORD_WRONG);
	key_hasher_close(&h);
}
END_TEST

/* What stands in the database must not take all memory, or match nothing. */
START_TEST(test_what_is_no_verifier_is_wrong)
{
	static const char zeros[] = "00000000000000000000000000000000";
	static const char *const bad[] = { "", "x", "scrypt:15:8:3:00:00",
		"scrypt:31:8:3:%s:%s%s", "scrypt:15:99:3:%s:%s%s",
		"scrypt:15:8:99:%s:%s%s", "scrypt:0:8:1:%s:%s%s",
		"scrypt:15:8:1:%s:%s%s0", "scrypt:15:-8:1:%s:%s%s" };
	struct key_hasher *h = hasher_of(7);
	char text[256];

	ck_assert_int_eq(password_check(h, "", NULL), PASSWORD_WRONG);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *rest = strchr(bad[i], '%');

		snprintf(text, sizeof text, "%s", bad[i]);
		if (rest != NULL)
			snprintf(text, sizeof text, "%.*s%s:%s%s%s",
			    (int)(rest - bad[i]), bad[i], zeros, zeros,
			    zeros, rest + strlen("%s:%s%s"));
		ck_assert_msg(password_check(h, "", text) == PASSWORD_WRONG,
		    "%s", text);
	}
	key_hasher_close(&h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("password");
	TCase *tc = tcase_create("password");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_scrypt_is_rfc_7914s);
	tcase_add_test(tc, test_a_password_is_known_again_and_no_other);
	tcase_add_test(tc, test_weaker_parameters_are_right_and_outdated);
	tcase_add_test(tc, test_what_is_no_verifier_is_wrong);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

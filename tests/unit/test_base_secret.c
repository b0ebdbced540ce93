/* Key digests, sealed credentials, customers' keys, the secrets' file. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "tests/unit/run.h"

static char dir[] = "/tmp/youyun-secret-XXXXXX";
static char path[64];

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/secrets", dir);
}

static void
tear_down(void)
{
	unlink(path);
	rmdir(dir);
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
}

static struct secrets
some_secrets(void)
{
	struct secrets s = { .seals = 1, .seal = { { .id = 1 } } };

	memset(s.pepper, 0x0b, sizeof(s.pepper));
	memset(s.seal[0].key, 0x42, sizeof(s.seal[0].key));
	return s;
}

START_TEST(test_digest_is_hmac_sha_256)
{
	/* RFC 4231 case 1 has a key of 20 bytes; HMAC pads keys with zeros,
	 * so its pepper is that key followed by zeros. */
	struct secrets s;
	struct key_hasher *hasher;
	uint8_t digest[KEY_DIGEST_BYTES];
	char hex[2 * KEY_DIGEST_BYTES + 1];

	memset(&s, 0, sizeof(s));
	memset(s.pepper, 0x0b, 20);
	hasher = key_hasher_open(&s);
	ck_assert_ptr_nonnull(hasher);
	/* Twice, because the keyed state is used again. */
	for (int i = 0; i < 2; i++) {
		key_hasher_digest(hasher, "Hi There", 8, digest);
		hex_encode(digest, sizeof(digest), hex);
		ck_assert_str_eq(hex, "b0344c61d8db38535ca8afceaf0bf12b"
		    "881dc200c9833da726e9376c2e32cff7");
	}
	key_hasher_close(&hasher);
	ck_assert_ptr_null(hasher);
}
END_TEST

START_TEST(test_sealed_credential_comes_back)
{
	struct secrets s = some_secrets();
	char plain[] = "sk-upstream-credential", back[sizeof(plain)];
	uint8_t sealed[sizeof(plain) + SEAL_OVERHEAD];

	ck_assert(secret_seal(&s, "main", plain, sizeof(plain), sealed));
	ck_assert_ptr_null(memmem(sealed, sizeof(sealed), "upstream", 8));
	ck_assert(secret_unseal(&s, "main", sealed, sizeof(sealed), back));
	ck_assert_str_eq(back, plain);
}
END_TEST

START_TEST(test_sealed_empty_credential_comes_back)
{
	struct secrets s = some_secrets();
	uint8_t sealed[SEAL_OVERHEAD];
	char none[1] = "";

	ck_assert(secret_seal(&s, "main", none, 0, sealed));
	ck_assert(secret_unseal(&s, "main", sealed, sizeof(sealed), none));
}
END_TEST

START_TEST(test_sealing_twice_gives_different_bytes)
{
	struct secrets s = some_secrets();
	uint8_t a[4 + SEAL_OVERHEAD], b[4 + SEAL_OVERHEAD];

	ck_assert(secret_seal(&s, "main", "same", 4, a));
	ck_assert(secret_seal(&s, "main", "same", 4, b));
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

START_TEST(test_seal_holds_against_every_changed_bit)
{
	struct secrets s = some_secrets();
	uint8_t sealed[6 + SEAL_OVERHEAD];
	char back[6], zero[6] = { 0 };

	ck_assert(secret_seal(&s, "main", "secret", 6, sealed));
	for (size_t i = 0; i < 8 * sizeof(sealed); i++) {
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		memset(back, 1, sizeof(back));
		ck_assert(!secret_unseal(&s, "main", sealed, sizeof(sealed),
		    back));
		ck_assert_mem_eq(back, zero, sizeof(back));
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ck_assert(secret_unseal(&s, "main", sealed, sizeof(sealed), back));
}
END_TEST

START_TEST(test_seal_is_bound_to_its_context_and_length)
{
	struct secrets s = some_secrets();
	uint8_t sealed[6 + SEAL_OVERHEAD];
	char back[6];

	ck_assert(secret_seal(&s, "main", "secret", 6, sealed));
	ck_assert(!secret_unseal(&s, "other", sealed, sizeof(sealed), back));
	ck_assert(!secret_unseal(&s, "main", sealed, sizeof(sealed) - 1,
	    back));
	ck_assert(!secret_unseal(&s, "main", sealed, SEAL_OVERHEAD - 1,
	    back));
	s.seal[0].key[0] ^= 1;
	ck_assert(!secret_unseal(&s, "main", sealed, sizeof(sealed), back));
}
END_TEST

/* Who has the derived one opens what it sealed itself, and nothing else. */
START_TEST(test_a_derived_seal_is_another)
{
	struct secrets s, derived, other;
	uint8_t sealed[6 + SEAL_OVERHEAD], plain[6];

	s = derived = other = some_secrets();
	secrets_derive_seal(&derived, "one");
	secrets_derive_seal(&other, "two");
	ck_assert_mem_eq(derived.pepper, s.pepper, sizeof(s.pepper));
	ck_assert(secret_seal(&derived, "main", "secret", 6, sealed));
	ck_assert(!secret_unseal(&s, "main", sealed, sizeof(sealed), plain));
	ck_assert(!secret_unseal(&other, "main", sealed, sizeof(sealed),
	    plain));
	ck_assert(secret_unseal(&derived, "main", sealed, sizeof(sealed),
	    plain));
	secrets_derive_seal(&s, "one");
	ck_assert(secret_unseal(&s, "main", sealed, sizeof(sealed), plain));
}
END_TEST

START_TEST(test_made_keys_are_plausible_and_different)
{
	char a[API_KEY_LEN + 1], b[API_KEY_LEN + 1];

	for (int i = 0; i < 100; i++) {
		api_key_make(a);
		api_key_make(b);
		ck_assert_uint_eq(strlen(a), API_KEY_LEN);
		ck_assert_int_eq(strncmp(a, "sk-yy-", 6), 0);
		ck_assert(api_key_plausible(a, API_KEY_LEN));
		ck_assert_str_ne(a, b);
	}
}
END_TEST

START_TEST(test_keys_with_a_typing_error_are_not_plausible)
{
	char key[API_KEY_LEN + 1];

	api_key_make(key);
	ck_assert(!api_key_plausible(key, API_KEY_LEN - 1));
	for (int i = 0; i < API_KEY_LEN; i++) {
		char was = key[i];

		key[i] = was == 'a' ? 'b' : 'a';
		ck_assert(!api_key_plausible(key, API_KEY_LEN));
		key[i] = '\0';
		ck_assert(!api_key_plausible(key, API_KEY_LEN));
		key[i] = '-';
		if (was != '-')
			ck_assert(!api_key_plausible(key, API_KEY_LEN));
		key[i] = was;
	}
}
END_TEST

START_TEST(test_checksum_of_a_known_key)
{
	/* crc32(sk-yy- and 36 times 0) by an independent implementation,
	 * in base 62: the format is for ever. */
	ck_assert(api_key_plausible(
	    "sk-yy-000000000000000000000000000000000000" "34yXWz",
	    API_KEY_LEN));
}
END_TEST

START_TEST(test_hint_shows_four_at_each_end)
{
	char hint[API_KEY_HINT_BYTES];

	api_key_hint("sk-yy-ABCDefghijklmnopqrstuvwxyz0123456789"
	    "zzWXYZ", hint);
	ck_assert_str_eq(hint, "sk-yy-ABCD\xe2\x80\xa6WXYZ");
}
END_TEST

START_TEST(test_secrets_file_is_made_once_and_read_again)
{
	struct secrets made, again;
	struct stat st;

	ck_assert_int_eq(secrets_read(path, &again), SECRET_MISSING);
	ck_assert_int_eq(secrets_create(path, &made), SECRET_OK);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(secrets_read(path, &again), SECRET_OK);
	ck_assert_mem_eq(&made, &again, sizeof(made));
	ck_assert_mem_ne(made.pepper, made.seal[0].key, SECRET_BYTES);
	ck_assert_uint_eq(made.seals, 1);
	ck_assert_uint_eq(made.seal[0].id, 1);
	ck_assert_int_eq(secrets_create(path, &made), SECRET_IO);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(secrets_read(path, &made), SECRET_OK);
	ck_assert_mem_eq(&made, &again, sizeof(made));
}
END_TEST

START_TEST(test_secrets_file_that_others_read_is_refused)
{
	struct secrets s;

	ck_assert_int_eq(secrets_create(path, &s), SECRET_OK);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(secrets_read(path, &s), SECRET_OPEN_TO_OTHERS);
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(secrets_read(path, &s), SECRET_OPEN_TO_OTHERS);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(secrets_read(path, &s), SECRET_OK);
}
END_TEST

START_TEST(test_secrets_file_that_is_damaged_is_refused)
{
	struct secrets s;
	int fd;

	ck_assert_int_eq(secrets_read(dir, &s), SECRET_BAD);
	ck_assert_int_eq(secrets_create(path, &s), SECRET_OK);
	fd = open(path, O_RDWR);
	ck_assert_int_eq(pwrite(fd, "g", 1, 20), 1);
	ck_assert_int_eq(secrets_read(path, &s), SECRET_BAD);
	ck_assert_int_eq(pwrite(fd, "a", 1, 20), 1);
	ck_assert_int_eq(secrets_read(path, &s), SECRET_OK);
	ck_assert_int_eq(ftruncate(fd, 143), 0);
	ck_assert_int_eq(secrets_read(path, &s), SECRET_BAD);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(secrets_read(path, &s), SECRET_BAD);
	close(fd);
}
END_TEST

/* One that is added opens and doesn't seal before it is told to. */
START_TEST(test_a_key_follows_another)
{
	struct secrets s = some_secrets(), old = s;
	uint8_t by_1[6 + SEAL_OVERHEAD], by_2[6 + SEAL_OVERHEAD];
	char back[6];

	ck_assert_uint_eq(secrets_add_seal(&s), 2);
	ck_assert(secret_seal(&s, "main", "secret", 6, by_1));
	ck_assert_uint_eq(secret_sealed_by(by_1, sizeof(by_1)), 1);
	secrets_seal_by(&s, 2);
	ck_assert(secret_seal(&s, "main", "secret", 6, by_2));
	ck_assert_uint_eq(secret_sealed_by(by_2, sizeof(by_2)), 2);
	ck_assert(secret_unseal(&s, "main", by_1, sizeof(by_1), back));
	ck_assert(secret_unseal(&s, "main", by_2, sizeof(by_2), back));
	ck_assert(secret_unseal(&old, "main", by_1, sizeof(by_1), back));
	ck_assert(!secret_unseal(&old, "main", by_2, sizeof(by_2), back));
	/* Its id is no hint that could be changed. */
	by_1[1] = 2;
	ck_assert(!secret_unseal(&s, "main", by_1, sizeof(by_1), back));
	ck_assert_uint_eq(secrets_seal_ids(&s), 0x0102);
	secrets_remove_seal(&s, 1);
	ck_assert_uint_eq(secrets_seal_ids(&s), 2);
	ck_assert_uint_eq(secret_sealed_by(by_1, SEAL_OVERHEAD - 1), 0);
}
END_TEST

START_TEST(test_ids_go_round_and_never_meet)
{
	struct secrets s = some_secrets();
	uint8_t id;

	for (int i = 0; i < 600; i++) {
		id = secrets_add_seal(&s);
		ck_assert_uint_ne(id, 0);
		ck_assert_int_eq(secrets_find_seal(&s, id), s.seals - 1);
		secrets_seal_by(&s, id);
		if (s.seals > 3)
			secrets_remove_seal(&s, s.seal[3].id);
	}
	while (s.seals < SEAL_KEYS)
		ck_assert_uint_ne(secrets_add_seal(&s), 0);
	ck_assert_uint_eq(secrets_add_seal(&s), 0);
}
END_TEST

START_TEST(test_secrets_file_is_replaced_as_a_whole)
{
	struct secrets s, again;
	struct stat st;
	char left[PATH_MAX];
	int fd;

	ck_assert_int_eq(secrets_create(path, &s), SECRET_OK);
	ck_assert_int_eq(chmod(path, 0640), 0);
	/* What a killed one left. */
	snprintf(left, sizeof(left), "%s.new", path);
	fd = open(left, O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(write(fd, "pepp", 4), 4);
	close(fd);
	while (secrets_add_seal(&s) != 0)
		continue;
	secrets_seal_by(&s, 5);
	ck_assert_int_eq(secrets_replace(path, &s), SECRET_OK);
	ck_assert_int_eq(secrets_read(path, &again), SECRET_OK);
	ck_assert_mem_eq(&s, &again, sizeof(s));
	ck_assert_uint_eq(again.seal[0].id, 5);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_int_ne(access(left, F_OK), 0);
	/* Two of one id are no file of ours. */
	s.seal[1].id = 5;
	ck_assert_int_eq(secrets_replace(path, &s), SECRET_OK);
	ck_assert_int_eq(secrets_read(path, &again), SECRET_BAD);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/secret");
	TCase *t = tcase_create("secret"), *f = tcase_create("file");

	tcase_add_test(t, test_digest_is_hmac_sha_256);
	tcase_add_test(t, test_sealed_credential_comes_back);
	tcase_add_test(t, test_sealed_empty_credential_comes_back);
	tcase_add_test(t, test_sealing_twice_gives_different_bytes);
	tcase_add_test(t, test_seal_holds_against_every_changed_bit);
	tcase_add_test(t, test_seal_is_bound_to_its_context_and_length);
	tcase_add_test(t, test_a_derived_seal_is_another);
	tcase_add_test(t, test_a_key_follows_another);
	tcase_add_test(t, test_ids_go_round_and_never_meet);
	tcase_add_test(t, test_made_keys_are_plausible_and_different);
	tcase_add_test(t, test_keys_with_a_typing_error_are_not_plausible);
	tcase_add_test(t, test_checksum_of_a_known_key);
	tcase_add_test(t, test_hint_shows_four_at_each_end);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(f, set_up, tear_down);
	tcase_add_test(f, test_secrets_file_is_made_once_and_read_again);
	tcase_add_test(f, test_secrets_file_that_others_read_is_refused);
	tcase_add_test(f, test_secrets_file_that_is_damaged_is_refused);
	tcase_add_test(f, test_secrets_file_is_replaced_as_a_whole);
	suite_add_tcase(s, f);
	return run_suite(s);
}

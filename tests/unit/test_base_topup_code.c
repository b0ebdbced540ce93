/* Top-up codes: their shape, what is read as the same, what is found wrong. */
#include "base/topup_code.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"

static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

START_TEST(test_a_code_has_no_ambiguous_letters)
{
	char code[TOPUP_CODE_TEXT_BYTES], again[TOPUP_CODE_TEXT_BYTES];

	for (int i = 0; i < 500; i++) {
		topup_code_make(code);
		ck_assert_uint_eq(strlen(code), TOPUP_CODE_TEXT_BYTES - 1);
		for (size_t k = 0; k < strlen(code); k++)
			ck_assert(k % 6 == 5 ? code[k] == '-' :
			    strchr(symbols, code[k]) != NULL);
		ck_assert(topup_code_read(code, again));
		ck_assert_str_eq(again, code);
	}
}
END_TEST

START_TEST(test_every_single_and_double_error_is_found)
{
	char code[TOPUP_CODE_TEXT_BYTES], bad[TOPUP_CODE_TEXT_BYTES];
	char out[TOPUP_CODE_TEXT_BYTES];

	topup_code_make(code);
	for (size_t i = 0; i < strlen(code); i++)
		for (const char *a = symbols; *a != '\0'; a++) {
			memcpy(bad, code, sizeof bad);
			if (bad[i] == '-' || bad[i] == *a)
				continue;
			bad[i] = *a;
			ck_assert_msg(!topup_code_read(bad, out), "%s", bad);
			for (size_t k = i + 1; k < strlen(code); k++) {
				if (code[k] == '-')
					continue;
				bad[k] = code[k] == '7' ? 'X' : '7';
				ck_assert_msg(!topup_code_read(bad, out),
				    "%s", bad);
				bad[k] = code[k];
			}
		}
}
END_TEST

START_TEST(test_symbols_that_changed_places_are_found)
{
	char code[TOPUP_CODE_TEXT_BYTES], bad[TOPUP_CODE_TEXT_BYTES];
	char out[TOPUP_CODE_TEXT_BYTES];

	topup_code_make(code);
	for (size_t i = 0; i < strlen(code); i++)
		for (size_t k = i + 1; k < strlen(code); k++) {
			if (code[i] == '-' || code[k] == '-' ||
			    code[i] == code[k])
				continue;
			memcpy(bad, code, sizeof bad);
			bad[i] = code[k];
			bad[k] = code[i];
			ck_assert_msg(!topup_code_read(bad, out), "%s", bad);
		}
}
END_TEST

START_TEST(test_what_people_type_is_read)
{
	char code[TOPUP_CODE_TEXT_BYTES], typed[64], out[64];
	size_t n;

	do
		topup_code_make(code);
	while (strchr(code, '0') == NULL || strchr(code, '1') == NULL);
	for (n = 0; code[n] != '\0'; n++)
		typed[n] = code[n] == '-' ? ' ' : code[n] == '0' ? 'o' :
		    code[n] == '1' ? 'L' : code[n] >= 'A' ?
		    (char)(code[n] - 'A' + 'a') : code[n];
	typed[n] = '\0';
	ck_assert(topup_code_read(typed, out));
	ck_assert_str_eq(out, code);
	ck_assert(!topup_code_read("", out));
	ck_assert(!topup_code_read("-----", out));
	code[TOPUP_CODE_TEXT_BYTES - 2] = '\0';
	ck_assert(!topup_code_read(code, out));
	snprintf(typed, sizeof typed, "%s00", code);
	ck_assert(!topup_code_read(typed, out));
}
END_TEST

START_TEST(test_the_digest_is_the_codes_and_the_peppers)
{
	struct secrets a = { .pepper = { 1 } }, b = { .pepper = { 2 } };
	struct key_hasher *of_a = key_hasher_open(&a);
	struct key_hasher *of_b = key_hasher_open(&b);
	char code[TOPUP_CODE_TEXT_BYTES], hint[TOPUP_CODE_HINT_BYTES];
	uint8_t d[4][KEY_DIGEST_BYTES];

	topup_code_make(code);
	topup_code_digest(of_a, code, d[0]);
	topup_code_digest(of_a, code, d[1]);
	topup_code_digest(of_b, code, d[2]);
	key_hasher_digest(of_a, code, strlen(code), d[3]);
	ck_assert_mem_eq(d[0], d[1], KEY_DIGEST_BYTES);
	ck_assert_mem_ne(d[0], d[2], KEY_DIGEST_BYTES);
	ck_assert_mem_ne(d[0], d[3], KEY_DIGEST_BYTES);
	topup_code_hint(code, hint);
	ck_assert_str_eq(hint + 3, code + 18);
	key_hasher_close(&of_a);
	key_hasher_close(&of_b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topup_code");
	TCase *tc = tcase_create("code");

	tcase_add_test(tc, test_a_code_has_no_ambiguous_letters);
	tcase_add_test(tc, test_every_single_and_double_error_is_found);
	tcase_add_test(tc, test_symbols_that_changed_places_are_found);
	tcase_add_test(tc, test_what_people_type_is_read);
	tcase_add_test(tc, test_the_digest_is_the_codes_and_the_peppers);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

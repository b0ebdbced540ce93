/* attest: the forms of a canary, and that the search finds each of them
 * wherever it stands, and nothing else. */
#include "admin/attest_search.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/attest_sign.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "tests/unit/run.h"

#define TEXT "0123456789abcdefghijABCDEFGHIJKL"
#define HAY_BYTES 20000

struct found {
	int n;
	struct search_hit last;
	int halves[CANARIES][CANARY_FORMS][2];
};

static void
note(const struct search_hit *hit, void *arg)
{
	struct found *f = arg;

	f->n++;
	f->last = *hit;
	f->halves[hit->canary][hit->form][hit->half]++;
}

static struct canaries canaries;
static struct search *search;
static struct found found;
static char hay[HAY_BYTES];

static void
setup(void)
{
	canaries_make(&canaries);
	canaries_take_key(&canaries,
	    "sk-yy-0123456789abcdefghijABCDEFGHIJKLMNOP012345");
	search = search_open(&canaries);
	ck_assert_ptr_nonnull(search);
	memset(&found, 0, sizeof(found));
	/* Much that begins like something. */
	for (size_t i = 0; i < sizeof(hay); i++)
		hay[i] = "\\u00 {\"content\":AbC"[i % 19];
}

static void
teardown(void)
{
	search_close(&search);
	ck_assert_ptr_null(search);
}

/* So many bytes in pieces. */
static void
feed(size_t len, size_t piece)
{
	struct search_stream stream;

	memset(&found, 0, sizeof(found));
	search_begin(&stream, search, note, &found);
	for (size_t i = 0; i < len; i += piece)
		search_feed(&stream, hay + i, i + piece < len ? piece :
		    len - i);
}

/* Both halves once, and of other canaries nothing.  (The same digits can be
 * hexadecimal ones of either case.) */
static bool
found_alone(int canary, int form)
{
	int n = 0;

	for (int j = 0; j < CANARY_FORMS; j++)
		n += found.halves[canary][j][0] + found.halves[canary][j][1];
	return n == found.n && found.halves[canary][form][0] == 1 &&
	    found.halves[canary][form][1] == 1;
}

START_TEST(test_forms_are_as_others_make_them)
{
	char form[CANARY_FORM_BYTES], plain[64], text[96];
	size_t len;

	ck_assert_uint_eq(canary_form(TEXT, FORM_RAW, form), 32);
	ck_assert_str_eq(form, TEXT);
	ck_assert_uint_eq(canary_form("aZ0", FORM_JSON, form), 18);
	ck_assert_str_eq(form, "\\u0061\\u005a\\u0030");
	canary_form("aZ0", FORM_JSON_UPPER, form);
	ck_assert_str_eq(form, "\\u0061\\u005A\\u0030");
	canary_form("aZ0", FORM_HEX, form);
	ck_assert_str_eq(form, "615a30");
	canary_form("aZ0", FORM_HEX_UPPER, form);
	ck_assert_str_eq(form, "615A30");
	ck_assert_uint_eq(canary_form("aZ", FORM_UTF16LE, form), 4);
	ck_assert_mem_eq(form, "a\0Z", 4);
	ck_assert_uint_eq(canary_form("aZ", FORM_UTF16BE, form), 4);
	ck_assert_mem_eq(form, "\0a\0Z", 4);
	/* Whatever stands before and after it. */
	for (int before = 0; before < 6; before++)
		for (int after = 0; after < 4; after++) {
			snprintf(plain, sizeof(plain), "%.*s%s%.*s", before,
			    "{\"p\":\"", TEXT, after, "\"}~");
			base64_encode(plain, strlen(plain), text);
			len = canary_form(TEXT, (enum canary_form)
			    (FORM_BASE64 + before % 3), form);
			ck_assert_uint_ge(len, 40);
			ck_assert_msg(strstr(text, form) != NULL,
			    "%s not in %s", form, text);
		}
}
END_TEST

START_TEST(test_canaries_differ_and_are_fit_for_json)
{
	for (int i = 0; i < CANARIES; i++) {
		size_t len = strlen(canaries.text[i]);

		ck_assert_uint_eq(len, i == CANARY_KEY ? 36 : CANARY_BYTES);
		ck_assert_uint_eq(strspn(canaries.text[i], "0123456789"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz"), len);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(canaries.text[i], canaries.text[j]);
	}
	ck_assert_str_eq(canaries.text[CANARY_KEY],
	    "0123456789abcdefghijABCDEFGHIJKLMNOP");
}
END_TEST

START_TEST(test_every_form_of_every_canary_is_found_once)
{
	char form[CANARY_FORM_BYTES];
	size_t len, at = 13;

	for (int i = 0; i < CANARIES; i++)
		for (int j = 0; j < CANARY_FORMS; j++) {
			len = canary_form(canaries.text[i],
			    (enum canary_form)j, form);
			memcpy(hay + at, form, len);
			feed(sizeof(hay), sizeof(hay));
			ck_assert_msg(found_alone(i, j), "%d, form %d", i, j);
			ck_assert_uint_eq(found.last.end, at + len);
			memset(hay + at, ' ', len);
			at = (at + 977) % (HAY_BYTES - CANARY_FORM_BYTES);
		}
}
END_TEST

START_TEST(test_what_stands_across_the_border_of_pieces_is_found_once)
{
	static const size_t pieces[] = { 1, 7, 31, 100, 241, 512 };
	char form[CANARY_FORM_BYTES];
	size_t len;

	for (int j = 0; j < CANARY_FORMS; j++) {
		len = canary_form(canaries.text[5], (enum canary_form)j, form);
		for (size_t at = 0; at < 520; at += 13)
			for (size_t p = 0; p < 6; p++) {
				memcpy(hay + at, form, len);
				feed(1000, pieces[p]);
				ck_assert_msg(found_alone(5, j),
				    "form %d at %zu in pieces of %zu: %d", j,
				    at, pieces[p], found.n);
				memset(hay + at, ' ', len);
			}
	}
}
END_TEST

START_TEST(test_half_is_found_where_the_rest_is_overwritten)
{
	const char *text = canaries.text[7];

	memcpy(hay, text, CANARY_BYTES / 2);
	memcpy(hay + HAY_BYTES - CANARY_BYTES / 2, text + CANARY_BYTES / 2,
	    CANARY_BYTES / 2);
	feed(sizeof(hay), sizeof(hay));
	ck_assert_int_eq(found.n, 2);
	ck_assert_int_eq(found.halves[7][FORM_RAW][0], 1);
	ck_assert_int_eq(found.halves[7][FORM_RAW][1], 1);
}
END_TEST

START_TEST(test_what_is_almost_a_canary_is_not_found)
{
	char text[CANARY_BYTES + 1];

	feed(sizeof(hay), sizeof(hay));
	ck_assert_int_eq(found.n, 0);
	memcpy(text, canaries.text[7], sizeof(text));
	text[3] ^= 1;
	text[20] ^= 1;
	memcpy(hay + 100, text, CANARY_BYTES);
	feed(sizeof(hay), sizeof(hay));
	ck_assert_int_eq(found.n, 0);
}
END_TEST

START_TEST(test_a_gap_keeps_pieces_apart)
{
	struct search_stream stream;
	const char *text = canaries.text[2];

	search_begin(&stream, search, note, &found);
	search_feed(&stream, text, 8);
	search_begin(&stream, search, note, &found);
	search_feed(&stream, text + 8, 8);
	ck_assert_int_eq(found.n, 0);
}
END_TEST

static void
sign(struct buf *report, const char *text, bool json, struct attest_key *key)
{
	buf_init(report, 1 << 20);
	ck_assert(buf_append(report, text, strlen(text)));
	ck_assert(attest_sign(report, key, json));
}

START_TEST(test_a_changed_report_is_refused)
{
	static const char *const texts[] = { "Result  clean\nx",
		"{\"result\":\"clean\"" };
	uint8_t public_key[ATTEST_KEY_BYTES];
	char path[] = "attest-key-XXXXXX";
	struct attest_key key, again;
	struct buf report;

	ck_assert(mkdtemp(path) != NULL);
	ck_assert_int_eq(chdir(path), 0);
	ck_assert_int_eq(attest_key_open("key", 0, &key), ATTEST_KEY_OK);
	ck_assert_int_eq(attest_key_open("key", geteuid(), &again),
	    ATTEST_KEY_OK);
	ck_assert_mem_eq(&key, &again, sizeof(key));
	for (int i = 0; i < 2; i++) {
		sign(&report, texts[i], i == 1, &key);
		ck_assert_int_eq(attest_check(buf_head(&report), report.len,
		    public_key), ATTEST_VALID);
		ck_assert_mem_eq(public_key, key.public_key,
		    ATTEST_KEY_BYTES);
		/* Every byte counts. */
		for (size_t n = 0; n < report.len; n++) {
			report.data[report.start + n] ^= 1;
			ck_assert_int_ne(attest_check(buf_head(&report),
			    report.len, public_key), ATTEST_VALID);
			report.data[report.start + n] ^= 1;
		}
		ck_assert_int_eq(attest_check(buf_head(&report),
		    report.len - 1, public_key), ATTEST_NO_REPORT);
		buf_free(&report);
	}
	ck_assert_int_eq(chmod("key", 0640), 0);
	ck_assert_int_eq(attest_key_open("key", geteuid(), &again),
	    ATTEST_KEY_OPEN_TO_OTHERS);
	ck_assert_int_eq(unlink("key"), 0);
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("attest");
	TCase *tc = tcase_create("search");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_forms_are_as_others_make_them);
	tcase_add_test(tc, test_canaries_differ_and_are_fit_for_json);
	tcase_add_test(tc, test_every_form_of_every_canary_is_found_once);
	tcase_add_test(tc,
	    test_what_stands_across_the_border_of_pieces_is_found_once);
	tcase_add_test(tc, test_half_is_found_where_the_rest_is_overwritten);
	tcase_add_test(tc, test_what_is_almost_a_canary_is_not_found);
	tcase_add_test(tc, test_a_gap_keeps_pieces_apart);
	tcase_add_test(tc, test_a_changed_report_is_refused);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

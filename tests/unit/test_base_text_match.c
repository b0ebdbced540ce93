/*
 * test_base_text_match.c: words, texts and patterns are found, and nothing
 * else is; against a plain search on texts made up at random.
 */
#include "base/text_match.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/unit/run.h"

static void *block;
static size_t block_bytes;
static struct text_match match;

static void
build(const struct text_match_entry *entry, size_t n)
{
	size_t bad;

	free(block);
	block = NULL;
	ck_assert_int_eq(text_match_build(entry, n, &block, &block_bytes,
	    &bad), TEXT_MATCH_OK);
	ck_assert(text_match_open(block, block_bytes, &match));
}

static uint64_t
search_by(const struct text_match *by, const char *text, size_t piece)
{
	struct text_search s;
	size_t len = strlen(text), n;

	text_search_begin(&s);
	for (size_t i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		text_search_feed(by, &s, text + i, n);
	}
	text_search_break(by, &s);
	return s.found;
}

static uint64_t
search(const char *text, size_t piece)
{
	return search_by(&match, text, piece);
}

static void
finds(uint8_t kind, const char *entry, const char *text, bool is_there)
{
	struct text_match_entry e = { entry, kind, 5 };

	build(&e, 1);
	for (size_t piece = 1; piece < 8; piece++)
		ck_assert_msg(search(text, piece) == (is_there ? 32 : 0),
		    "\"%s\" %s in \"%s\" in pieces of %zu", entry, is_there ?
		    "is not found" : "is found", text, piece);
}

START_TEST(words_are_found_whole)
{
	finds(TEXT_MATCH_WORD, "bomb", "how to make a bomb", true);
	finds(TEXT_MATCH_WORD, "bomb", "Bomb!", true);
	finds(TEXT_MATCH_WORD, "bomb", "a bombardment", false);
	finds(TEXT_MATCH_WORD, "bomb", "abomb", false);
	finds(TEXT_MATCH_WORD, "pipe bomb", "a  pipe\n\tBOMB.", true);
	finds(TEXT_MATCH_WORD, "pipe bomb", "a pipe-bomb", false);
	finds(TEXT_MATCH_WORD, "c++", "in c++ and", true);
	finds(TEXT_MATCH_WORD, "c++", "in abc++", false);
	finds(TEXT_MATCH_WORD, "  trim ", "trim", true);
}
END_TEST

START_TEST(texts_are_found_within_words)
{
	finds(TEXT_MATCH_TEXT, "bomb", "abombardment", true);
	finds(TEXT_MATCH_TEXT, "a b", "xa bx", true);
	finds(TEXT_MATCH_TEXT, "a-b", "xA-Bx", true);
	finds(TEXT_MATCH_TEXT, "a-b", "xA- Bx", false);
	finds(TEXT_MATCH_TEXT, "炸弹", "怎样做炸弹呢", true);
	finds(TEXT_MATCH_WORD, "炸弹", "怎样做炸弹呢", true);
	finds(TEXT_MATCH_TEXT, "炸弹", "怎样做炸 弹呢", false);
	finds(TEXT_MATCH_TEXT, "-x", "a -x", true);
	finds(TEXT_MATCH_TEXT, "x-", "ax- b", true);
}
END_TEST

START_TEST(writing_it_otherwise_does_not_hide_it)
{
	finds(TEXT_MATCH_WORD, "bomb", "b\xe2\x80\x8bomb", true);  /* U+200B */
	finds(TEXT_MATCH_WORD, "bomb", "bo\xc2\xadmb", true);	/* soft hyphen */
	finds(TEXT_MATCH_WORD, "bomb", "ｂＯｍｂ", true);	/* full width */
	finds(TEXT_MATCH_WORD, "ÜBER", "über", true);
	finds(TEXT_MATCH_WORD, "бомба", "БОМБА", true);
	finds(TEXT_MATCH_WORD, "σας", "ΣΑΣ", true);
	finds(TEXT_MATCH_WORD, "żółw", "ŻÓŁW", true);
	finds(TEXT_MATCH_WORD, "two words", "two\xe3\x80\x80words", true);
	finds(TEXT_MATCH_WORD, "bomb", "bo\xffmb", false);
	finds(TEXT_MATCH_WORD, "bomb", "\xff" "bomb\xc3", true);
}
END_TEST

START_TEST(patterns_fit)
{
	finds(TEXT_MATCH_PATTERN, "acct-####", "my acct-1234.", true);
	finds(TEXT_MATCH_PATTERN, "acct-####", "my acct-12345.", false);
	finds(TEXT_MATCH_PATTERN, "acct-####", "my acct-123", false);
	finds(TEXT_MATCH_PATTERN, "*coin", "bitcoin", true);
	finds(TEXT_MATCH_PATTERN, "*coin", "coin", true);
	finds(TEXT_MATCH_PATTERN, "*coin", "bitcoins", false);
	finds(TEXT_MATCH_PATTERN, "kill*", "Killing", true);
	finds(TEXT_MATCH_PATTERN, "kill*", "a skill", false);
	finds(TEXT_MATCH_PATTERN, "a*z", "abcz", true);
	finds(TEXT_MATCH_PATTERN, "a*z", "abc z", false);
	finds(TEXT_MATCH_PATTERN, "a*b*c", "aXbYbYc", true);
	finds(TEXT_MATCH_PATTERN, "5\\*", "give 5*", true);
	finds(TEXT_MATCH_PATTERN, "5\\*", "give 55", false);
	finds(TEXT_MATCH_PATTERN, "#-#*", "1-2", true);
}
END_TEST

START_TEST(nothing_spans_two_texts)
{
	struct text_match_entry e = { "one two", TEXT_MATCH_TEXT, 0 };
	struct text_search s;

	build(&e, 1);
	text_search_begin(&s);
	text_search_feed(&match, &s, "one ", 4);
	text_search_break(&match, &s);
	text_search_feed(&match, &s, "two", 3);
	ck_assert_uint_eq(s.found, 0);
	text_search_feed(&match, &s, " one two", 8);
	ck_assert_uint_eq(s.found, 1);
}
END_TEST

static void
is_wrong(uint8_t kind, const char *text, enum text_match_result why)
{
	struct text_match_entry e[2] = { { "fine", TEXT_MATCH_WORD, 0 },
	    { text, kind, 1 } };
	void *none = NULL;
	size_t bytes, bad;

	ck_assert_int_eq(text_match_check(&e[1]), why);
	ck_assert_int_eq(text_match_build(e, 2, &none, &bytes, &bad), why);
	ck_assert_uint_eq(bad, 1);
	ck_assert_ptr_null(none);
	ck_assert(strlen(text_match_explain(why)) > 8);
}

START_TEST(wrong_entries_are_named)
{
	char longest[300];

	memset(longest, 'x', sizeof(longest));
	longest[257] = '\0';
	is_wrong(TEXT_MATCH_WORD, "", TEXT_MATCH_EMPTY);
	is_wrong(TEXT_MATCH_WORD, " \t", TEXT_MATCH_EMPTY);
	is_wrong(TEXT_MATCH_TEXT, "\xe2\x80\x8b", TEXT_MATCH_EMPTY);
	is_wrong(TEXT_MATCH_WORD, "a\xff", TEXT_MATCH_UTF8);
	is_wrong(TEXT_MATCH_WORD, "a\xc3", TEXT_MATCH_UTF8);
	is_wrong(TEXT_MATCH_WORD, longest, TEXT_MATCH_LONG);
	is_wrong(TEXT_MATCH_PATTERN, "*", TEXT_MATCH_BARE);
	is_wrong(TEXT_MATCH_PATTERN, "* *", TEXT_MATCH_BARE);
	longest[256] = '\0';
	finds(TEXT_MATCH_WORD, longest, longest, true);
}
END_TEST

START_TEST(too_complex_patterns_are_refused)
{
	static char text[400][16];
	struct text_match_entry e[400];
	void *none = NULL;
	size_t bytes, bad;

	for (int i = 0; i < 400; i++) {
		snprintf(text[i], sizeof(text[i]), "*%c%c*%c*", 'a' + i % 26,
		    'a' + i / 26, 'a' + i * 7 % 26);
		e[i] = (struct text_match_entry){ text[i], TEXT_MATCH_PATTERN,
		    0 };
	}
	ck_assert_int_eq(text_match_build(e, 400, &none, &bytes, &bad),
	    TEXT_MATCH_COMPLEX);
	ck_assert_ptr_null(none);
}
END_TEST

/*
 * Random entries over three letters and a blank, looked for by comparing at
 * every place.
 */
static uint64_t seed;

static unsigned
below(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

static void
scribble(char *p, unsigned most)
{
	unsigned n = 1 + below(most);

	for (unsigned i = 0; i < n; i++)
		p[i] = "abc "[below(8) < 7 ? below(3) : 3];
	p[n] = '\0';
}

static bool
plain_is_there(const char *entry, const char *text, bool word)
{
	size_t n = strlen(entry);

	for (const char *p = strstr(text, entry); p != NULL;
	    p = strstr(p + 1, entry))
		if (!word || ((p == text || p[-1] == ' ') && (p[n] == '\0' ||
		    p[n] == ' ')))
			return true;
	return false;
}

/* Only single blanks, and none at the ends. */
static bool
is_plain(const char *p)
{
	return p[0] != ' ' && p[strlen(p) - 1] != ' ' &&
	    strstr(p, "  ") == NULL;
}

/* Entries of that many kinds, each of a list of its own. */
static void
invent(char (*words)[8], struct text_match_entry *e, unsigned n,
    unsigned kinds)
{
	for (unsigned i = 0; i < n; i++) {
		do
			scribble(words[i], 6);
		while (!is_plain(words[i]));
		e[i] = (struct text_match_entry){ words[i],
		    (uint8_t)below(kinds), (uint8_t)i };
	}
}

START_TEST(agrees_with_a_plain_search)
{
	char text[64], words[40][8];
	struct text_match_entry e[40];
	unsigned found = 0, tried = 0;
	uint64_t is;

	bytes_random(&seed, sizeof(seed));
	printf("seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 400; round++) {
		unsigned n = 1 + below(40);

		invent(words, e, n, 2);
		build(e, n);
		for (int k = 0; k < 20; k++) {
			do
				scribble(text, 40);
			while (!is_plain(text));
			is = search(text, 1 + below(9));
			for (unsigned i = 0; i < n; i++, tried++) {
				bool there = plain_is_there(words[i], text,
				    e[i].kind == TEXT_MATCH_WORD);

				found += there;
				ck_assert_msg((is >> i & 1) == there,
				    "\"%s\" (%u) in \"%s\": %d", words[i],
				    e[i].kind, text, there);
			}
		}
	}
	ck_assert_uint_gt(found, 1000);
	ck_assert_uint_gt(tried - found, 1000);
}
END_TEST

/* Long texts of words that begin alike, with capitals, digits, marks and
 * letters that aren't ASCII between them. */
static void
scrawl(char *p, size_t bytes)
{
	static const char *const part[] = { "a", "b", "c", "ab", "abc", "B",
		"C", "1", "_", " ", " ", " ", "  ", ".", "-", "\t", "\xc3\xa9",
		"\xd0\x96", "\xc2\xad", "\xe4\xb8\xad", "\xff" };
	size_t n = 0, k = 0;

	while (n + 4 < bytes) {
		/* Or mostly letters, so that blocks have no mark in them. */
		k = below(40) == 0 ? below(21) : below(3) == 0 ? 9 : below(7);
		n += (size_t)sprintf(p + n, "%s", part[k]);
	}
}

START_TEST(passing_over_words_misses_none)
{
	char text[600], words[30][8];
	struct text_match_entry e[31];
	unsigned found = 0, not_found = 0;
	struct text_match plain;
	uint64_t is, other;
	size_t piece;
	void *kept;

	bytes_random(&seed, sizeof(seed));
	printf("seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 300; round++) {
		unsigned n = 1 + below(30);

		invent(words, e, n, 1);
		/* With a text of any place nothing is passed over. */
		e[n] = (struct text_match_entry){ "zq~zq", TEXT_MATCH_TEXT,
		    63 };
		build(e, n + 1);
		ck_assert(!match.skips);
		plain = match;
		kept = block;
		block = NULL;
		build(e, n);
		ck_assert(match.skips);
		for (int k = 0; k < 30; k++) {
			scrawl(text, sizeof(text));
			piece = 1 + below(below(2) ? 20 : 600);
			is = search(text, piece);
			other = search_by(&plain, text, 1 + below(600));
			ck_assert_msg(is == other, "%llx instead of %llx in "
			    "\"%s\", pieces of %zu",
			    (unsigned long long)is,
			    (unsigned long long)other, text, piece);
			for (unsigned i = 0; i < n; i++)
				if ((is >> i & 1) != 0)
					found++;
				else
					not_found++;
		}
		free(kept);
	}
	ck_assert_uint_gt(found, 1000);
	ck_assert_uint_gt(not_found, 1000);
}
END_TEST

/* What a worker reads from the segment might be anything: a search in what
 * text_match_open() lets through ends, and reads nothing outside. */
START_TEST(damaged_blocks_are_refused_or_harmless)
{
	static const struct text_match_entry e[] = {
		{ "she", TEXT_MATCH_TEXT, 0 }, { "hers", TEXT_MATCH_TEXT, 1 },
		{ "his", TEXT_MATCH_WORD, 2 }, { "h*#s", TEXT_MATCH_PATTERN, 3 }
	};
	unsigned refused = 0, rounds = 20000;
	struct text_search s;
	uint8_t *copy;

	bytes_random(&seed, sizeof(seed));
	printf("seed %llu\n", (unsigned long long)seed);
	build(e, 4);
	for (unsigned i = 0; i < rounds; i++) {
		/* Its own allocation, so that a sanitizer sees its end. */
		copy = malloc(block_bytes);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, block, block_bytes);
		for (unsigned k = 1 + below(3); k > 0; k--)
			copy[below((unsigned)block_bytes)] =
			    (uint8_t)below(256);
		if (text_match_open(copy, block_bytes, &match)) {
			text_search_begin(&s);
			text_search_feed(&match, &s, "ushers this h1s his",
			    19);
			text_search_break(&match, &s);
		} else
			refused++;
		free(copy);
	}
	ck_assert_uint_gt(refused, 100);
	ck_assert_uint_lt(refused, rounds);
	ck_assert(!text_match_open(block, block_bytes - 1, &match));
	ck_assert(!text_match_open(block, 3, &match));
}
END_TEST

START_TEST(nothing_is_found_without_entries)
{
	build(NULL, 0);
	ck_assert_uint_eq(search("anything at all", 3), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text_match");
	TCase *t = tcase_create("all");
	int failed;

	tcase_add_test(t, words_are_found_whole);
	tcase_add_test(t, texts_are_found_within_words);
	tcase_add_test(t, writing_it_otherwise_does_not_hide_it);
	tcase_add_test(t, patterns_fit);
	tcase_add_test(t, nothing_spans_two_texts);
	tcase_add_test(t, wrong_entries_are_named);
	tcase_add_test(t, too_complex_patterns_are_refused);
	tcase_add_test(t, agrees_with_a_plain_search);
	tcase_add_test(t, passing_over_words_misses_none);
	tcase_add_test(t, damaged_blocks_are_refused_or_harmless);
	tcase_add_test(t, nothing_is_found_without_entries);
	tcase_set_timeout(t, 60);
	suite_add_tcase(suite, t);
	failed = run_suite(suite);
	free(block);
	return failed;
}

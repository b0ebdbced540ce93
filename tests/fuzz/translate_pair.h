/*
 * translate_pair.h: what the translation's fuzz targets share.
 * Layer: tests.
 * Written by: nobody.
 *
 * An input's first byte chooses who speaks to whom, so that seeds are text.
 */
#ifndef TESTS_FUZZ_TRANSLATE_PAIR_H
#define TESTS_FUZZ_TRANSLATE_PAIR_H

#include "http/json_scan.h"
#include "tests/fuzz/fuzz.h"
#include "translate/translate.h"

static const struct {
	enum translate_protocol client, upstream;
} fuzz_pairs[] = {
	{ TRANSLATE_CHAT, TRANSLATE_MESSAGES },		/* '0' */
	{ TRANSLATE_CHAT, TRANSLATE_GEMINI },
	{ TRANSLATE_MESSAGES, TRANSLATE_CHAT },
	{ TRANSLATE_MESSAGES, TRANSLATE_GEMINI },
	{ TRANSLATE_RESPONSES, TRANSLATE_CHAT },
	{ TRANSLATE_RESPONSES, TRANSLATE_MESSAGES },
	{ TRANSLATE_RESPONSES, TRANSLATE_GEMINI },
	{ TRANSLATE_GEMINI, TRANSLATE_CHAT },
	{ TRANSLATE_GEMINI, TRANSLATE_MESSAGES },	/* '8' */
};

static inline struct translate_answer_options
fuzz_options(uint8_t choice)
{
	size_t i = (uint8_t)(choice - '0') %
	    (sizeof(fuzz_pairs) / sizeof(fuzz_pairs[0]));

	return (struct translate_answer_options){
		.client = fuzz_pairs[i].client,
		.upstream = fuzz_pairs[i].upstream,
		.id = "fuzz", .model = "model", .created_s = 1,
		.include_usage = choice < 0x80,
		.custom_tools = choice < 0x80 ? NULL : "g\nf\n"
	};
}

static inline void
fuzz_check_utf8(const char *p, size_t len)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t i, j, n;

	for (i = 0; i < len; i += n) {
		n = s[i] < 0x80 ? 1 : s[i] < 0xe0 ? 2 : s[i] < 0xf0 ? 3 : 4;
		fuzz_check(i + n <= len && (n > 1 || s[i] < 0x80) &&
		    (s[i] < 0x80 || s[i] >= 0xc2) && s[i] <= 0xf4,
		    "broken UTF-8");
		for (j = 1; j < n; j++)
			fuzz_check((s[i + j] & 0xc0) == 0x80, "broken UTF-8");
	}
}

static inline void
fuzz_check_document(const char *p, size_t len)
{
	struct json_extent extent;

	/* The input's nesting is bounded, and ours comes on top of it. */
	switch (json_scan(p, len, NULL, 0, &extent)) {
	case JSON_SCAN_OK:
	case JSON_SCAN_DEEP:
		break;
	case JSON_SCAN_MALFORMED:
	case JSON_SCAN_NOT_OBJECT:
		fuzz_check(0, "no JSON");
	}
	fuzz_check_utf8(p, len);
}

#endif

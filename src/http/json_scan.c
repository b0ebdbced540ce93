/*
 * json_scan.c: see json_scan.h.
 *
 * Bodies are a few long strings in a little structure, so the string search
 * decides the speed; the rest is one switch per token.  Whether an open
 * container is an object is one bit per level.
 */
#include "http/json_scan.h"

#include <assert.h>
#include <string.h>

#include "http/json_find.h"

/* A name longer than any that is asked for, unescaped. */
#define NAME_BYTES 64

struct scan {
	const char *text;
	const char *p;
	const char *end;
	uint64_t is_object[JSON_SCAN_DEPTH_MAX / 64];
	unsigned int depth;
	struct json_want *wants;
	size_t n_wants;
	struct json_want *open;		/* whose value is being read */
	uint32_t members;
	bool deep;
};

static inline void
skip_blank(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' ||
	    *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/* At the opening quote; afterwards behind the closing one.  *plain_r: no
 * escape within. */
static inline bool
skip_string(struct scan *s, bool *plain_r)
{
	const char *p = s->p + 1;
	int i;

	*plain_r = true;
	for (;;) {
		p = json_find_special(p, s->end);
		s->p = p;
		if (p == s->end)
			return false;
		if (*p == '"') {
			s->p = p + 1;
			return true;
		}
		if (*p != '\\' || s->end - p < 2)
			return false;
		*plain_r = false;
		switch (p[1]) {
		case '"': case '\\': case '/': case 'b':
		case 'f': case 'n': case 'r': case 't':
			p += 2;
			break;
		case 'u':
			if (s->end - p < 6)
				return false;
			for (i = 2; i < 6; i++)
				if (json_hex_digit((unsigned char)p[i]) < 0)
					return false;
			p += 6;
			break;
		default:
			return false;
		}
	}
}

static inline bool
is_digit(const struct scan *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static bool
skip_digits(struct scan *s)
{
	if (!is_digit(s))
		return false;
	while (is_digit(s))
		s->p++;
	return true;
}

/* RFC 8259, 6. */
static bool
skip_number(struct scan *s)
{
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!skip_digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!skip_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		return skip_digits(s);
	}
	return true;
}

static bool
skip_word(struct scan *s, const char *word, size_t len)
{
	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return false;
	s->p += len;
	return true;
}

static bool
in_object(const struct scan *s)
{
	unsigned int level = s->depth - 1;

	return (s->is_object[level / 64] >> (level % 64) & 1) != 0;
}

static bool
push(struct scan *s, bool object)
{
	uint64_t bit;

	if (s->depth == JSON_SCAN_DEPTH_MAX) {
		s->deep = true;
		return false;
	}
	bit = UINT64_C(1) << (s->depth % 64);
	if (object)
		s->is_object[s->depth / 64] |= bit;
	else
		s->is_object[s->depth / 64] &= ~bit;
	s->depth++;
	s->p++;
	return true;
}

static bool
same_folded(const char *a, const char *b, size_t len)
{
	size_t i;
	unsigned char x, y;

	for (i = 0; i < len; i++) {
		x = (unsigned char)a[i];
		y = (unsigned char)b[i];
		if (x >= 'A' && x <= 'Z')
			x += 'a' - 'A';
		if (y >= 'A' && y <= 'Z')
			y += 'a' - 'A';
		if (x != y)
			return false;
	}
	return true;
}

/* The two characters beyond ASCII that Unicode folds into it: U+017F to s,
 * U+212A to k. */
static size_t
fold_unicode(char *name, size_t len)
{
	size_t i, to = 0;

	for (i = 0; i < len; i++) {
		if (len - i >= 2 && memcmp(name + i, "\xc5\xbf", 2) == 0) {
			name[to++] = 'S';
			i += 1;
		} else if (len - i >= 3 &&
		    memcmp(name + i, "\xe2\x84\xaa", 3) == 0) {
			name[to++] = 'K';
			i += 2;
		} else
			name[to++] = name[i];
	}
	return to;
}

static void
match_name(struct scan *s, const char *name, size_t len, size_t key_start)
{
	struct json_want *want;
	size_t i;

	for (i = 0; i < s->n_wants; i++) {
		want = &s->wants[i];
		if (want->name_len != len ||
		    !same_folded(want->name, name, len))
			continue;
		if (memcmp(want->name, name, len) != 0) {
			want->folded++;
			continue;
		}
		if (want->count++ == 0) {
			want->key_start = key_start;
			s->open = want;
		}
	}
}

/* A top-level member's name lies between its quotes at [key, s->p). */
static void
match_key(struct scan *s, const char *key, bool plain)
{
	char name[NAME_BYTES];
	size_t i, len = (size_t)(s->p - key) - 2;

	s->members++;
	for (i = 0; plain && len <= NAME_BYTES && i < len; i++)
		if ((unsigned char)key[1 + i] >= 0x80)
			plain = false;
	if (plain) {
		match_name(s, key + 1, len, (size_t)(key - s->text));
		return;
	}
	if (json_scan_string_copy(key, len + 2, name, sizeof(name), &len) !=
	    JSON_STRING_OK)
		return;
	len = fold_unicode(name, len);
	match_name(s, name, len, (size_t)(key - s->text));
}

/* A member's name and its colon, up to the value. */
static bool
take_key(struct scan *s)
{
	const char *key = s->p;
	bool plain;

	if (s->p == s->end || *s->p != '"' || !skip_string(s, &plain))
		return false;
	if (s->depth == 1)
		match_key(s, key, plain);
	skip_blank(s);
	if (s->p == s->end || *s->p != ':')
		return false;
	s->p++;
	skip_blank(s);
	return true;
}

/* Begin a container; *empty_r: it ended at once. */
static bool
open_container(struct scan *s, bool *empty_r)
{
	char close = *s->p == '{' ? '}' : ']';

	if (!push(s, close == '}'))
		return false;
	skip_blank(s);
	*empty_r = s->p < s->end && *s->p == close;
	if (*empty_r) {
		s->p++;
		s->depth--;
		return true;
	}
	return close == ']' || take_key(s);
}

static bool
take_scalar(struct scan *s, enum json_kind *type_r)
{
	bool plain;

	switch (*s->p) {
	case '"':
		*type_r = JSON_STRING;
		return skip_string(s, &plain);
	case 't':
		*type_r = JSON_TRUE;
		return skip_word(s, "true", 4);
	case 'f':
		*type_r = JSON_FALSE;
		return skip_word(s, "false", 5);
	case 'n':
		*type_r = JSON_NULL;
		return skip_word(s, "null", 4);
	default:
		*type_r = JSON_NUMBER;
		return (*s->p == '-' || is_digit(s)) && skip_number(s);
	}
}

/* Behind a value: close what ends here and go to the next value, if any. */
static bool
take_separator(struct scan *s, bool *over_r)
{
	*over_r = false;
	for (;;) {
		if (s->depth <= 1 && s->open != NULL) {
			s->open->value_end = (size_t)(s->p - s->text);
			s->open = NULL;
		}
		if (s->depth == 0) {
			*over_r = true;
			return true;
		}
		skip_blank(s);
		if (s->p == s->end)
			return false;
		if (*s->p == ',') {
			s->p++;
			skip_blank(s);
			return !in_object(s) || take_key(s);
		}
		if (*s->p != (in_object(s) ? '}' : ']'))
			return false;
		s->p++;
		s->depth--;
	}
}

static bool
take_value(struct scan *s)
{
	enum json_kind type;
	struct json_want *begun;
	bool over = false, nested, empty;

	while (!over) {
		if (s->p == s->end)
			return false;
		/* Only a top-level member's own value, not what is in it. */
		begun = s->depth == 1 ? s->open : NULL;
		if (begun != NULL)
			begun->value_start = (size_t)(s->p - s->text);
		nested = *s->p == '{' || *s->p == '[';
		if (nested) {
			type = *s->p == '{' ? JSON_OBJECT : JSON_ARRAY;
			if (begun != NULL)
				begun->type = type;
			if (!open_container(s, &empty))
				return false;
			if (!empty)
				continue;
		} else if (!take_scalar(s, &type))
			return false;
		if (begun != NULL)
			begun->type = type;
		if (!take_separator(s, &over))
			return false;
	}
	return true;
}

static void
reset_wants(struct json_want *wants, size_t n_wants)
{
	size_t i;

	for (i = 0; i < n_wants; i++) {
		assert(wants[i].name_len < NAME_BYTES);
		wants[i].type = JSON_ABSENT;
		wants[i].count = 0;
		wants[i].folded = 0;
		wants[i].key_start = 0;
		wants[i].value_start = 0;
		wants[i].value_end = 0;
	}
}

enum json_scan_result
json_scan(const char *text, size_t len, struct json_want *wants,
    size_t n_wants, struct json_extent *extent_r)
{
	struct scan s = { .text = text, .p = text, .end = text + len,
		.wants = wants, .n_wants = n_wants };
	bool object, good;

	reset_wants(wants, n_wants);
	memset(extent_r, 0, sizeof(*extent_r));
	skip_blank(&s);
	extent_r->start = (size_t)(s.p - text);
	object = s.p < s.end && *s.p == '{';
	good = take_value(&s);
	if (good) {
		extent_r->end = (size_t)(s.p - text);
		extent_r->members = s.members;
		skip_blank(&s);
		good = s.p == s.end;
	}
	extent_r->error_at = (size_t)(s.p - text);
	if (!good)
		return s.deep ? JSON_SCAN_DEEP : JSON_SCAN_MALFORMED;
	return object ? JSON_SCAN_OK : JSON_SCAN_NOT_OBJECT;
}

/*
 * json_find.h: the string search and the number reader of both JSON readers.
 * Layer: http, private to it.  Pure functions.
 * Written by: nobody at run time.
 */
#ifndef HTTP_JSON_FIND_H
#define HTTP_JSON_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What a number's text says. */
struct json_number {
	uint64_t magnitude;	/* integer part, saturated at 2^63-1 */
	bool negative;
	bool fraction;		/* a non-zero part behind the point */
	bool absurd;		/* beyond 2^63-1, or not a number */
};

void	json_number_parse(const char *text, size_t len,
	    struct json_number *number_r);

/* -1 when c is no hex digit. */
int	json_hex_digit(unsigned char c);

static inline bool
json_is_special(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

#ifdef __SSE2__
static inline __m128i
json_special_mask(const char *p)
{
	const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m128i control = _mm_cmpeq_epi8(
	    _mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);

	return _mm_or_si128(control,
	    _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
	    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
}
#endif

/*
 * The first quote, backslash or control character in [p, end); end when there
 * is none.  Nothing outside of that range is read.
 */
static inline const char *
json_find_special(const char *p, const char *end)
{
#ifdef __SSE2__
	__m128i a, b, c, d;
	int bits, i;

	while (end - p >= 16) {
		for (i = 0; i < 4 && end - p >= 16; i++, p += 16) {
			bits = _mm_movemask_epi8(json_special_mask(p));
			if (bits != 0)
				return p + __builtin_ctz((unsigned int)bits);
		}
		/* Long strings, an image for one, go four at a time. */
		while (end - p >= 64) {
			a = json_special_mask(p);
			b = json_special_mask(p + 16);
			c = json_special_mask(p + 32);
			d = json_special_mask(p + 48);
			if (_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a, b),
			    _mm_or_si128(c, d))) != 0)
				break;
			p += 64;
		}
	}
#else
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t w, quote, slash;

	/* Hacker's Delight, 6-1: a zero byte's high bit, in any lane; bytes
	 * above 0x7f never count.  A borrow can only report too much in lanes
	 * above a true hit, and the byte loop finds the exact place. */
	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, sizeof(w));
		quote = w ^ (ones * '"');
		slash = w ^ (ones * '\\');
		if ((((w - ones * 0x20) | (quote - ones) | (slash - ones)) &
		    ~w & high) != 0)
			break;
	}
#endif
	while (p < end && !json_is_special((unsigned char)*p))
		p++;
	return p;
}

#endif

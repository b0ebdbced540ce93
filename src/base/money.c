#include "base/money.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define NANO_PLACES 9
#define PPM_PLACES 6

/*
 * "[+-]digits[.digits]" to an integer of 10^-places.  At least one digit on
 * each side of a point that is there.
 */
static enum money_result
parse_fixed(const char *text, int places, int64_t max, int64_t *value_r)
{
	const char *p = text;
	bool negative = false, large = false, precise = false;
	int64_t v = 0;
	int n = 0;

	if (*p == '+' || *p == '-')
		negative = *p++ == '-';
	if (*p < '0' || *p > '9')
		return MONEY_BAD_SYNTAX;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, *p - '0', &v))
			large = true;
	}
	if (*p == '.') {
		p++;
		if (*p < '0' || *p > '9')
			return MONEY_BAD_SYNTAX;
		for (; *p >= '0' && *p <= '9'; p++) {
			if (n == places) {
				/* Zeros beyond the last place are exact. */
				if (*p != '0')
					precise = true;
				continue;
			}
			n++;
			if (__builtin_mul_overflow(v, 10, &v) ||
			    __builtin_add_overflow(v, *p - '0', &v))
				large = true;
		}
	}
	if (*p != '\0')
		return MONEY_BAD_SYNTAX;
	for (; n < places; n++)
		if (__builtin_mul_overflow(v, 10, &v))
			large = true;
	if (large || v > max)
		return MONEY_TOO_LARGE;
	if (precise)
		return MONEY_TOO_PRECISE;
	*value_r = negative ? -v : v;
	return MONEY_OK;
}

enum money_result
money_parse(const char *text, int64_t *nano_r)
{
	return parse_fixed(text, NANO_PLACES, MONEY_AMOUNT_MAX, nano_r);
}

const char *
money_explain(enum money_result result)
{
	switch (result) {
	case MONEY_OK:
		return "a valid number";
	case MONEY_BAD_SYNTAX:
		return "not a decimal number such as 12.50";
	case MONEY_TOO_PRECISE:
		return "more decimal places than can be kept exactly";
	case MONEY_TOO_LARGE:
		return "too large";
	}
	assert(!"money_result");
	return "";
}

static void
format_fixed(uint64_t magnitude, bool negative, int places, int min_places,
    char *buf, size_t size)
{
	char digits[NANO_PLACES + 1];
	uint64_t one = 1, fraction;
	int shown = places;

	for (int i = 0; i < places; i++)
		one *= 10;
	fraction = magnitude % one;
	snprintf(digits, sizeof(digits), "%0*llu", places,
	    (unsigned long long)(fraction % UINT64_C(1000000000)));
	while (shown > min_places && shown > 0 && digits[shown - 1] == '0')
		shown--;
	snprintf(buf, size, "%s%llu%s%.*s", negative ? "-" : "",
	    (unsigned long long)(magnitude / one), shown > 0 ? "." : "",
	    shown, digits);
}

void
money_format(int64_t nano, int min_places, char *buf)
{
	/* Negated as unsigned, because INT64_MIN has no positive twin. */
	uint64_t magnitude = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;

	format_fixed(magnitude, nano < 0, NANO_PLACES, min_places, buf,
	    MONEY_TEXT_BYTES);
}

enum money_result
ppm_parse(const char *text, uint32_t *ppm_r)
{
	enum money_result result;
	int64_t v;

	result = parse_fixed(text, PPM_PLACES, INT64_C(1000000000), &v);
	if (result != MONEY_OK)
		return result;
	/* A negative multiplier would pay the customer. */
	if (v < 0)
		return MONEY_BAD_SYNTAX;
	*ppm_r = (uint32_t)v;
	return MONEY_OK;
}

void
ppm_format(uint32_t ppm, char *buf)
{
	format_fixed(ppm, false, PPM_PLACES, 0, buf, MONEY_TEXT_BYTES);
}

bool
money_add(int64_t a, int64_t b, int64_t *sum_r)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*sum_r = sum;
	return true;
}

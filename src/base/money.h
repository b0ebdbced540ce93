/*
 * money.h: amounts as people write them, and as we keep them.
 * Layer: base.  int64 nano-units of the operator's one currency.
 * Written by: pure functions.
 */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONEY_NANO_PER_UNIT INT64_C(1000000000)

/* No single amount that anybody types may be larger: 10^9 units. */
#define MONEY_AMOUNT_MAX (INT64_C(1000000000) * MONEY_NANO_PER_UNIT)

enum money_result {
	MONEY_OK,
	MONEY_BAD_SYNTAX,	/* not a decimal number */
	MONEY_TOO_PRECISE,	/* more than nine decimal places */
	MONEY_TOO_LARGE
};

/* "12.5" → 12500000000.  No exponent, no spaces, no grouping; an optional
 * sign.  Exact: what can't be kept to the nano is refused. */
enum money_result money_parse(const char *text, int64_t *nano_r)
	    __attribute__((warn_unused_result));

/* What to tell the person who typed it; static text. */
const char *money_explain(enum money_result result);

/* 12500000000 → "12.5", -1 → "-0.000000001"; at least min_places decimals.
 * buf takes at least MONEY_TEXT_BYTES. */
#define MONEY_TEXT_BYTES 32
void	money_format(int64_t nano, int min_places, char *buf);

/* Same rules, for multipliers: "1.25" → 1250000 ppm. */
enum money_result ppm_parse(const char *text, uint32_t *ppm_r)
	    __attribute__((warn_unused_result));
void	ppm_format(uint32_t ppm, char *buf);

/* True when a + b is representable; *sum_r is set then. */
bool	money_add(int64_t a, int64_t b, int64_t *sum_r)
	    __attribute__((warn_unused_result));

#endif

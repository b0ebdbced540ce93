/*
 * currency.h: ISO 4217 currencies: how many decimals their minor unit has.
 * Layer: base.
 * Written by: pure functions.
 */
#ifndef BASE_CURRENCY_H
#define BASE_CURRENCY_H

#include <stdbool.h>
#include <stdint.h>

/* Three capital letters; whether anybody issues it is not looked at. */
bool	currency_is_code(const char *text);
/* 2 for EUR, 0 for JPY, 3 for KWD; 2 for a code that isn't known. */
int	currency_places(const char *code);

/* 10^13 units of a currency with two decimals. */
#define CURRENCY_MINOR_MAX INT64_C(1000000000000000)

/* "19.99" of EUR → 1999.  False: not a number from 0, more decimals than the
 * currency has, or too large. */
bool	currency_parse(const char *text, const char *code, int64_t *minor_r)
	    __attribute__((warn_unused_result));
/* 1999 of EUR → "19.99"; minor from 0.  buf takes CURRENCY_TEXT_BYTES. */
#define CURRENCY_TEXT_BYTES 32
void	currency_format(int64_t minor, const char *code, char *buf);

#endif

/*
 * wide.h: unsigned integers of 256 bits, as far as fees need them.
 * Layer: base.  Pure arithmetic.
 * Written by: nobody.
 */
#ifndef BASE_WIDE_H
#define BASE_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Least significant limb first. */
struct wide {
	uint64_t limb[4];
};

struct wide wide_of(unsigned __int128 value);
/* A result of more than 256 bits is our own mistake (assert). */
struct wide wide_mul(struct wide a, uint64_t b);
struct wide wide_add(struct wide a, struct wide b);
/* -1, 0, 1 */
int	wide_compare(struct wide a, struct wide b);
/* The quotient; *rest_r is the remainder. */
struct wide wide_div(struct wide a, uint64_t by, uint64_t *rest_r);
/* False: it doesn't fit. */
bool	wide_to_u64(struct wide a, uint64_t *value_r)
	    __attribute__((warn_unused_result));

/* a / 10^places in decimal, at least min_places of them, no zeros behind
 * those.  text takes WIDE_TEXT_BYTES. */
#define WIDE_TEXT_BYTES 96
void	wide_format(struct wide a, int places, int min_places,
	    char text[WIDE_TEXT_BYTES]);

#endif

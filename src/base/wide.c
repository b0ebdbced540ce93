#include "base/wide.h"

#include <assert.h>
#include <string.h>

#define LIMBS 4

struct wide
wide_of(unsigned __int128 value)
{
	return (struct wide) { { (uint64_t)value, (uint64_t)(value >> 64) } };
}

struct wide
wide_mul(struct wide a, uint64_t b)
{
	unsigned __int128 carry = 0;

	for (int i = 0; i < LIMBS; i++) {
		carry += (unsigned __int128)a.limb[i] * b;
		a.limb[i] = (uint64_t)carry;
		carry >>= 64;
	}
	assert(carry == 0);
	return a;
}

struct wide
wide_add(struct wide a, struct wide b)
{
	unsigned __int128 carry = 0;

	for (int i = 0; i < LIMBS; i++) {
		carry += (unsigned __int128)a.limb[i] + b.limb[i];
		a.limb[i] = (uint64_t)carry;
		carry >>= 64;
	}
	assert(carry == 0);
	return a;
}

int
wide_compare(struct wide a, struct wide b)
{
	for (int i = LIMBS - 1; i >= 0; i--)
		if (a.limb[i] != b.limb[i])
			return a.limb[i] < b.limb[i] ? -1 : 1;
	return 0;
}

struct wide
wide_div(struct wide a, uint64_t by, uint64_t *rest_r)
{
	unsigned __int128 rest = 0;

	assert(by != 0);
	for (int i = LIMBS - 1; i >= 0; i--) {
		uint64_t q;

		rest = rest << 64 | a.limb[i];
		if (rest == 0)
			continue;
		/* One division, of which the rest follows. */
		q = (uint64_t)(rest / by);
		rest -= (unsigned __int128)q * by;
		a.limb[i] = q;
	}
	*rest_r = (uint64_t)rest;
	return a;
}

bool
wide_to_u64(struct wide a, uint64_t *value_r)
{
	*value_r = a.limb[0];
	return (a.limb[1] | a.limb[2] | a.limb[3]) == 0;
}

void
wide_format(struct wide a, int places, int min_places,
    char text[WIDE_TEXT_BYTES])
{
	char digit[WIDE_TEXT_BYTES];	/* from the last to the first */
	int n = 0, first = 0, len = 0;
	uint64_t rest;

	while (n <= places || wide_compare(a, wide_of(0)) != 0) {
		assert(n < WIDE_TEXT_BYTES - 2);
		a = wide_div(a, 10, &rest);
		digit[n++] = (char)('0' + (int)rest);
	}
	while (first < places - min_places && digit[first] == '0')
		first++;
	for (int i = n - 1; i >= first; i--) {
		if (i == places - 1)
			text[len++] = '.';
		text[len++] = digit[i];
	}
	text[len] = '\0';
}

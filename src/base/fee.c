#include "base/fee.h"

#include <assert.h>

int64_t
fee_price_of(const struct price *price, enum usage_dim dim)
{
	int64_t nano = price->nano_per_million[dim];

	if (nano >= 0)
		return nano;
	switch (dim) {
	case USAGE_CACHE_WRITE_1H:
		/* The long lifetime never costs less than the short one. */
		nano = price->nano_per_million[USAGE_CACHE_WRITE_5M];
		if (nano >= 0)
			return nano;
		/* FALLTHROUGH */
	case USAGE_CACHE_READ:
	case USAGE_CACHE_WRITE_5M:
		nano = price->nano_per_million[USAGE_INPUT];
		return nano >= 0 ? nano : PRICE_UNSET;
	case USAGE_INPUT_AUDIO:
	case USAGE_INPUT_IMAGE:
		nano = price->nano_per_million[USAGE_INPUT];
		return nano >= 0 ? nano : PRICE_UNSET;
	case USAGE_OUTPUT_AUDIO:
	case USAGE_OUTPUT_IMAGE:
		nano = price->nano_per_million[USAGE_OUTPUT];
		return nano >= 0 ? nano : PRICE_UNSET;
	case USAGE_CACHE_READ_AUDIO:
		return fee_price_of(price, USAGE_CACHE_READ);
	case USAGE_IMAGES:
	case USAGE_CALLS:
	case USAGE_MILLISECONDS:
	case USAGE_CHARACTERS:
	case USAGE_TOOL_CALLS:
		/* Counted whether or not they are sold. */
		return 0;
	case USAGE_INPUT:
	case USAGE_OUTPUT:
	case USAGE_DIMS:
		break;
	}
	return PRICE_UNSET;
}

bool
fee_price_complete(const struct price *price)
{
	return price->nano_per_million[USAGE_INPUT] >= 0 &&
	    price->nano_per_million[USAGE_OUTPUT] >= 0;
}

enum fee_result
fee_compute(const struct usage *usage, const struct price *price,
    uint32_t multiplier_ppm, int64_t *fee_nano_r)
{
	/* tokens × nano per 10^6 tokens × 10^-6 */
	const unsigned __int128 scale = UINT64_C(1000000000000);
	unsigned __int128 sum = 0, fee, rest;

	assert(multiplier_ppm <= MULTIPLIER_MAX_PPM);
	for (int dim = 0; dim < USAGE_SLOTS; dim++) {
		int64_t nano;

		if (usage->count[dim] == 0)
			continue;
		assert(dim < USAGE_DIMS);
		assert(usage->count[dim] <= USAGE_COUNT_MAX);
		nano = fee_price_of(price, (enum usage_dim)dim);
		assert(nano >= 0 && nano <= PRICE_MAX_NANO);
		/* 16 × 10^9 × 10^15 × 10^9 < 2^117: no product overflows. */
		sum += (unsigned __int128)usage->count[dim] * (uint64_t)nano;
	}
	sum *= multiplier_ppm;
	fee = sum / scale;
	rest = sum % scale;
	if (rest > scale / 2 || (rest == scale / 2 && (fee & 1) != 0))
		fee++;
	if (fee > INT64_MAX) {
		*fee_nano_r = INT64_MAX;
		return FEE_OVERFLOW;
	}
	*fee_nano_r = (int64_t)fee;
	return FEE_OK;
}

#include "base/price.h"

#include <string.h>

#define FIELD(kind, member, name) \
	{ name, PRICE_FIELD_##kind, offsetof(struct price, member) },

const struct price_field price_fields[PRICE_FIELDS_N] = {
	PRICE_FIELDS(FIELD)
};

void
price_clear(struct price *price)
{
	memset(price, 0, sizeof(*price));
	for (int i = 0; i < USAGE_SLOTS; i++)
		price->nano[i] = PRICE_UNSET;
	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		price->long_nano[i] = PRICE_UNSET;
	price->minimum_nano = PRICE_UNSET;
}

int64_t
price_get(const struct price *price, const struct price_field *field)
{
	const uint8_t *at = (const uint8_t *)price + field->offset;
	int64_t nano;
	uint64_t count;
	uint32_t ppm;

	switch (field->kind) {
	case PRICE_FIELD_NANO:
		memcpy(&nano, at, sizeof(nano));
		return nano < 0 ? PRICE_UNSET : nano;
	case PRICE_FIELD_PPM:
		memcpy(&ppm, at, sizeof(ppm));
		return ppm == 0 ? PRICE_UNSET : ppm;
	case PRICE_FIELD_COUNT:
		memcpy(&count, at, sizeof(count));
		return count == 0 || count > INT64_MAX ? PRICE_UNSET :
		    (int64_t)count;
	}
	return PRICE_UNSET;
}

bool
price_set(struct price *price, const struct price_field *field, int64_t value)
{
	uint8_t *at = (uint8_t *)price + field->offset;
	bool unset = value == PRICE_UNSET;
	uint64_t count = unset ? 0 : (uint64_t)value;
	uint32_t ppm = unset ? 0 : (uint32_t)value;

	switch (field->kind) {
	case PRICE_FIELD_NANO:
		if (!unset && (value < 0 || value > PRICE_MAX_NANO))
			return false;
		memcpy(at, &value, sizeof(value));
		return true;
	case PRICE_FIELD_PPM:
		if (!unset && (value < 1 || value > MULTIPLIER_MAX_PPM))
			return false;
		memcpy(at, &ppm, sizeof(ppm));
		return true;
	case PRICE_FIELD_COUNT:
		if (!unset && (value < 1 || count > USAGE_COUNT_MAX))
			return false;
		memcpy(at, &count, sizeof(count));
		return true;
	}
	return false;
}

/* -1: nothing is priced; 0: all of it at 0; 1: something above it. */
static int
dearness(const struct price *price)
{
	int dear = -1;

	for (int i = 0; i < PRICE_FIELDS_N; i++) {
		int64_t v = price_get(price, &price_fields[i]);

		if (price_fields[i].kind == PRICE_FIELD_NANO && v >= 0 &&
		    (v > 0) > dear)
			dear = v > 0;
	}
	for (uint32_t i = 0; i < price->images; i++)
		if ((price->image[i].nano > 0) > dear)
			dear = price->image[i].nano > 0;
	return dear;
}

bool
price_is_set(const struct price *price)
{
	return (price->flags & PRICE_FREE) != 0 || dearness(price) >= 0;
}

static const char *
check_long(const struct price *price)
{
	bool any = price->long_ppm[0] != 0 || price->long_ppm[1] != 0;

	for (int i = 0; i < USAGE_OTHER_DIMS; i++) {
		bool priced = price->nano[i] >= 0;
		bool has = price->long_nano[i] >= 0;
		int side = usage_dims[i].kind == USAGE_KIND_OUTPUT;

		any = any || has;
		if (has && !priced)
			return "a long-context price needs the usual one "
			    "beside it";
		/* Left out it would be the usual price, unseen. */
		if (price->long_above != 0 && priced && !has &&
		    price->long_ppm[side] == 0)
			return "where long_above is set, everything that is "
			    "priced per token needs its long_ price or a "
			    "multiplier";
	}
	if (any && price->long_above == 0)
		return "long-context prices need long_above";
	if (!any && price->long_above != 0)
		return "long_above needs long-context prices";
	return NULL;
}

static const char *
check_images(const struct price *price)
{
	for (uint32_t i = 0; i < price->images; i++)
		for (uint32_t j = 0; j < i; j++) {
			const struct price_image *a = &price->image[i];
			const struct price_image *b = &price->image[j];

			if (a->quality == b->quality &&
			    ((a->width == b->width &&
			    a->height == b->height) ||
			    (a->width == b->height &&
			    a->height == b->width)))
				return "an image's price is there twice";
		}
	return NULL;
}

const char *
price_check(const struct price *price)
{
	const char *why;
	int dear = dearness(price);

	if ((price->flags & PRICE_FREE) != 0)
		return dear < 0 && price->long_above == 0 ? NULL :
		    "what is free has no price beside";
	if (dear < 0)
		return "nothing is priced";
	if (dear == 0)
		return "everything costs 0; what costs nothing on purpose is "
		    "free";
	why = check_long(price);
	return why != NULL ? why : check_images(price);
}

bool
price_is_sane(const struct price *price)
{
	for (int i = 0; i < USAGE_SLOTS; i++)
		if (price->nano[i] < PRICE_UNSET ||
		    price->nano[i] > PRICE_MAX_NANO)
			return false;
	for (int i = 0; i < PRICE_FIELDS_N; i++) {
		struct price copy = *price;
		int64_t v = price_get(price, &price_fields[i]);

		if (!price_set(&copy, &price_fields[i], v))
			return false;
	}
	if (price->images > PRICE_IMAGES)
		return false;
	for (uint32_t i = 0; i < price->images; i++)
		if (price->image[i].nano < 0 ||
		    price->image[i].nano > PRICE_MAX_NANO ||
		    price->image[i].quality >= IMAGE_QUALITIES)
			return false;
	return true;
}

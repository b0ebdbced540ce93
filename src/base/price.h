/*
 * price.h: a price row: what a model costs, or what it costs us upstream.
 * Layer: base.  Fixed size, no pointer, no padding: it is kept in the segment,
 * with each hold and in the catalogue.
 * Written by: the flusher's directory and youyunctl, out of the database.
 */
#ifndef BASE_PRICE_H
#define BASE_PRICE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/usage.h"

/* "Not priced".  0 is a price. */
#define PRICE_UNSET INT64_C(-1)

/* Bounds that keep every product inside 256 bits; fee.c has the proof. */
#define PRICE_MAX_NANO		INT64_C(1000000000000000)	/* 10^6 units */
#define MULTIPLIER_MAX_PPM	UINT32_C(1000000000)		/* × 1000 */
#define MULTIPLIER_ONE_PPM	UINT32_C(1000000)

/* Images by size and quality. */
#define PRICE_IMAGES 12
#define PRICE_IMAGE_PIXELS_MAX 16384

struct price_image {
	int64_t nano;			/* for one */
	uint16_t width, height;		/* either way round; 0, 0: any */
	uint8_t quality;		/* enum usage_image_quality; 0: any */
	uint8_t reserved[3];
};

#define PRICE_FREE 0x1u	/* costs nothing, on purpose; nothing else is set */

/*
 * nano[] is nano-units of the operator's currency for usage_dims[].per of a
 * dimension.  A multiplier of 0 is "not set" and counts as one, so that no
 * multiplier makes anything free.
 */
struct price {
	int64_t nano[USAGE_SLOTS];
	int64_t long_nano[USAGE_OTHER_DIMS]; /* dimensions 0 to 4, instead */
	int64_t minimum_nano;		/* of a call, before the group's
					 * multiplier */
	uint64_t long_above;		/* input tokens; 0: never */
	uint32_t long_ppm[2];		/* input, output tokens that have no
					 * long_nano */
	uint32_t tier_ppm[USAGE_TIERS];
	uint32_t speed_ppm[USAGE_SPEEDS];
	uint32_t region_ppm[USAGE_REGIONS];
	uint32_t flags;			/* PRICE_FREE */
	uint32_t images;		/* of image[], that are set */
	struct price_image image[PRICE_IMAGES];
	uint64_t version;		/* price row's id in the database */
};

static_assert(sizeof(struct price_image) == 16, "no padding");
static_assert(sizeof(struct price) % 8 == 0, "no padding");

/*
 * Every member that is one number, in the order of its columns.  X(kind,
 * member, name): kind NANO (PRICE_UNSET: NULL), PPM (0: NULL) or COUNT (0:
 * NULL).  The options of youyunctl, the columns of the database and the members
 * of imported and exported prices come from here.
 */
#define PRICE_FIELDS(X) \
	X(NANO, nano[USAGE_INPUT], "input") \
	X(NANO, nano[USAGE_OUTPUT], "output") \
	X(NANO, nano[USAGE_CACHE_READ], "cache_read") \
	X(NANO, nano[USAGE_CACHE_WRITE_5M], "cache_write_5m") \
	X(NANO, nano[USAGE_CACHE_WRITE_1H], "cache_write_1h") \
	X(NANO, nano[USAGE_INPUT_AUDIO], "input_audio") \
	X(NANO, nano[USAGE_OUTPUT_AUDIO], "output_audio") \
	X(NANO, nano[USAGE_CACHE_READ_AUDIO], "cache_read_audio") \
	X(NANO, nano[USAGE_INPUT_IMAGE], "input_image") \
	X(NANO, nano[USAGE_OUTPUT_IMAGE], "output_image") \
	X(NANO, nano[USAGE_IMAGES], "per_image") \
	X(NANO, nano[USAGE_CALLS], "per_call") \
	X(NANO, nano[USAGE_MILLISECONDS], "per_minute") \
	X(NANO, nano[USAGE_CHARACTERS], "per_1000_characters") \
	X(NANO, nano[USAGE_TOOL_CALLS], "per_tool_call") \
	X(COUNT, long_above, "long_above") \
	X(NANO, long_nano[USAGE_INPUT], "long_input") \
	X(NANO, long_nano[USAGE_OUTPUT], "long_output") \
	X(NANO, long_nano[USAGE_CACHE_READ], "long_cache_read") \
	X(NANO, long_nano[USAGE_CACHE_WRITE_5M], "long_cache_write_5m") \
	X(NANO, long_nano[USAGE_CACHE_WRITE_1H], "long_cache_write_1h") \
	X(PPM, long_ppm[0], "long_input_multiplier") \
	X(PPM, long_ppm[1], "long_output_multiplier") \
	X(PPM, tier_ppm[TIER_FLEX], "flex_multiplier") \
	X(PPM, tier_ppm[TIER_SCALE], "scale_multiplier") \
	X(PPM, tier_ppm[TIER_PRIORITY], "priority_multiplier") \
	X(PPM, tier_ppm[TIER_FAST], "fast_tier_multiplier") \
	X(PPM, tier_ppm[TIER_ULTRAFAST], "ultrafast_tier_multiplier") \
	X(PPM, tier_ppm[TIER_BATCH], "batch_multiplier") \
	X(PPM, tier_ppm[TIER_OTHER], "other_tier_multiplier") \
	X(PPM, speed_ppm[SPEED_FAST], "fast_multiplier") \
	X(PPM, region_ppm[REGION_US], "us_multiplier") \
	X(PPM, region_ppm[REGION_EU], "eu_multiplier") \
	X(PPM, region_ppm[REGION_OTHER], "other_region_multiplier") \
	X(NANO, minimum_nano, "minimum")

enum price_field_kind {
	PRICE_FIELD_NANO,	/* int64_t */
	PRICE_FIELD_PPM,	/* uint32_t */
	PRICE_FIELD_COUNT	/* uint64_t */
};

struct price_field {
	const char *name;
	enum price_field_kind kind;
	size_t offset;		/* in struct price */
};

#define PRICE_FIELD_ONE(kind, member, name) + 1
#define PRICE_FIELDS_N (0 PRICE_FIELDS(PRICE_FIELD_ONE))

extern const struct price_field price_fields[PRICE_FIELDS_N];

/* A row in which nothing is priced. */
void	price_clear(struct price *price);

/* PRICE_UNSET for what isn't set, of any kind. */
int64_t	price_get(const struct price *price, const struct price_field *field);
/* False: out of bounds, the row is as it was.  PRICE_UNSET unsets. */
bool	price_set(struct price *price, const struct price_field *field,
	    int64_t value) __attribute__((warn_unused_result));

/*
 * Is it a row that fees can be computed with?  NULL, or what is wrong with it
 * (static): something is priced unless it is free, not everything is 0, and
 * where long-context prices begin there are some for all that is priced.
 */
const char *price_check(const struct price *price);

/* Is anything priced, or is it free?  What isn't can't be sold. */
bool	price_is_set(const struct price *price);

/* All members within their bounds: what came from the segment is. */
bool	price_is_sane(const struct price *price);

#endif

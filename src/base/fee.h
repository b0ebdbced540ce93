/*
 * fee.h: what a call used, what it costs, and the one rounding between.
 * Layer: base.  Pure arithmetic; nobody's state is touched.
 * Written by: meters (usage), the flusher's directory (price), settle (fee).
 */
#ifndef BASE_FEE_H
#define BASE_FEE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The dimensions a call is billed in.  They are disjoint: a token counted as
 * USAGE_CACHE_READ is not in USAGE_INPUT as well, whatever the provider's own
 * spelling adds up.  The numbers are stored in records and in the database:
 * append, never renumber.
 */
enum usage_dim {
	USAGE_INPUT = 0,	/* tokens, read at the full price */
	USAGE_OUTPUT = 1,	/* tokens, reasoning included */
	USAGE_CACHE_READ = 2,	/* input tokens served from a cache */
	USAGE_CACHE_WRITE_5M = 3, /* input tokens written, short lifetime */
	USAGE_CACHE_WRITE_1H = 4, /* input tokens written, long lifetime */
	USAGE_INPUT_AUDIO = 5,	/* tokens */
	USAGE_OUTPUT_AUDIO = 6,	/* tokens */
	USAGE_INPUT_IMAGE = 7,	/* tokens */
	USAGE_OUTPUT_IMAGE = 8,	/* tokens */
	USAGE_IMAGES = 9,	/* images made */
	USAGE_CALLS = 10,	/* 1 for each billable call */
	USAGE_MILLISECONDS = 11, /* of audio */
	USAGE_CHARACTERS = 12,
	USAGE_TOOL_CALLS = 13,	/* web searches and other server tools */
	USAGE_CACHE_READ_AUDIO = 14, /* tokens */
	USAGE_DIMS = 15		/* those in use today */
};

/* Those that price rows and call rows have columns for today. */
#define USAGE_DIMS_STORED 5

/* Room in records, holds and price rows, so that a dimension more is not a
 * new layout. */
#define USAGE_SLOTS 16

/* No answer in the world has more of anything; above it usage is clamped. */
#define USAGE_COUNT_MAX UINT64_C(1000000000)

/* Marks of a usage that is not simply what the upstream said. */
#define USAGE_SEEN	0x01u	/* the upstream stated a usage */
#define USAGE_CLAMPED	0x02u	/* something stated was impossible */
#define USAGE_ESTIMATED	0x04u	/* nothing (usable) was stated */
#define USAGE_UNKNOWN_FIELD 0x08u /* a field that no meter knows */

/* How the answer was served, by the answer's own word.  Stored: append, never
 * renumber. */
enum usage_tier {
	TIER_STANDARD = 0,	/* or not said */
	TIER_FLEX = 1,
	TIER_SCALE = 2,
	TIER_PRIORITY = 3,
	TIER_FAST = 4,
	TIER_ULTRAFAST = 5,
	TIER_BATCH = 6,
	TIER_OTHER = 7		/* a word that no meter knows */
};

enum usage_speed {
	SPEED_NORMAL = 0,
	SPEED_FAST = 1
};

enum usage_region {
	REGION_GLOBAL = 0,	/* or not said */
	REGION_US = 1,
	REGION_EU = 2,
	REGION_OTHER = 3
};

enum usage_image_quality {
	IMAGE_QUALITY_AUTO = 0,	/* not said, auto, standard */
	IMAGE_QUALITY_LOW = 1,
	IMAGE_QUALITY_MEDIUM = 2,
	IMAGE_QUALITY_HIGH = 3	/* hd too */
};

#define USAGE_OTHER_DIMS 5
#define USAGE_OTHER_MODEL_BYTES 64

/* What another model used on the way, to be billed at that one's price. */
struct usage_other {
	uint64_t count[USAGE_OTHER_DIMS]; /* the first of enum usage_dim */
	char model[USAGE_OTHER_MODEL_BYTES]; /* 0-terminated; "": none */
};

struct usage {
	uint64_t count[USAGE_SLOTS];	/* by enum usage_dim */
	uint64_t reasoning;		/* of USAGE_OUTPUT; informative */
	uint32_t marks;			/* USAGE_SEEN | … */
	uint8_t tier;			/* enum usage_tier */
	uint8_t speed;			/* enum usage_speed */
	uint8_t region;			/* enum usage_region */
	uint8_t image_quality;		/* enum usage_image_quality */
	uint16_t image_width;		/* 0: unknown */
	uint16_t image_height;
	uint32_t reserved;
	struct usage_other other;
};

/*
 * One price row: nano-units of the operator's currency per million of each
 * dimension.  A negative entry means "not priced": a call that could need it
 * is refused at admission, and one that turns out to have used it is charged
 * by the fallback of fee_price_of().
 */
struct price {
	int64_t nano_per_million[USAGE_SLOTS];
	uint64_t version;		/* price row's id in the database */
};

#define PRICE_UNSET INT64_C(-1)

/* Bounds that keep every product inside 128 bits and every fee inside 64. */
#define PRICE_MAX_NANO		INT64_C(1000000000000000)	/* 10^6 units */
#define MULTIPLIER_MAX_PPM	UINT32_C(1000000000)		/* × 1000 */
#define MULTIPLIER_ONE_PPM	UINT32_C(1000000)

enum fee_result {
	FEE_OK,
	FEE_OVERFLOW	/* more than INT64_MAX nano: *fee_r = INT64_MAX */
};

/*
 * The price that applies to a dimension: its own, else that of the dimension
 * it refines (cache reads and writes fall back to USAGE_INPUT), never 0 by
 * accident.  Returns PRICE_UNSET when neither is priced.
 */
int64_t	fee_price_of(const struct price *price, enum usage_dim dim);

/* Can a call of text in and text out be billed by this row? */
bool	fee_price_complete(const struct price *price);

/*
 * fee = round_half_even(Σ count·price × multiplier_ppm / 10^12), in 128-bit
 * integers, rounded once.  Counts above USAGE_COUNT_MAX must have been
 * clamped; an unpriced dimension with a count is a caller's error (assert).
 */
enum fee_result	fee_compute(const struct usage *usage,
	    const struct price *price, uint32_t multiplier_ppm,
	    int64_t *fee_nano_r) __attribute__((warn_unused_result));

#endif

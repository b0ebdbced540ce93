/*
 * usage.h: what a call used, in dimensions that don't overlap.
 * Layer: base.
 * Written by: meters; settle adds what nobody stated.
 */
#ifndef BASE_USAGE_H
#define BASE_USAGE_H

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
	USAGE_CALLS = 10,	/* 1 for a call that is billed */
	USAGE_MILLISECONDS = 11, /* of audio */
	USAGE_CHARACTERS = 12,	/* of text to be spoken */
	USAGE_TOOL_CALLS = 13,	/* web searches and other server tools */
	USAGE_CACHE_READ_AUDIO = 14, /* audio tokens served from a cache */
	USAGE_DIMS = 15		/* those in use today */
};

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

/* How the upstream served the call, by its answer.  Stored as well. */
enum usage_tier {
	TIER_STANDARD = 0,
	TIER_FLEX = 1,
	TIER_SCALE = 2,
	TIER_PRIORITY = 3,
	TIER_FAST = 4,
	TIER_ULTRAFAST = 5,
	TIER_BATCH = 6,
	TIER_OTHER = 7,			/* a word that we don't know */
	USAGE_TIERS = 8
};

enum usage_speed {
	SPEED_NORMAL = 0,
	SPEED_FAST = 1,
	USAGE_SPEEDS = 2
};

enum usage_region {
	REGION_GLOBAL = 0,
	REGION_US = 1,
	REGION_EU = 2,
	REGION_OTHER = 3,
	USAGE_REGIONS = 4
};

enum usage_image_quality {
	IMAGE_QUALITY_AUTO = 0,	/* "auto", "standard", or not said */
	IMAGE_QUALITY_LOW = 1,
	IMAGE_QUALITY_MEDIUM = 2,
	IMAGE_QUALITY_HIGH = 3,		/* "high", "hd" */
	IMAGE_QUALITIES = 4
};

/* What another model did within the call (Anthropic's advisor and fallback
 * iterations): the token dimensions 0 to 4, at that model's own price. */
#define USAGE_OTHER_DIMS 5
#define USAGE_OTHER_MODEL_BYTES 64

struct usage_other {
	uint64_t count[USAGE_OTHER_DIMS];
	char model[USAGE_OTHER_MODEL_BYTES];	/* 0-terminated; "": none */
};

/* Held in the segment: no padding. */
struct usage {
	uint64_t count[USAGE_SLOTS];	/* by enum usage_dim */
	uint64_t reasoning;		/* of USAGE_OUTPUT; informative */
	uint32_t marks;			/* USAGE_SEEN | … */
	uint8_t tier;			/* enum usage_tier */
	uint8_t speed;			/* enum usage_speed */
	uint8_t region;			/* enum usage_region */
	uint8_t image_quality;		/* enum usage_image_quality */
	uint16_t image_width;		/* pixels; 0: unknown */
	uint16_t image_height;
	uint32_t reserved;
	struct usage_other other;
};

/* What a dimension measures decides what becomes of it without a price; the
 * rules are in fee.h. */
enum usage_kind {
	USAGE_KIND_INPUT,	/* tokens read */
	USAGE_KIND_OUTPUT,	/* tokens made */
	USAGE_KIND_MEASURE,	/* the same work by another measure */
	USAGE_KIND_EXTRA,	/* work besides the tokens */
	USAGE_KIND_CALL		/* the call itself: no price is no fee */
};

/* The tables in words and numbers; fee.h says how they are used. */
struct usage_dim_info {
	const char *name;	/* of the count: "cache_read", "images" */
	const char *unit;	/* the price is for: "10^6 tokens" */
	enum usage_kind kind;
	uint32_t per;		/* the price is for so many */
	enum usage_dim fallback; /* what it is charged as without a price of
				 * its own; itself: nothing */
	uint32_t fallback_count; /* `fallback_per` of it as so many of that, */
	uint32_t fallback_per;	/* rounded up */
};

extern const struct usage_dim_info usage_dims[USAGE_DIMS];

/* "standard", "flex" …; NULL beyond the enum. */
const char *usage_tier_name(unsigned int tier);
const char *usage_speed_name(unsigned int speed);
const char *usage_region_name(unsigned int region);
const char *image_quality_name(unsigned int quality);

static inline bool
usage_dim_is_tokens(enum usage_dim dim)
{
	return usage_dims[dim].kind <= USAGE_KIND_OUTPUT;
}

/* All tokens, read and made; another model's aside. */
uint64_t usage_tokens(const struct usage *usage);
/* All input tokens, cached or not: what long-context prices begin above. */
uint64_t usage_input_tokens(const struct usage *usage);

/* Is there any count at all? */
bool	usage_is_empty(const struct usage *usage);

/* Cuts what came from a process that may be out of its mind to what can be
 * priced, names included. */
void	usage_clamp(struct usage *usage);

#endif

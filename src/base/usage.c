#include "base/usage.h"

#include <string.h>

/*
 * The conversions of what isn't measured in tokens are for a row that lacks
 * the price: rather above what models are known to count than below.  An
 * image of the highest quality is 6240 tokens, a second of audio up to 32, a
 * character of speech less than 2, what a web search brings in 8000.
 */
const struct usage_dim_info usage_dims[USAGE_DIMS] = {
	[USAGE_INPUT] = { "input", "10^6", USAGE_KIND_INPUT, 1000000,
	    USAGE_INPUT, 1, 1 },
	[USAGE_OUTPUT] = { "output", "10^6", USAGE_KIND_OUTPUT, 1000000,
	    USAGE_OUTPUT, 1, 1 },
	[USAGE_CACHE_READ] = { "cache_read", "10^6", USAGE_KIND_INPUT,
	    1000000, USAGE_INPUT, 1, 1 },
	[USAGE_CACHE_WRITE_5M] = { "cache_write_5m", "10^6", USAGE_KIND_INPUT,
	    1000000, USAGE_INPUT, 1, 1 },
	/* The long lifetime never costs less than the short one. */
	[USAGE_CACHE_WRITE_1H] = { "cache_write_1h", "10^6", USAGE_KIND_INPUT,
	    1000000, USAGE_CACHE_WRITE_5M, 1, 1 },
	[USAGE_INPUT_AUDIO] = { "input_audio", "10^6", USAGE_KIND_INPUT,
	    1000000, USAGE_INPUT, 1, 1 },
	[USAGE_OUTPUT_AUDIO] = { "output_audio", "10^6", USAGE_KIND_OUTPUT,
	    1000000, USAGE_OUTPUT, 1, 1 },
	[USAGE_INPUT_IMAGE] = { "input_image", "10^6", USAGE_KIND_INPUT,
	    1000000, USAGE_INPUT, 1, 1 },
	[USAGE_OUTPUT_IMAGE] = { "output_image", "10^6", USAGE_KIND_OUTPUT,
	    1000000, USAGE_OUTPUT, 1, 1 },
	[USAGE_IMAGES] = { "images", "1", USAGE_KIND_MEASURE, 1,
	    USAGE_OUTPUT_IMAGE, 6240, 1 },
	[USAGE_CALLS] = { "calls", "1", USAGE_KIND_CALL, 1, USAGE_CALLS, 1,
	    1 },
	[USAGE_MILLISECONDS] = { "milliseconds", "60000", USAGE_KIND_MEASURE,
	    60000, USAGE_INPUT_AUDIO, 32, 1000 },
	[USAGE_CHARACTERS] = { "characters", "1000", USAGE_KIND_MEASURE, 1000,
	    USAGE_OUTPUT_AUDIO, 2, 1 },
	[USAGE_TOOL_CALLS] = { "tool_calls", "1", USAGE_KIND_EXTRA, 1,
	    USAGE_INPUT, 8000, 1 },
	[USAGE_CACHE_READ_AUDIO] = { "cache_read_audio", "10^6",
	    USAGE_KIND_INPUT, 1000000, USAGE_INPUT_AUDIO, 1, 1 },
};

static const char *
name_of(const char *const *names, unsigned int n, unsigned int i)
{
	return i < n ? names[i] : NULL;
}

const char *
usage_tier_name(unsigned int tier)
{
	static const char *const names[USAGE_TIERS] = { "standard", "flex",
		"scale", "priority", "fast", "ultrafast", "batch", "other" };

	return name_of(names, USAGE_TIERS, tier);
}

const char *
usage_speed_name(unsigned int speed)
{
	static const char *const names[USAGE_SPEEDS] = { "normal", "fast" };

	return name_of(names, USAGE_SPEEDS, speed);
}

const char *
usage_region_name(unsigned int region)
{
	static const char *const names[USAGE_REGIONS] = { "global", "us",
		"eu", "other" };

	return name_of(names, USAGE_REGIONS, region);
}

const char *
image_quality_name(unsigned int quality)
{
	static const char *const names[IMAGE_QUALITIES] = { "any", "low",
		"medium", "high" };

	return name_of(names, IMAGE_QUALITIES, quality);
}

uint64_t
usage_tokens(const struct usage *usage)
{
	uint64_t sum = 0;

	for (int i = 0; i < USAGE_DIMS; i++)
		if (usage_dim_is_tokens((enum usage_dim)i))
			sum += usage->count[i];
	return sum;
}

uint64_t
usage_input_tokens(const struct usage *usage)
{
	uint64_t sum = 0;

	for (int i = 0; i < USAGE_DIMS; i++)
		if (usage_dims[i].kind == USAGE_KIND_INPUT)
			sum += usage->count[i];
	return sum;
}

bool
usage_is_empty(const struct usage *usage)
{
	for (int i = 0; i < USAGE_SLOTS; i++)
		if (usage->count[i] != 0)
			return false;
	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		if (usage->other.count[i] != 0)
			return false;
	return true;
}

static void
clamp(uint64_t *count)
{
	if (*count > USAGE_COUNT_MAX)
		*count = USAGE_COUNT_MAX;
}

void
usage_clamp(struct usage *usage)
{
	for (int i = 0; i < USAGE_SLOTS; i++)
		if (i >= USAGE_DIMS)
			usage->count[i] = 0;
		else
			clamp(&usage->count[i]);
	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		clamp(&usage->other.count[i]);
	usage->other.model[USAGE_OTHER_MODEL_BYTES - 1] = '\0';
	if (usage->tier >= USAGE_TIERS)
		usage->tier = TIER_OTHER;
	if (usage->speed >= USAGE_SPEEDS)
		usage->speed = SPEED_NORMAL;
	if (usage->region >= USAGE_REGIONS)
		usage->region = REGION_OTHER;
	if (usage->image_quality >= IMAGE_QUALITIES)
		usage->image_quality = IMAGE_QUALITY_AUTO;
}

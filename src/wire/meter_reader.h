/*
 * meter_reader.h: what a provider's protocol adds to the common meter.
 * Layer: wire, private to it.
 * Written by: nobody at run time; one constant table per protocol.
 */
#ifndef WIRE_METER_READER_H
#define WIRE_METER_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "wire/meter.h"

struct wire_meter_reader {
	const struct json_node *nodes;	/* the paths that are read */
	json_pull_fn *report;		/* context: struct wire_meter */
	/* Fill usage, which is all zero, from the fields. */
	void (*settle)(const struct wire_meter *meter, struct usage *usage);
};

extern const struct wire_meter_reader wire_meter_openai;
extern const struct wire_meter_reader wire_meter_responses;
extern const struct wire_meter_reader wire_meter_images;
extern const struct wire_meter_reader wire_meter_audio;
extern const struct wire_meter_reader wire_meter_anthropic;
extern const struct wire_meter_reader wire_meter_gemini;
extern const struct wire_meter_reader wire_meter_interactions;

static inline bool
wire_text_is(const struct json_pull_value *value, const char *text)
{
	return value->type == JSON_STRING && !value->text_cut &&
	    value->text_len == strlen(text) &&
	    memcmp(value->text, text, value->text_len) == 0;
}

/* Has the field been stated? */
static inline bool
wire_field_seen(const struct wire_meter_fields *fields, unsigned int field)
{
	return (fields->seen >> field & 1) != 0;
}

/* Take a count into a field; null is no statement, nonsense is clamped.  Of
 * two statements in one object the larger counts. */
void	wire_field_take(struct wire_meter_fields *fields, unsigned int field,
	    const struct json_pull_value *value);

/* The same, but only upwards: for several spellings of one thing. */
void	wire_field_take_max(struct wire_meter_fields *fields,
	    unsigned int field, const struct json_pull_value *value);

/* A member nobody knows: worth a mark if it counts tokens. */
void	wire_field_unknown(struct wire_meter_fields *fields,
	    const struct json_pull_value *value);

/* Sum of counts, clamped to USAGE_COUNT_MAX with a mark. */
uint64_t wire_count_add(uint64_t a, uint64_t b, uint32_t *marks);

/* part, or whole when part is above it, with a mark. */
uint64_t wire_count_within(uint64_t part, uint64_t whole, uint32_t *marks);

/* Milliseconds of a number of seconds, or of a string that holds one. */
void	wire_field_take_seconds(struct wire_meter_fields *fields,
	    unsigned int field, const struct json_pull_value *value);

/* The whole and what of it is special, as one protocol's fields say it. */
struct wire_input_split {
	uint64_t total;			/* all of the below included */
	uint64_t cached;		/* read from a cache */
	uint64_t written;		/* to a cache, for the short time */
	uint64_t written_long;		/* likewise, for the long time */
	uint64_t audio;			/* cached or not */
	uint64_t image;
	uint64_t cached_audio;		/* of cached and of audio */
	uint64_t cached_image;
	bool cached_split;		/* the last two were stated */
};

/*
 * Adds it to the usage's disjoint dimensions.  Where nobody says what of the
 * cached is audio, text is taken to be cached first.
 */
void	wire_split_input(const struct wire_input_split *split,
	    struct usage *usage);
void	wire_split_output(uint64_t total, uint64_t audio, uint64_t image,
	    struct usage *usage);

/* Keep the answer's own word on how it was served. */
void	wire_meter_tier(struct wire_meter *meter,
	    const struct json_pull_value *value);
void	wire_meter_speed(struct wire_meter *meter,
	    const struct json_pull_value *value);
void	wire_meter_region(struct wire_meter *meter,
	    const struct json_pull_value *value);
/* Keep its id, if it fits. */
void	wire_meter_id(struct wire_meter *meter,
	    const struct json_pull_value *value);

/* "1024x1536" and "high"; false, with nothing changed, for other texts. */
bool	wire_image_size(const char *text, size_t len, uint16_t *width_r,
	    uint16_t *height_r);
bool	wire_image_quality(const char *text, size_t len, uint8_t *quality_r);

#endif

/*
 * meter_reader.h: what a provider's protocol adds to the common meter.
 * Layer: wire, private to it.
 * Written by: nobody at run time; one constant table per protocol.
 */
#ifndef WIRE_METER_READER_H
#define WIRE_METER_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/meter.h"

struct wire_meter_reader {
	const struct json_node *nodes;	/* the paths that are read */
	json_pull_fn *report;		/* context: struct wire_meter */
	/* Fill usage, which is all zero, from the fields. */
	void (*settle)(const struct wire_meter *meter, struct usage *usage);
};

extern const struct wire_meter_reader wire_meter_openai;
extern const struct wire_meter_reader wire_meter_anthropic;

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

/* Keep the answer's service tier, as far as it fits. */
void	wire_meter_tier(struct wire_meter *meter,
	    const struct json_pull_value *value);

#endif

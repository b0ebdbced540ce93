/*
 * meter.h: reads the usage out of an answer's bytes as they pass.
 * Layer: wire.  No allocation, constant memory; never delays a byte.
 * Written by: the relay that owns the struct; usage is read at settlement.
 *
 * Feed decoded body bytes (no chunked, no gzip) in pieces of any size.  What
 * an upstream states is not trusted: counts are clamped to what is possible
 * and the usage says so in its marks.  What another model used on the way
 * (Anthropic's advisor and fallback iterations) is in usage.other.
 */
#ifndef WIRE_METER_H
#define WIRE_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fee.h"
#include "http/json_pull.h"
#include "http/sse.h"
#include "wire/request.h"
#include "wire/route.h"

struct wire_meter_reader;

/* Usage as a protocol spells it; the indices are private to its file. */
#define WIRE_METER_FIELDS 24

struct wire_meter_fields {
	uint64_t value[WIRE_METER_FIELDS];
	uint32_t seen;			/* a bit per field */
	uint32_t marks;			/* USAGE_CLAMPED | … */
};

struct wire_meter {
	/* May be read at any time. */
	uint64_t output_bytes_seen;	/* text, reasoning, tool arguments */
	bool finished;			/* [DONE], message_stop, or the end of
					 * an unstreamed document */
	bool error_seen;		/* the upstream sent an error */
	bool malformed;			/* some frame was not JSON */
	uint32_t elements;		/* complete ones, of an array */
	bool has_status;		/* it says how far it is: */
	bool pending;			/* … that it is made later */
	char id[WIRE_ANSWER_ID_BYTES];	/* one that can be asked for again */

	/* Private. */
	const struct wire_meter_reader *reader;
	enum wire_route route;
	bool streamed;
	bool opaque;			/* nothing to be read in it */
	bool last_frame;		/* the present event ends the stream */
	bool in_element;		/* of an array that is streamed */
	bool named_final;		/* the event's type says so */
	uint8_t tier;			/* enum usage_tier, and so on */
	uint8_t speed;
	uint8_t region;
	uint8_t image_quality;
	uint16_t image_width;
	uint16_t image_height;
	uint8_t modality;		/* of the entry being read */
	uint64_t modality_count;
	bool in_frame;			/* the event has data */
	bool maybe_done;		/* and it may still be [DONE] */
	uint8_t done_at;
	bool usage_fresh;		/* OpenAI: this frame stated one */
	uint64_t usage_at_bytes;	/* text until then */
	bool final_usage;		/* Anthropic: not the first one only */
	bool split_stale;		/* Anthropic: cache_creation is older
					 * than its total */
	uint8_t extra_kind;		/* Anthropic: what an iteration is */
	bool fallback;			/* Anthropic: totals are another's */
	char extra_model[USAGE_OTHER_MODEL_BYTES];
	char other_model[USAGE_OTHER_MODEL_BYTES];
	struct wire_meter_fields total;	/* of the answer */
	struct wire_meter_fields part;	/* of the object being read */
	struct wire_meter_fields extra;	/* Anthropic: one iteration */
	struct wire_meter_fields compaction; /* and the sums of some */
	struct wire_meter_fields own;	/* … of the model's own */
	struct wire_meter_fields other;	/* … of another model's */
	struct sse sse;
	struct json_pull pull;
	struct usage usage;
};

/* A billed route.  streamed: the answer is text/event-stream (by its own
 * Content-Type, not by what was asked for). */
void	wire_meter_init(struct wire_meter *meter, enum wire_route route,
	    bool streamed);

/* After that: the body is audio or text, in which no usage stands. */
void	wire_meter_opaque(struct wire_meter *meter);

void	wire_meter_feed(struct wire_meter *meter, const char *in, size_t len);

/* The answer is over, or was cut: reads an event that lacks its blank line. */
void	wire_meter_finish(struct wire_meter *meter);

/*
 * What has been read so far, in base/fee.h's disjoint dimensions.  marks has
 * USAGE_SEEN only if the upstream stated a usage; without it all counts are 0
 * and the caller estimates.  Where the upstream stated the input but not yet
 * the output (an Anthropic stream that was cut), the output is estimated from
 * output_bytes_seen and marked.  Borrowed; valid until the next call.
 */
const struct usage *wire_meter_usage(struct wire_meter *meter);

/* A stream's event (or its array's element) has begun and not ended: no other
 * may be put here. */
bool	wire_meter_frame_open(const struct wire_meter *meter);

#endif

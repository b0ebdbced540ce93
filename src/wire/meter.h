/*
 * meter.h: reads the token usage out of an answer's bytes as they pass.
 * Layer: wire.  No allocation, constant memory; never delays a byte.
 * Written by: the relay that owns the struct; usage is read at settlement.
 *
 * Feed decoded body bytes (no chunked, no gzip) in pieces of any size.  What
 * an upstream states is not trusted: counts are clamped to what is possible
 * and the usage says so in its marks.  Counts at another model's price
 * (Anthropic's advisor and fallback iterations) are not among the counts; the
 * mark USAGE_UNKNOWN_FIELD tells of them.
 */
#ifndef WIRE_METER_H
#define WIRE_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fee.h"
#include "http/json_pull.h"
#include "http/sse.h"
#include "wire/route.h"

struct wire_meter_reader;

/* Usage as a protocol spells it; the indices are private to its file. */
#define WIRE_METER_FIELDS 8

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
	char service_tier[16];		/* the answer's; "" when not said */

	/* Private. */
	const struct wire_meter_reader *reader;
	bool streamed;
	bool in_frame;			/* the event has data */
	bool maybe_done;		/* and it may still be [DONE] */
	uint8_t done_at;
	bool usage_fresh;		/* OpenAI: this frame stated one */
	uint64_t usage_at_bytes;	/* text until then */
	bool final_usage;		/* Anthropic: not the first one only */
	bool split_stale;		/* Anthropic: cache_creation is older
					 * than its total */
	uint8_t extra_kind;		/* Anthropic: what an iteration is */
	struct wire_meter_fields total;	/* of the answer */
	struct wire_meter_fields part;	/* of the object being read */
	struct wire_meter_fields extra;	/* Anthropic: one iteration */
	struct wire_meter_fields compaction; /* and the sum of some */
	struct sse sse;
	struct json_pull pull;
	struct usage usage;
};

/* A billed route.  streamed: the answer is text/event-stream (by its own
 * Content-Type, not by what was asked for). */
void	wire_meter_init(struct wire_meter *meter, enum wire_route route,
	    bool streamed);

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

/* A stream's event has begun and not ended: no other may be put here. */
bool	wire_meter_frame_open(const struct wire_meter *meter);

#endif

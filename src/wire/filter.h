/*
 * filter.h: keeps from the client the usage frame that it did not ask for.
 * Layer: wire.  No allocation, bounded memory, every other frame byte-exact.
 * Written by: the relay that owns the struct.
 *
 * When stream_options.include_usage was our own addition, an OpenAI stream
 * ends with a chunk of `"choices":[]` and a usage, on which naive clients
 * crash.  A frame is held only until that is decided, which is as a rule
 * within the same piece: `"choices":[` and anything but `]` lets it go, and so
 * does an `error`; an empty or absent `choices` with a usage object removes
 * it.  A frame that is undecided after WIRE_FILTER_HOLD_BYTES is let go.
 */
#ifndef WIRE_FILTER_H
#define WIRE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "http/json_pull.h"
#include "http/sse.h"

#define WIRE_FILTER_HOLD_BYTES 8192

struct wire_filter {
	uint64_t frames_hidden;

	/* Private. */
	uint8_t verdict;	/* on the present frame */
	uint8_t choices;	/* what its choices are */
	bool usage;		/* it has a usage object */
	bool has_data;
	bool hid_last;		/* the frame before it was removed */
	uint32_t frame_bytes;	/* of it, while it is undecided */
	size_t held;		/* of them, in hold[] */
	size_t parsed;		/* bytes of the input to come, read already */
	struct sse sse;
	struct json_pull pull;
	char hold[WIRE_FILTER_HOLD_BYTES];
};

void	wire_filter_init(struct wire_filter *filter);

/*
 * Take *used_r of len bytes and give in *out_r bytes to send now, maybe none:
 * borrowed from in or from the filter, valid until the next call.  Call again
 * with in + *used_r as long as bytes are left; *used_r may be 0, once, and then
 * the same bytes have to be given again.
 */
void	wire_filter_feed(struct wire_filter *filter, const char *in,
	    size_t len, size_t *used_r, struct span *out_r);

/*
 * The stream is over: what is still held, unless it is the usage frame or half
 * a JSON text, which nobody could read.
 */
void	wire_filter_finish(struct wire_filter *filter, struct span *out_r);

#endif

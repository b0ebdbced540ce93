/*
 * receipt.h: puts what a call cost into its stream's last usage frame.
 * Layer: wire.  Bounded memory, all of it in one buffer.
 * Written by: the relay that owns the struct.
 *
 * Only for clients that asked for it.  The fee is known when the usage is, so
 * the frame that states it, and what ends the stream behind it, are kept until
 * the call is settled; another frame behind it lets it go as it is.  Every
 * frame is kept until its own end, but for those of more than
 * WIRE_RECEIPT_HOLD_BYTES, which pass.  The fee is a string of decimal units,
 * "fee", and the usage object's first member.
 */
#ifndef WIRE_RECEIPT_H
#define WIRE_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "http/sse.h"
#include "wire/route.h"

#define WIRE_RECEIPT_HOLD_BYTES 65536
/* The member, or the comment, and the longest amount. */
#define WIRE_RECEIPT_EXTRA_BYTES 64

struct wire_receipt {
	/* Private. */
	const struct wire_receipt_shape *shape;
	bool done;		/* it was given, or won't be: all passes */
	bool has_usage;		/* a frame that states one is held */
	bool passing;		/* the present frame is too long to keep */
	size_t usage_at;	/* in held, behind the object's brace */
	size_t keep_at;		/* in held: what is before it may leave */
	size_t frame_at;	/* … where the present frame begins */
	size_t read;		/* of held, by sse */
	struct sse sse;
	struct buf held;
};

/* An event stream of that route in that protocol, as the client gets it. */
void	wire_receipt_init(struct wire_receipt *receipt, enum wire_route route,
	    enum wire_protocol protocol);
/* Scrubs what is held. */
void	wire_receipt_free(struct wire_receipt *receipt);

/* Takes bytes; then appends to out those that may leave.  False: out has no
 * room, or memory is short. */
bool	wire_receipt_feed(struct wire_receipt *receipt, const char *in,
	    size_t len) __attribute__((warn_unused_result));
bool	wire_receipt_pass(struct wire_receipt *receipt, struct buf *out)
	    __attribute__((warn_unused_result));

/*
 * The rest: with the fee, where a usage frame is held, else, if the stream is
 * over, with a comment that has it; fee NULL: as it came.  From then on all
 * passes.
 */
bool	wire_receipt_give(struct wire_receipt *receipt, const char *fee,
	    bool over, struct buf *out) __attribute__((warn_unused_result));

#endif

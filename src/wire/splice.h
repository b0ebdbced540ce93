/*
 * splice.h: the client's body with the few members that we change.
 * Layer: wire.  Zero copy: spans of the body and a small buffer.
 * Written by: wire_splice_build(); read by the upstream's sender.
 */
#ifndef WIRE_SPLICE_H
#define WIRE_SPLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "wire/request.h"

#define WIRE_SPLICE_PIECES	8
#define WIRE_SPLICE_OWNED_BYTES	1024

/* Pieces point into the body and into owned[]: don't move the struct, and
 * keep the body, while they are in use. */
struct wire_splice {
	struct span piece[WIRE_SPLICE_PIECES];	/* none is empty */
	size_t pieces;
	size_t total_bytes;
	size_t owned_len;
	char owned[WIRE_SPLICE_OWNED_BYTES];
};

/*
 * The body, byte for byte, except: model becomes upstream_model (NULL: left
 * alone), or is added where a default was taken, and with add_include_usage
 * stream_options.include_usage is true.  req is the result of scanning these
 * same bytes.  False when upstream_model is too long to fit, which
 * configuration should have refused.
 */
bool	wire_splice_build(struct wire_splice *splice,
	    const struct wire_request *req, const char *body,
	    const char *upstream_model, bool add_include_usage)
	    __attribute__((warn_unused_result));

#endif

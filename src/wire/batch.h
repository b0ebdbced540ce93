/*
 * batch.h: the model's name within a batch of Gemini's embedding requests.
 * Layer: wire.  Pure; the caller's buffer is all it touches.
 * Written by: the worker, per call.
 */
#ifndef WIRE_BATCH_H
#define WIRE_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/*
 * Appends len bytes of a scanned body to out, with "models/" and the
 * upstream's name for each requests[].model, which the upstream wants to be
 * the same as in the path.  False: memory or the buffer's limit is short.
 */
bool	wire_batch_rename(struct buf *out, const char *body, size_t len,
	    const char *upstream_model) __attribute__((warn_unused_result));

#endif

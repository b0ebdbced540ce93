/*
 * request_head.h: renders the head of a request to an upstream.
 * Layer: upstream.  Pure; the caller's buffer is all it touches.
 * Written by: the worker, per call.
 */
#ifndef UPSTREAM_REQUEST_HEAD_H
#define UPSTREAM_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct upstream;

/* Borrowed. */
struct request_header {
	struct span name;
	struct span value;
};

#define REQUEST_NO_BODY	UINT64_MAX	/* no Content-Length at all */

/*
 * Appends to out: "METHOD base_path target HTTP/1.1", Host, the headers in
 * their order, Content-Length unless body_bytes is REQUEST_NO_BODY, and the
 * empty line.  Nothing else is added, so User-Agent, Accept-Encoding, … are the
 * caller's.  target begins with '/' and may have a query.
 * False, with out unchanged, when memory or the buffer's limit is short, or
 * when method, target, a name or a value holds a byte that could end it early
 * (control characters anywhere; spaces in method and target; other than token
 * characters in a name): so no value from outside can add a header.
 * The buffer holds a credential afterwards: buf_free() scrubs it.
 */
bool	request_head_render(struct buf *out, const struct upstream *upstream,
	    const char *method, struct span target,
	    const struct request_header *header, size_t headers,
	    uint64_t body_bytes) __attribute__((warn_unused_result));

#endif

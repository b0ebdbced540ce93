/*
 * chunked.h: incremental decoder of the chunked transfer coding.
 * Layer: http.  No I/O, no allocation, no globals; zero copy.
 * Written by: the exchange that owns the struct.
 *
 * RFC 9112, 7.1, strictly: sizes are hex digits without overflow, lines end
 * with CRLF.  Extensions and trailers are skipped, each within a bound, so
 * that an upstream can't make us read overhead for ever.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "http/result.h"

#define CHUNKED_SIZE_MAX	(UINT64_C(1) << 40)
#define CHUNKED_EXT_MAX_BYTES	1024	/* of one chunk */
#define CHUNKED_TRAILER_MAX_BYTES 16384	/* of all trailers */

struct chunked {
	uint64_t left_bytes;	/* of the present chunk */
	uint32_t skipped_bytes;	/* of the present extension, or of trailers */
	uint8_t state;
	uint8_t digits;
};

void	chunked_init(struct chunked *chunked);

/*
 * Take some of len bytes: *used_r of them, and report in *payload_r (borrowed
 * from in, maybe empty) the payload among them.  One call gives at most one
 * span, so call again while the result is HTTP_MORE and bytes are left.
 * HTTP_DONE comes with the last byte of the coding; what follows isn't taken.
 * After HTTP_DONE or HTTP_BAD feed nothing more before chunked_init().
 */
enum http_result chunked_feed(struct chunked *chunked, const char *in,
	    size_t len, size_t *used_r, struct span *payload_r)
	    __attribute__((warn_unused_result));

#endif

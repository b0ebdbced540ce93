/*
 * base64.h: bytes in text, RFC 4648, section 4.
 * Layer: base.
 * Written by: pure functions.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* What len characters decode to at the most. */
#define BASE64_ROOM(len) ((len) / 4 * 3)

/*
 * Strict: four characters a group, padded, no line breaks, the bits that count
 * for nothing are 0.  bytes_r takes BASE64_ROOM(len).
 */
bool	base64_decode(const char *text, size_t len, void *bytes_r,
	    size_t *len_r) __attribute__((warn_unused_result));

#endif

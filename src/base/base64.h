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
/* What len bytes take as text, with its 0. */
#define BASE64_TEXT_BYTES(len) (((len) + 2) / 3 * 4 + 1)

/*
 * Strict: four characters a group, padded, no line breaks, the bits that count
 * for nothing are 0.  bytes_r takes BASE64_ROOM(len).
 */
bool	base64_decode(const char *text, size_t len, void *bytes_r,
	    size_t *len_r) __attribute__((warn_unused_result));

/* One line; text_r takes BASE64_TEXT_BYTES(len). */
void	base64_encode(const void *bytes, size_t len, char *text_r);

#endif

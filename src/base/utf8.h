/*
 * utf8.h: characters of UTF-8 (RFC 3629).
 * Layer: base.
 * Written by: pure functions.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_BYTES 4		/* of a character, at most */

/* Writes a code point, at most 0x10ffff; returns its bytes. */
size_t	utf8_put(uint32_t code_point, char to[UTF8_BYTES]);

/*
 * The bytes of the character at p, of which len are there (at least one);
 * 0: it isn't well-formed, or cut off.  *code_point_r is which, and may be
 * NULL.
 */
size_t	utf8_get(const void *p, size_t len, uint32_t *code_point_r);

#endif

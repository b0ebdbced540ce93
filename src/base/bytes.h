/*
 * bytes.h: spans, growing buffers, hex, scrubbing.
 * Layer: base.
 * Written by: the owner of each buffer.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else owns. */
struct span {
	const char *p;
	size_t len;
};

/*
 * A growing buffer with a read end and a hard limit.  The content is
 * data[start .. start+len).  Always freed with buf_free(), which scrubs.
 */
struct buf {
	char *data;
	size_t start;
	size_t len;
	size_t cap;
	size_t limit;
};

void	buf_init(struct buf *b, size_t limit);

/* False when the limit would be passed or memory is short; b is unchanged. */
bool	buf_append(struct buf *b, const void *p, size_t len)
	    __attribute__((warn_unused_result));
bool	buf_printf(struct buf *b, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3), warn_unused_result));

/* Room for len more bytes at the returned place; commit with buf_added().
 * NULL when that passes the limit or memory is short. */
char	*buf_room(struct buf *b, size_t len);
void	buf_added(struct buf *b, size_t len);

void	buf_consume(struct buf *b, size_t len);
static inline const char *
buf_head(const struct buf *b)
{
	return b->data + b->start;
}

/* Scrubs what was used, frees, and leaves an empty buffer of the same limit. */
void	buf_free(struct buf *b);

/* Overwrites memory in a way that the compiler keeps. */
void	bytes_scrub(void *p, size_t len);

/* In time that depends on len only. */
bool	bytes_equal_secret(const void *a, const void *b, size_t len);

/* hex takes 2 * len + 1 bytes. */
void	hex_encode(const void *p, size_t len, char *hex);
/* False unless text is exactly 2 * len hexadecimal digits. */
bool	hex_decode(const char *text, void *p, size_t len);

/* Kernel randomness; ends the process if there is none. */
void	bytes_random(void *p, size_t len);

#endif

#include "base/bytes.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>

#define BUF_FIRST_CAP 256

void
buf_init(struct buf *b, size_t limit)
{
	*b = (struct buf){ .limit = limit };
}

/*
 * Growing must not leave a copy of what the buffer held in freed memory,
 * so there is no realloc() here.
 */
static bool
grow(struct buf *b, size_t need)
{
	size_t cap = b->cap > 0 ? b->cap : BUF_FIRST_CAP;
	char *data;

	while (cap < need) {
		if (cap > SIZE_MAX / 2) {
			cap = need;
			break;
		}
		cap *= 2;
	}
	if (cap > b->limit)
		cap = b->limit;
	assert(cap >= need);
	data = malloc(cap);
	if (data == NULL)
		return false;
	if (b->data != NULL) {
		memcpy(data, b->data + b->start, b->len);
		bytes_scrub(b->data, b->cap);
		free(b->data);
	}
	b->data = data;
	b->start = 0;
	b->cap = cap;
	return true;
}

char *
buf_room(struct buf *b, size_t len)
{
	if (len > b->limit || b->len > b->limit - len)
		return NULL;
	if (b->data == NULL || b->cap - b->len < len) {
		/* An empty buffer with no room asked for still has a place. */
		size_t need = b->len + len;

		if (need == 0 && b->limit == 0)
			return NULL;
		if (!grow(b, need > 0 ? need : 1))
			return NULL;
	} else if (b->cap - b->start - b->len < len) {
		/* The tail is short but the whole is not: move down. */
		memmove(b->data, b->data + b->start, b->len);
		b->start = 0;
	}
	return b->data + b->start + b->len;
}

void
buf_added(struct buf *b, size_t len)
{
	assert(len <= b->cap - b->start - b->len);
	b->len += len;
}

bool
buf_append(struct buf *b, const void *p, size_t len)
{
	char *room;

	if (len == 0)
		return true;
	room = buf_room(b, len);
	if (room == NULL)
		return false;
	memcpy(room, p, len);
	b->len += len;
	return true;
}

bool
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *room;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return false;
	/* vsnprintf() wants a place for its NUL, which is not content. */
	if ((size_t)n > b->limit || b->len > b->limit - (size_t)n)
		return false;
	if (b->len == b->limit - (size_t)n) {
		char *text = malloc((size_t)n + 1);
		bool ok;

		if (text == NULL)
			return false;
		va_start(ap, fmt);
		vsnprintf(text, (size_t)n + 1, fmt, ap);
		va_end(ap);
		ok = buf_append(b, text, (size_t)n);
		bytes_scrub(text, (size_t)n);
		free(text);
		return ok;
	}
	room = buf_room(b, (size_t)n + 1);
	if (room == NULL)
		return false;
	va_start(ap, fmt);
	vsnprintf(room, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return true;
}

void
buf_consume(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->start += len;
	b->len -= len;
	if (b->len == 0)
		b->start = 0;
}

void
buf_free(struct buf *b)
{
	if (b->data != NULL) {
		/* What was consumed, or moved, was content as well. */
		bytes_scrub(b->data, b->cap);
		free(b->data);
	}
	*b = (struct buf){ .limit = b->limit };
}

void
bytes_scrub(void *p, size_t len)
{
	if (len > 0)
		explicit_bzero(p, len);
}

bool
bytes_equal_secret(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
hex_encode(const void *p, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *byte = p;

	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[byte[i] >> 4];
		hex[2 * i + 1] = digits[byte[i] & 15];
	}
	hex[2 * len] = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
hex_decode(const char *text, void *p, size_t len)
{
	uint8_t *byte = p;

	for (size_t i = 0; i < len; i++) {
		int hi, lo;

		hi = hex_digit(text[2 * i]);
		if (hi < 0)
			return false;
		lo = hex_digit(text[2 * i + 1]);
		if (lo < 0)
			return false;
		byte[i] = (uint8_t)(hi << 4 | lo);
	}
	return text[2 * len] == '\0';
}

void
bytes_random(void *p, size_t len)
{
	uint8_t *byte = p;

	while (len > 0) {
		ssize_t n = getrandom(byte, len, 0);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			/* A guessable key is worse than no service. */
			abort();
		}
		byte += n;
		len -= (size_t)n;
	}
}

/*
 * chunked.c: see chunked.h.
 *
 * Every byte outside of the payload is looked at, for a decoder that is more
 * generous than its neighbour is how requests and answers get smuggled.
 */
#include "http/chunked.h"

#include <assert.h>

enum chunked_state {
	CHUNKED_SIZE,
	CHUNKED_EXT_BLANK,
	CHUNKED_EXT,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_TRAILER_START,
	CHUNKED_TRAILER,
	CHUNKED_TRAILER_LF,
	CHUNKED_END_LF,
	CHUNKED_OVER
};

/* So many leading zeros that nobody means them well. */
#define CHUNKED_DIGITS_MAX 16

void
chunked_init(struct chunked *chunked)
{
	chunked->left_bytes = 0;
	chunked->skipped_bytes = 0;
	chunked->state = CHUNKED_SIZE;
	chunked->digits = 0;
}

static int
hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
take_size(struct chunked *chunked, unsigned char c)
{
	int digit = hex_digit(c);

	if (digit >= 0) {
		chunked->left_bytes = chunked->left_bytes * 16 +
		    (uint64_t)digit;
		return ++chunked->digits <= CHUNKED_DIGITS_MAX &&
		    chunked->left_bytes <= CHUNKED_SIZE_MAX;
	}
	chunked->skipped_bytes = 0;
	if (c == '\r')
		chunked->state = CHUNKED_SIZE_LF;
	else if (c == ';')
		chunked->state = CHUNKED_EXT;
	else if (c == ' ' || c == '\t')
		chunked->state = CHUNKED_EXT_BLANK;
	else
		return false;
	return chunked->digits > 0;
}

/* A byte of an extension or trailer, which goes on until CR. */
static bool
take_skipped(struct chunked *chunked, unsigned char c, uint32_t limit,
    enum chunked_state after_cr)
{
	if (c == '\r') {
		chunked->state = (uint8_t)after_cr;
		return true;
	}
	if ((c < 0x20 && c != '\t') || c == 0x7f)
		return false;
	return ++chunked->skipped_bytes <= limit;
}

static bool
take_line_feed(struct chunked *chunked, unsigned char c)
{
	if (chunked->state == CHUNKED_SIZE_LF) {
		chunked->state = chunked->left_bytes > 0 ? CHUNKED_DATA :
		    CHUNKED_TRAILER_START;
		chunked->skipped_bytes = 0;
	} else if (chunked->state == CHUNKED_DATA_LF) {
		chunked->state = CHUNKED_SIZE;
		chunked->digits = 0;
	} else if (chunked->state == CHUNKED_TRAILER_LF)
		chunked->state = CHUNKED_TRAILER_START;
	else
		chunked->state = CHUNKED_OVER;
	return c == '\n';
}

static bool
take_byte(struct chunked *chunked, unsigned char c)
{
	switch ((enum chunked_state)chunked->state) {
	case CHUNKED_SIZE:
		return take_size(chunked, c);
	case CHUNKED_EXT_BLANK:
		if (c == ';')
			chunked->state = CHUNKED_EXT;
		return (c == ';' || c == ' ' || c == '\t') &&
		    ++chunked->skipped_bytes <= CHUNKED_EXT_MAX_BYTES;
	case CHUNKED_EXT:
		return take_skipped(chunked, c, CHUNKED_EXT_MAX_BYTES,
		    CHUNKED_SIZE_LF);
	case CHUNKED_DATA_CR:
		chunked->state = CHUNKED_DATA_LF;
		return c == '\r';
	case CHUNKED_TRAILER_START:
		if (c == '\r') {
			chunked->state = CHUNKED_END_LF;
			return true;
		}
		chunked->state = CHUNKED_TRAILER;
		/* FALLTHROUGH */
	case CHUNKED_TRAILER:
		return take_skipped(chunked, c, CHUNKED_TRAILER_MAX_BYTES,
		    CHUNKED_TRAILER_LF);
	case CHUNKED_SIZE_LF:
	case CHUNKED_DATA_LF:
	case CHUNKED_TRAILER_LF:
	case CHUNKED_END_LF:
		return take_line_feed(chunked, c);
	case CHUNKED_DATA:
	case CHUNKED_OVER:
		break;
	}
	return false;
}

enum http_result
chunked_feed(struct chunked *chunked, const char *in, size_t len,
    size_t *used_r, struct span *payload_r)
{
	size_t i = 0, n;

	assert(chunked->state != CHUNKED_OVER);
	payload_r->p = in;
	payload_r->len = 0;
	while (i < len) {
		if (chunked->state == CHUNKED_DATA) {
			n = len - i;
			if (n > chunked->left_bytes)
				n = (size_t)chunked->left_bytes;
			chunked->left_bytes -= n;
			if (chunked->left_bytes == 0)
				chunked->state = CHUNKED_DATA_CR;
			payload_r->p = in + i;
			payload_r->len = n;
			*used_r = i + n;
			return HTTP_MORE;
		}
		if (!take_byte(chunked, (unsigned char)in[i++])) {
			chunked->state = CHUNKED_OVER;
			*used_r = i;
			return HTTP_BAD;
		}
		if (chunked->state == CHUNKED_OVER) {
			*used_r = i;
			return HTTP_DONE;
		}
	}
	*used_r = i;
	return HTTP_MORE;
}

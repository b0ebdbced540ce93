#include "base/base64.h"

#include <stdint.h>

static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

bool
base64_decode(const char *text, size_t len, void *bytes_r, size_t *len_r)
{
	uint8_t *out = bytes_r;
	size_t pad = 0, used = 0;
	uint32_t bits = 0;

	if (len % 4 != 0)
		return false;
	if (len > 0 && text[len - 1] == '=')
		pad = text[len - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < len; i++) {
		int d = i >= len - pad ? 0 : digit(text[i]);

		if (d < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4 != 3)
			continue;
		for (size_t k = 0; k < 3 - (i == len - 1 ? pad : 0); k++)
			out[used++] = (uint8_t)(bits >> (16 - 8 * k));
		/* Another text would decode to the same. */
		if (i == len - 1 && (bits & ((UINT32_C(1) << 8 * pad) - 1)) !=
		    0)
			return false;
		bits = 0;
	}
	*len_r = used;
	return true;
}

void
base64_encode(const void *bytes, size_t len, char *text_r)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = bytes;
	uint32_t bits;
	size_t i, n;

	for (i = 0; i < len; i += 3) {
		n = len - i < 3 ? len - i : 3;
		bits = (uint32_t)p[i] << 16;
		if (n > 1)
			bits |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			bits |= p[i + 2];
		*text_r++ = digits[bits >> 18];
		*text_r++ = digits[bits >> 12 & 63];
		*text_r++ = n > 1 ? digits[bits >> 6 & 63] : '=';
		*text_r++ = n > 2 ? digits[bits & 63] : '=';
	}
	*text_r = '\0';
}

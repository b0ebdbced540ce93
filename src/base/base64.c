#include "base/base64.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>

#include <openssl/evp.h>

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

/* OpenSSL's would take more than one text for the same bytes. */
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
	assert(len <= INT_MAX / 2);
	(void)EVP_EncodeBlock((unsigned char *)text_r, bytes, (int)len);
}

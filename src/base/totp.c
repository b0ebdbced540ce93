#include "base/totp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.h"

#define SHA1_BYTES 20

void
totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step, int digits,
    char *text_r)
{
	uint8_t counter[8], mac[SHA1_BYTES];
	unsigned len = 0, at;
	uint32_t n;

	assert(digits >= 1 && digits <= 8);
	for (int i = 0; i < 8; i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	/* Only memory can be short; a wrong code must never leave. */
	if (HMAC(EVP_sha1(), secret, TOTP_SECRET_BYTES, counter,
	    sizeof(counter), mac, &len) == NULL || len != sizeof(mac))
		abort();
	/* RFC 4226, section 5.3. */
	at = mac[SHA1_BYTES - 1] & 0xf;
	n = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
	    (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	text_r[digits] = '\0';
	for (; digits > 0; n /= 10)
		text_r[--digits] = (char)('0' + n % 10);
	bytes_scrub(mac, sizeof(mac));
}

int64_t
totp_match(const uint8_t secret[TOTP_SECRET_BYTES], struct wall_time now,
    int64_t after, const char *code)
{
	int64_t at = now.us / 1000000 / TOTP_PERIOD_S, found = 0;
	char text[TOTP_DIGITS + 1];

	if (strlen(code) != TOTP_DIGITS)
		return 0;
	for (int64_t step = at - 1; step <= at + 1; step++) {
		totp_code(secret, step, TOTP_DIGITS, text);
		if (bytes_equal_secret(text, code, TOTP_DIGITS) &&
		    step > after && found == 0)
			found = step;
	}
	bytes_scrub(text, sizeof(text));
	return found;
}

void
base32_encode(const void *bytes, size_t len, char *text_r)
{
	static const char symbols[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const uint8_t *p = bytes;
	unsigned bits = 0, held = 0;

	for (size_t i = 0; i < len; i++) {
		held = held << 8 | p[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*text_r++ = symbols[held >> (bits - 5) & 31];
		held &= 0xff;
	}
	if (bits > 0)
		*text_r++ = symbols[held << (5 - bits) & 31];
	*text_r = '\0';
}

static bool
append_escaped(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') ||
		    (*text >= 'A' && *text <= 'Z') ||
		    (*text >= '0' && *text <= '9') ||
		    strchr("-._~", *text) != NULL;

		if (!(plain ? buf_append(b, text, 1) :
		    buf_printf(b, "%%%02X", (unsigned char)*text)))
			return false;
	}
	return true;
}

bool
totp_uri(const uint8_t secret[TOTP_SECRET_BYTES], const char *issuer,
    const char *account, char *text_r, size_t size)
{
	char base32[BASE32_TEXT_BYTES(TOTP_SECRET_BYTES)];
	struct buf b;
	bool ok;

	base32_encode(secret, TOTP_SECRET_BYTES, base32);
	buf_init(&b, size);
	ok = buf_printf(&b, "otpauth://totp/") && append_escaped(&b, issuer) &&
	    buf_append(&b, ":", 1) && append_escaped(&b, account) &&
	    buf_printf(&b, "?secret=%s&issuer=", base32) &&
	    append_escaped(&b, issuer) &&
	    buf_printf(&b, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS,
	    TOTP_PERIOD_S) && b.len < size;
	if (ok) {
		memcpy(text_r, buf_head(&b), b.len);
		text_r[b.len] = '\0';
	}
	buf_free(&b);
	bytes_scrub(base32, sizeof(base32));
	return ok;
}

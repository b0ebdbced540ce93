#include "base/payment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.h"

#define MAC_BYTES 32
#define SIGNATURE_BYTES 64
#define TIMESTAMP_MAX 12

static bool
add_secret(struct payment_keys *keys, const char *p, size_t len,
    const char **why_r)
{
	uint32_t n = keys->secrets;

	if (n == PAYMENT_SECRETS_MAX) {
		*why_r = "more than four lines; one secret a line";
		return false;
	}
	if (len < PAYMENT_SECRET_MIN || len > PAYMENT_SECRET_MAX) {
		*why_r = "a secret has 32 to 128 characters; make one with "
		    "openssl rand -hex 32";
		return false;
	}
	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x21 || p[i] > 0x7e) {
			*why_r = "a secret is of visible ASCII characters; "
			    "make one with openssl rand -hex 32";
			return false;
		}
	memcpy(keys->secret[n], p, len);
	keys->secret_len[n] = (uint32_t)len;
	keys->secrets = n + 1;
	return true;
}

bool
payment_secrets_parse(struct payment_keys *keys, const char *text, size_t len,
    const char **why_r)
{
	keys->secrets = 0;
	while (len > 0) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl != NULL ? (size_t)(nl - text) : len;

		if (!add_secret(keys, text, n, why_r))
			return false;
		n += nl != NULL ? 1 : 0;
		text += n;
		len -= n;
	}
	if (keys->secrets > 0)
		return true;
	*why_r = "no secret in it; make one with openssl rand -hex 32";
	return false;
}

bool
payment_keys_any(const struct payment_keys *keys)
{
	return keys->secrets > 0 || keys->has_public_key;
}

/* What is signed; the caller frees.  NULL: no memory. */
static uint8_t *
message_of(const char *timestamp, const void *body, size_t len,
    size_t *message_len_r)
{
	size_t head = strlen(timestamp);
	uint8_t *message = malloc(head + 1 + len);

	if (message == NULL)
		return NULL;
	memcpy(message, timestamp, head);
	message[head] = '.';
	if (len > 0)
		memcpy(message + head + 1, body, len);
	*message_len_r = head + 1 + len;
	return message;
}

/* Each is tried, whichever fits. */
static bool
by_secret(const struct payment_keys *keys, const uint8_t *message, size_t len,
    const uint8_t *mac)
{
	uint8_t own[EVP_MAX_MD_SIZE];
	bool found = false;
	unsigned n;

	for (uint32_t i = 0; i < keys->secrets; i++) {
		n = 0;
		if (HMAC(EVP_sha256(), keys->secret[i],
		    (int)keys->secret_len[i], message, len, own, &n) != NULL &&
		    n == MAC_BYTES && bytes_equal_secret(own, mac, MAC_BYTES))
			found = true;
	}
	bytes_scrub(own, sizeof(own));
	return found;
}

static bool
by_public_key(const struct payment_keys *keys, const uint8_t *message,
    size_t len, const uint8_t *signature)
{
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
	bool ok;

	if (!keys->has_public_key)
		return false;
	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    keys->public_key, sizeof(keys->public_key));
	ctx = EVP_MD_CTX_new();
	ok = key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature, SIGNATURE_BYTES, message,
	    len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

bool
payment_signed(const struct payment_keys *keys, const char *signature,
    const char *timestamp, const void *body, size_t len)
{
	uint8_t bytes[SIGNATURE_BYTES], *message;
	size_t message_len;
	bool ok = false;

	message = message_of(timestamp, body, len, &message_len);
	if (message == NULL)
		return false;
	if (hex_decode(signature, bytes, MAC_BYTES))
		ok = by_secret(keys, message, message_len, bytes);
	else if (hex_decode(signature, bytes, SIGNATURE_BYTES))
		ok = by_public_key(keys, message, message_len, bytes);
	free(message);
	return ok;
}

bool
payment_timely(const char *timestamp, int64_t now_s, int64_t window_s)
{
	size_t len = strlen(timestamp);
	int64_t at;

	if (len == 0 || len > TIMESTAMP_MAX ||
	    strspn(timestamp, "0123456789") != len)
		return false;
	at = strtoll(timestamp, NULL, 10);
	return at >= now_s - window_s && at <= now_s + window_s;
}

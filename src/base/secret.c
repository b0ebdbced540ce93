/* Key digests and sealed credentials. */
#include "base/secret.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/bytes.h"

#define SEAL_VERSION 2
#define HEAD_BYTES 2	/* version, key */
#define NONCE_BYTES 12
#define TAG_BYTES 16

_Static_assert(SEAL_OVERHEAD == HEAD_BYTES + NONCE_BYTES + TAG_BYTES, "seal layout");

/*
 * keyed has taken in the padded key already (two of the four compressions of
 * a short HMAC); each digest starts from a copy of it.
 */
struct key_hasher {
	EVP_MAC *mac;
	EVP_MAC_CTX *keyed;
};

struct key_hasher *
key_hasher_open(const struct secrets *secrets)
{
	char sha256[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		    sha256, 0),
		OSSL_PARAM_construct_end(),
	};
	struct key_hasher *hasher = calloc(1, sizeof(*hasher));

	if (hasher == NULL)
		return NULL;
	hasher->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (hasher->mac == NULL ||
	    (hasher->keyed = EVP_MAC_CTX_new(hasher->mac)) == NULL ||
	    EVP_MAC_init(hasher->keyed, secrets->pepper,
	    sizeof(secrets->pepper), params) != 1)
		key_hasher_close(&hasher);
	return hasher;
}

void
key_hasher_close(struct key_hasher **hasher)
{
	if (*hasher == NULL)
		return;
	EVP_MAC_CTX_free((*hasher)->keyed);
	EVP_MAC_free((*hasher)->mac);
	free(*hasher);
	*hasher = NULL;
}

void
key_hasher_digest(struct key_hasher *hasher, const char *key, size_t key_len,
    uint8_t digest_r[KEY_DIGEST_BYTES])
{
	EVP_MAC_CTX *ctx = hasher->keyed;
	size_t len = 0;

	/* Without a key it begins again with the one it has; to copy the
	 * context for each digest would take twice the time.  Only memory can
	 * be short here; a wrong digest must never leave. */
	if (EVP_MAC_init(ctx, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(ctx, (const uint8_t *)key, key_len) != 1 ||
	    EVP_MAC_final(ctx, digest_r, &len, KEY_DIGEST_BYTES) != 1 ||
	    len != KEY_DIGEST_BYTES)
		abort();
}

void
key_hasher_digest_of(struct key_hasher *hasher, const char *what,
    const char *text, uint8_t digest_r[KEY_DIGEST_BYTES])
{
	EVP_MAC_CTX *ctx = hasher->keyed;
	size_t len = 0;

	if (EVP_MAC_init(ctx, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(ctx, (const uint8_t *)what, strlen(what)) != 1 ||
	    EVP_MAC_update(ctx, (const uint8_t *)":", 1) != 1 ||
	    EVP_MAC_update(ctx, (const uint8_t *)text, strlen(text)) != 1 ||
	    EVP_MAC_final(ctx, digest_r, &len, KEY_DIGEST_BYTES) != 1 ||
	    len != KEY_DIGEST_BYTES)
		abort();
}

void
secrets_derive_seal(struct secrets *secrets, const char *label)
{
	uint8_t derived[SECRET_BYTES];
	size_t len = 0;

	/* A label is no secret; without memory there is no going on. */
	for (int i = 0; i < secrets->seals; i++) {
		if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL,
		    secrets->seal[i].key, SECRET_BYTES,
		    (const uint8_t *)label, strlen(label), derived,
		    sizeof(derived), &len) == NULL || len != sizeof(derived))
			abort();
		memcpy(secrets->seal[i].key, derived, sizeof(derived));
	}
	bytes_scrub(derived, sizeof(derived));
}

int
secrets_find_seal(const struct secrets *secrets, uint8_t id)
{
	for (int i = 0; i < secrets->seals; i++)
		if (secrets->seal[i].id == id)
			return i;
	return -1;
}

uint8_t
secrets_add_seal(struct secrets *secrets)
{
	struct seal_key *new;
	uint8_t id = secrets->seal[0].id;

	if (secrets->seals == SEAL_KEYS)
		return 0;
	do
		id = id == UINT8_MAX ? 1 : (uint8_t)(id + 1);
	while (secrets_find_seal(secrets, id) >= 0);
	new = &secrets->seal[secrets->seals++];
	new->id = id;
	bytes_random(new->key, sizeof(new->key));
	return id;
}

void
secrets_seal_by(struct secrets *secrets, uint8_t id)
{
	int at = secrets_find_seal(secrets, id);
	struct seal_key key;

	assert(at >= 0);
	key = secrets->seal[at];
	memmove(&secrets->seal[1], &secrets->seal[0],
	    (size_t)at * sizeof(key));
	secrets->seal[0] = key;
	bytes_scrub(&key, sizeof(key));
}

void
secrets_remove_seal(struct secrets *secrets, uint8_t id)
{
	int at = secrets_find_seal(secrets, id);

	assert(at > 0);
	secrets->seals--;
	memmove(&secrets->seal[at], &secrets->seal[at + 1],
	    (size_t)(secrets->seals - at) * sizeof(secrets->seal[0]));
	bytes_scrub(&secrets->seal[secrets->seals], sizeof(secrets->seal[0]));
}

uint64_t
secrets_seal_ids(const struct secrets *secrets)
{
	uint64_t ids = 0;

	for (int i = 0; i < secrets->seals; i++)
		ids |= (uint64_t)secrets->seal[i].id << 8 * i;
	return ids;
}

void
secret_totp_context(int64_t login_id, char context_r[SECRET_CONTEXT_BYTES])
{
	snprintf(context_r, SECRET_CONTEXT_BYTES, "login:%" PRId64 "/totp",
	    login_id);
}

uint8_t
secret_sealed_by(const uint8_t *sealed, size_t sealed_len)
{
	return sealed_len >= SEAL_OVERHEAD && sealed[0] == SEAL_VERSION ?
	    sealed[1] : 0;
}

static void
split(uint8_t *sealed, size_t len, uint8_t **nonce_r, uint8_t **text_r,
    uint8_t **tag_r)
{
	*nonce_r = sealed + HEAD_BYTES;
	*text_r = *nonce_r + NONCE_BYTES;
	*tag_r = *text_r + len;
}

bool
secret_seal(const struct secrets *secrets, const char *context,
    const void *plain, size_t len, uint8_t *sealed_r)
{
	uint8_t *nonce, *text, *tag;
	EVP_CIPHER_CTX *ctx;
	int n = 0, tail = 0;
	bool ok;

	if (len > INT_MAX - SEAL_OVERHEAD)
		return false;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		return false;
	split(sealed_r, len, &nonce, &text, &tag);
	sealed_r[0] = SEAL_VERSION;
	sealed_r[1] = secrets->seal[0].id;
	/* Random nonces are safe for far more rows (2^32) than there are. */
	bytes_random(nonce, NONCE_BYTES);
	ok = EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(),
	    secrets->seal[0].key, nonce, NULL) == 1 &&
	    EVP_EncryptUpdate(ctx, NULL, &n, sealed_r, HEAD_BYTES) == 1 &&
	    EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)context,
	    (int)strlen(context)) == 1 &&
	    EVP_EncryptUpdate(ctx, text, &n, plain, (int)len) == 1 &&
	    EVP_EncryptFinal_ex(ctx, text + n, &tail) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES,
	    tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool
secret_unseal(const struct secrets *secrets, const char *context,
    const uint8_t *sealed, size_t sealed_len, void *plain_r)
{
	const uint8_t *nonce, *text;
	uint8_t tag[TAG_BYTES], end[1];
	EVP_CIPHER_CTX *ctx;
	int n = 0, tail = 0;
	size_t len;
	bool ok;
	int key;

	if (sealed_len < SEAL_OVERHEAD || sealed_len > INT_MAX)
		return false;
	len = sealed_len - SEAL_OVERHEAD;
	key = secrets_find_seal(secrets, secret_sealed_by(sealed, sealed_len));
	if (key < 0) {
		bytes_scrub(plain_r, len);
		return false;
	}
	nonce = sealed + HEAD_BYTES;
	text = nonce + NONCE_BYTES;
	memcpy(tag, text + len, TAG_BYTES);
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		return false;
	ok = EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(),
	    secrets->seal[key].key, nonce, NULL) == 1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, sealed, HEAD_BYTES) == 1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)context,
	    (int)strlen(context)) == 1 &&
	    EVP_DecryptUpdate(ctx, plain_r, &n, text, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES,
	    tag) == 1 &&
	    EVP_DecryptFinal_ex(ctx, end, &tail) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		/* What is not authentic must not be looked at by mistake. */
		bytes_scrub(plain_r, len);
	return ok;
}

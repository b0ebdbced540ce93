/*
 * secret.h: the installation's two secrets, and what is done with them.
 * Layer: base.  OpenSSL digests and AES-256-GCM (NIST SP 800-38D).
 * Written by: youyunctl init makes the files; everybody else only reads.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_BYTES 32
#define KEY_DIGEST_BYTES 32

/* In memory that is neither dumped nor, where that can be had, swapped. */
struct secrets {
	uint8_t pepper[SECRET_BYTES];	/* for key digests */
	uint8_t seal[SECRET_BYTES];	/* for channel credentials */
};

enum secret_result {
	SECRET_OK,
	SECRET_MISSING,		/* no such file */
	SECRET_OPEN_TO_OTHERS,	/* its mode lets others read it */
	SECRET_BAD,		/* not what `init` writes */
	SECRET_IO		/* errno says */
};

/* The file holds two lines, "pepper HEX" and "seal HEX". */
enum secret_result secrets_read(const char *path, struct secrets *secrets_r)
	    __attribute__((warn_unused_result));
/* Makes new ones, mode 0600, fsynced; never replaces an existing file. */
enum secret_result secrets_create(const char *path, struct secrets *secrets_r)
	    __attribute__((warn_unused_result));
/* Scrubs and frees nothing: the struct is the caller's. */
void	secrets_scrub(struct secrets *secrets);

/*
 * The seal becomes HMAC-SHA-256(seal, label): for a process that seals things
 * of its own and must not open what others sealed.
 */
void	secrets_derive_seal(struct secrets *secrets, const char *label);

/* HMAC-SHA-256(pepper, key): what the directory and the database know a
 * customer's key by. */
struct key_hasher;
struct key_hasher *key_hasher_open(const struct secrets *secrets);
void	key_hasher_close(struct key_hasher **hasher);
void	key_hasher_digest(struct key_hasher *hasher, const char *key,
	    size_t key_len, uint8_t digest_r[KEY_DIGEST_BYTES]);
/* The same of "what:text", for all else that is known by its digest; a key
 * begins with "sk-", so the two can't meet. */
void	key_hasher_digest_of(struct key_hasher *hasher, const char *what,
	    const char *text, uint8_t digest_r[KEY_DIGEST_BYTES]);

/*
 * sealed = version 1 byte | nonce 12 | ciphertext len | tag 16.
 * context (a channel's name) is authenticated with it, so that a sealed
 * credential can't be moved to another row.
 */
#define SEAL_OVERHEAD 29
bool	secret_seal(const struct secrets *secrets, const char *context,
	    const void *plain, size_t len, uint8_t *sealed_r);
/* plain_r takes sealed_len - SEAL_OVERHEAD bytes; false: not ours. */
bool	secret_unseal(const struct secrets *secrets, const char *context,
	    const uint8_t *sealed, size_t sealed_len, void *plain_r)
	    __attribute__((warn_unused_result));

/*
 * A customer's key: "sk-yy-", 36 random base-62 digits (214 bits), 6 digits
 * of checksum, so that a typing error is refused without a look-up and a
 * scanner of leaked secrets can tell ours for certain.
 */
#define API_KEY_LEN 48
void	api_key_make(char key_r[API_KEY_LEN + 1]);
bool	api_key_plausible(const char *key, size_t len);

/* What may be shown later on: "sk-yy-AbCd…WxYz" (first 4, last 4). */
#define API_KEY_HINT_BYTES 24
void	api_key_hint(const char *key, char hint_r[API_KEY_HINT_BYTES]);

#endif

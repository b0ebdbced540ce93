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

/* What seals channel credentials and secrets of logins.  A sealed text says by
 * which it is, so that one can follow another while both are in use. */
#define SEAL_KEYS 8
struct seal_key {
	uint8_t id;			/* 1 to 255 */
	uint8_t key[SECRET_BYTES];
};

/* In memory that is neither dumped nor, where that can be had, swapped.
 * Bytes only: equal ones are equal by memcmp(). */
struct secrets {
	uint8_t pepper[SECRET_BYTES];	/* for key digests */
	uint8_t seals;			/* at least 1 */
	struct seal_key seal[SEAL_KEYS]; /* the first seals, all of them open;
					  * zero beyond `seals` */
};

enum secret_result {
	SECRET_OK,
	SECRET_MISSING,		/* no such file */
	SECRET_OPEN_TO_OTHERS,	/* its mode lets others read it */
	SECRET_BAD,		/* not what `init` writes */
	SECRET_IO		/* errno says */
};

/* The file holds a line "pepper HEX" and then one or more "seal ID HEX". */
enum secret_result secrets_read(const char *path, struct secrets *secrets_r)
	    __attribute__((warn_unused_result));
/* Makes new ones, mode 0600, fsynced; never replaces an existing file. */
enum secret_result secrets_create(const char *path, struct secrets *secrets_r)
	    __attribute__((warn_unused_result));
/* Puts others in the place of what is there, whole or not at all; the file
 * keeps its owner and mode. */
enum secret_result secrets_replace(const char *path,
	    const struct secrets *secrets) __attribute__((warn_unused_result));
/* Scrubs and frees nothing: the struct is the caller's. */
void	secrets_scrub(struct secrets *secrets);

/* Below 0: there is no key of that id. */
int	secrets_find_seal(const struct secrets *secrets, uint8_t id);
/* A new key behind the others, which opens and doesn't seal yet; its id, or
 * 0: there are SEAL_KEYS already. */
uint8_t	secrets_add_seal(struct secrets *secrets);
/* From now on this one seals.  It is there. */
void	secrets_seal_by(struct secrets *secrets, uint8_t id);
/* Forgets one that is not the first. */
void	secrets_remove_seal(struct secrets *secrets, uint8_t id);
/* The ids, a byte each, the first one lowest: for the scoreboard. */
uint64_t secrets_seal_ids(const struct secrets *secrets);

/*
 * Each seal becomes HMAC-SHA-256(seal, label): for a process that seals things
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
 * sealed = version 1 byte | key's id 1 | nonce 12 | ciphertext len | tag 16.
 * context (a channel's name and a credential's id) is authenticated with it,
 * so that what is sealed can't be moved to another row.
 */
#define SEAL_OVERHEAD 30
bool	secret_seal(const struct secrets *secrets, const char *context,
	    const void *plain, size_t len, uint8_t *sealed_r);
/* plain_r takes sealed_len - SEAL_OVERHEAD bytes; false: not ours. */
bool	secret_unseal(const struct secrets *secrets, const char *context,
	    const uint8_t *sealed, size_t sealed_len, void *plain_r)
	    __attribute__((warn_unused_result));
/* By which key; 0: not ours. */
uint8_t	secret_sealed_by(const uint8_t *sealed, size_t sealed_len);

/* What seals the secrets of logins, derived from the seal by this label, and
 * what one is bound to. */
#define SECRET_PORTAL_LABEL "youyun-portal"
#define SECRET_CONTEXT_BYTES 40
void	secret_totp_context(int64_t login_id,
	    char context_r[SECRET_CONTEXT_BYTES]);

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

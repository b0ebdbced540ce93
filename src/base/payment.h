/*
 * payment.h: is what a payment provider's bridge tells really from it?
 * Layer: base.  HMAC-SHA-256 (RFC 2104), Ed25519 (RFC 8032).
 * Written by: the master reads the keys; the portal only checks with them.
 */
#ifndef BASE_PAYMENT_H
#define BASE_PAYMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAYMENT_SECRETS_MAX 4
#define PAYMENT_SECRET_MIN 32
#define PAYMENT_SECRET_MAX 128
#define PAYMENT_PUBLIC_KEY_BYTES 32

/* All zero: there are none, and nothing is believed. */
struct payment_keys {
	uint32_t secrets;	/* any of them may have signed */
	uint32_t secret_len[PAYMENT_SECRETS_MAX];
	char secret[PAYMENT_SECRETS_MAX][PAYMENT_SECRET_MAX];
	uint32_t has_public_key;	/* 1: there is one */
	uint8_t public_key[PAYMENT_PUBLIC_KEY_BYTES];	/* Ed25519 */
};

/* Takes a secret file's text: one secret a line, 1 to 4 of them, each of 32 to
 * 128 visible ASCII characters.  False: *why_r (static) says what is wrong. */
bool	payment_secrets_parse(struct payment_keys *keys, const char *text,
	    size_t len, const char **why_r) __attribute__((warn_unused_result));

bool	payment_keys_any(const struct payment_keys *keys);

/*
 * signature: hexadecimal; 64 digits are an HMAC, 128 an Ed25519 signature.
 * What is signed is timestamp, ".", body.  Says nothing about the time.
 */
bool	payment_signed(const struct payment_keys *keys, const char *signature,
	    const char *timestamp, const void *body, size_t len)
	    __attribute__((warn_unused_result));

/* Whole seconds since 1970, digits only, within window_s of now_s. */
bool	payment_timely(const char *timestamp, int64_t now_s, int64_t window_s)
	    __attribute__((warn_unused_result));

#endif

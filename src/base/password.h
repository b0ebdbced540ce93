/*
 * password.h: what is kept of a password.
 * Layer: base.  scrypt (RFC 7914) by OpenSSL.
 * Written by: pure functions.
 *
 * A verifier is "scrypt:15:8:3:SALT:HASH", the logarithm of N, r, p and two
 * hexadecimal texts, so that stronger parameters need no other column.  What
 * goes into scrypt is HMAC-SHA-256(pepper, "password:" password): who has the
 * database without the secrets file can't try a guess.
 */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key_hasher;

/* 32 MB and three passes: OWASP's equal of N = 2^17 in less memory. */
#define PASSWORD_LOG2_N 15
#define PASSWORD_R 8
#define PASSWORD_P 3
#define PASSWORD_VERIFIER_BYTES 128

enum password_result {
	PASSWORD_OK,
	PASSWORD_OUTDATED,	/* it is right; make another verifier */
	PASSWORD_WRONG,
	PASSWORD_FAILED		/* memory is short */
};

/* Each takes a noticeable part of a second and 32 MB: outside transactions. */
bool	password_make(struct key_hasher *hasher, const char *password,
	    char verifier_r[PASSWORD_VERIFIER_BYTES])
	    __attribute__((warn_unused_result));
/* Compares in constant time.  verifier NULL, or none: wrong, after as long. */
enum password_result password_check(struct key_hasher *hasher,
	    const char *password, const char *verifier)
	    __attribute__((warn_unused_result));

/* The function itself, for password.c and its test.  N is 2^log2_n. */
struct password_cost {
	unsigned log2_n, r, p;
};
bool	password_scrypt(struct password_cost cost, const void *password,
	    size_t len, const void *salt, size_t salt_len, void *hash_r,
	    size_t hash_len) __attribute__((warn_unused_result));

#endif

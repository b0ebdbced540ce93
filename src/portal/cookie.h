/*
 * cookie.h: the cookie of a session, and the token against forged requests.
 * Layer: portal.
 * Written by: the request's thread.
 *
 * The cookie's token is 256 random bits; the database knows its HMAC.  The
 * other token is made of it by the same key, so that it needs no place.
 */
#ifndef PORTAL_COOKIE_H
#define PORTAL_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

struct request;

/* Two hexadecimal digits a byte, and the 0. */
#define COOKIE_TOKEN_BYTES 65

/* The caller scrubs. */
void	cookie_make(char token_r[COOKIE_TOKEN_BYTES]);
/* The request's; false: there is none that could be ours. */
bool	cookie_get(struct request *r, char token_r[COOKIE_TOKEN_BYTES])
	    __attribute__((warn_unused_result));
/* Adds it to the answer; max_age_s 0 takes it away from the browser. */
void	cookie_set(struct request *r, const char *token, int64_t max_age_s);

/* False: the answer is set. */
bool	cookie_digest(struct request *r, const char *token,
	    uint8_t digest_r[KEY_DIGEST_BYTES])
	    __attribute__((warn_unused_result));
/* What x-csrf-token must be. */
bool	cookie_csrf(struct request *r, const char *token,
	    char csrf_r[COOKIE_TOKEN_BYTES])
	    __attribute__((warn_unused_result));

#endif

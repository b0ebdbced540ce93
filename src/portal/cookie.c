#include "portal/cookie.h"

#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "portal/login.h"
#include "portal/request.h"

/* The prefix has browsers refuse one that isn't Secure, of this host alone and
 * of all paths. */
#define NAME "__Host-youyun"
#define TOKEN_RANDOM_BYTES ((COOKIE_TOKEN_BYTES - 1) / 2)

void
cookie_make(char token_r[COOKIE_TOKEN_BYTES])
{
	uint8_t random[TOKEN_RANDOM_BYTES];

	bytes_random(random, sizeof(random));
	hex_encode(random, sizeof(random), token_r);
	bytes_scrub(random, sizeof(random));
}

bool
cookie_get(struct request *r, char token_r[COOKIE_TOKEN_BYTES])
{
	const char *value = MHD_lookup_connection_value(r->connection,
	    MHD_COOKIE_KIND, NAME);
	uint8_t bytes[TOKEN_RANDOM_BYTES];

	if (value == NULL || strlen(value) != COOKIE_TOKEN_BYTES - 1 ||
	    !hex_decode(value, bytes, sizeof(bytes)))
		return false;
	memcpy(token_r, value, COOKIE_TOKEN_BYTES);
	bytes_scrub(bytes, sizeof(bytes));
	return true;
}

void
cookie_set(struct request *r, const char *token, int64_t max_age_s)
{
	char line[256];

	snprintf(line, sizeof(line), NAME "=%s; Path=/; Max-Age=%lld; Secure;"
	    " HttpOnly; SameSite=Lax", token, (long long)max_age_s);
	answer_header(r, "Set-Cookie", line);
	bytes_scrub(line, sizeof(line));
}

bool
cookie_digest(struct request *r, const char *token,
    uint8_t digest_r[KEY_DIGEST_BYTES])
{
	return login_digest(r, "session", token, digest_r);
}

bool
cookie_csrf(struct request *r, const char *token,
    char csrf_r[COOKIE_TOKEN_BYTES])
{
	uint8_t digest[KEY_DIGEST_BYTES];

	if (!login_digest(r, "csrf", token, digest))
		return false;
	hex_encode(digest, sizeof(digest), csrf_r);
	bytes_scrub(digest, sizeof(digest));
	return true;
}

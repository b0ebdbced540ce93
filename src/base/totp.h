/*
 * totp.h: one-time passwords by the time (RFC 6238): SHA-1, six digits,
 * thirty seconds, which is what every authenticator knows.
 * Layer: base.
 * Written by: pure functions.
 */
#ifndef BASE_TOTP_H
#define BASE_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* As long as the digest (RFC 4226, section 4, R6). */
#define TOTP_SECRET_BYTES 20
#define TOTP_DIGITS 6
#define TOTP_PERIOD_S 30

/* Of one step; digits: 1 to 8, text_r takes them and a 0. */
void	totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step,
	    int digits, char *text_r);

/*
 * The step that a code is of, if it is one of now, the last or the next and
 * above `after`: the one accepted last.  0: none; each takes the same time.
 */
int64_t	totp_match(const uint8_t secret[TOTP_SECRET_BYTES],
	    struct wall_time now, int64_t after, const char *code);

/* RFC 4648, section 6, without padding; text_r takes BASE32_TEXT_BYTES(len). */
#define BASE32_TEXT_BYTES(len) (((len) * 8 + 4) / 5 + 1)
void	base32_encode(const void *bytes, size_t len, char *text_r);

/* otpauth://totp/ISSUER:ACCOUNT?secret=…; false: it doesn't fit. */
bool	totp_uri(const uint8_t secret[TOTP_SECRET_BYTES], const char *issuer,
	    const char *account, char *text_r, size_t size)
	    __attribute__((warn_unused_result));

#endif

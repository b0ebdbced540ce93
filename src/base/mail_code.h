/*
 * mail_code.h: a code that shows who reads an address's mail.
 * Layer: base.
 * Written by: pure functions; the mailer makes codes (topup_code_make()), the
 * portal takes them.
 *
 * The mailer has no secret, so the digest has none in it either: 90 random bits
 * need none.
 */
#ifndef BASE_MAIL_CODE_H
#define BASE_MAIL_CODE_H

#include <stdint.h>

#define MAIL_CODE_DIGEST_BYTES 32

/* Of a code in topup_code_make()'s form: what the database knows it by. */
void	mail_code_digest(const char *code,
	    uint8_t digest_r[MAIL_CODE_DIGEST_BYTES]);

#endif

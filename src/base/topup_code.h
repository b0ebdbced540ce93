/*
 * topup_code.h: what a customer types to bring credit in.
 * Layer: base.
 * Written by: pure functions; youyunctl makes codes, the portal reads them.
 *
 * "7KQ2M-4XN9T-0D3RW-VB6HC": 18 random symbols (90 bits) and two of checksum.
 * The 32 symbols are digits and capital letters without I, L, O and U; who
 * types i or l gets 1, o gets 0, small letters are as good as capitals, and
 * hyphens and spaces don't count.  Any two wrong symbols, and any two that
 * changed places, are found without asking the database.
 */
#ifndef BASE_TOPUP_CODE_H
#define BASE_TOPUP_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

#define TOPUP_CODE_SYMBOLS 20
/* With its hyphens and the 0 at the end. */
#define TOPUP_CODE_TEXT_BYTES (TOPUP_CODE_SYMBOLS + 4)
/* "…VB6HC" and the 0. */
#define TOPUP_CODE_HINT_BYTES 9

/* The caller scrubs. */
void	topup_code_make(char text_r[TOPUP_CODE_TEXT_BYTES]);

/* In the form that topup_code_make() gives; false: it is none. */
bool	topup_code_read(const char *text, char text_r[TOPUP_CODE_TEXT_BYTES])
	    __attribute__((warn_unused_result));

/* Of a code in that form. */
void	topup_code_hint(const char *code, char hint_r[TOPUP_CODE_HINT_BYTES]);
/* What the database knows it by; never equal to that of a customer's key. */
void	topup_code_digest(struct key_hasher *hasher, const char *code,
	    uint8_t digest_r[KEY_DIGEST_BYTES]);

#endif

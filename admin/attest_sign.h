/*
 * attest_sign.h: the installation's own Ed25519 key (RFC 8032), and reports
 * signed with it.
 * Layer: admin.
 * Written by: attest_key_open() makes the file where there is none.
 *
 * A report, text or JSON, ends with the public key and the signature; what is
 * signed is every byte before them, after a prefix that no other use has.
 */
#ifndef ADMIN_ATTEST_SIGN_H
#define ADMIN_ATTEST_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

#define ATTEST_KEY_BYTES 32
#define ATTEST_SIGNATURE_BYTES 64

struct attest_key {
	uint8_t private_key[ATTEST_KEY_BYTES];
	uint8_t public_key[ATTEST_KEY_BYTES];
};

enum attest_key_result {
	ATTEST_KEY_OK,
	ATTEST_KEY_OPEN_TO_OTHERS,	/* its mode or owner */
	ATTEST_KEY_BAD,		/* not what we write */
	ATTEST_KEY_IO		/* errno says */
};

/*
 * Reads the key; if there is none makes one, mode 0600.  owner: whose it may
 * be besides root's.
 */
enum attest_key_result attest_key_open(const char *path, uid_t owner,
	    struct attest_key *key_r) __attribute__((warn_unused_result));
void	attest_key_scrub(struct attest_key *key);
/* The installation's, <state_dir>/attest.key; admin_settings() first.  False:
 * it was said why. */
struct admin;
bool	attest_own_key(struct admin *admin, struct attest_key *key_r)
	    __attribute__((warn_unused_result));

/* Appends key and signature to a report: a text, or (json) a JSON object
 * whose last brace is left out. */
bool	attest_sign(struct buf *report, const struct attest_key *key, bool json)
	    __attribute__((warn_unused_result));

enum attest_verdict {
	ATTEST_VALID,
	ATTEST_NO_REPORT,	/* it has no key or signature at its end */
	ATTEST_FORGED		/* the signature isn't of these bytes */
};
/* By the key that the report names; *public_key_r is that. */
enum attest_verdict attest_check(const char *report, size_t len,
	    uint8_t public_key_r[ATTEST_KEY_BYTES])
	    __attribute__((warn_unused_result));

#endif

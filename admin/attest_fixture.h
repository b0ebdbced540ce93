/*
 * attest_fixture.h: what attest calls with and through: a customer, a group,
 * two models and two channels of its own, made once and switched on for a run.
 * Layer: admin.
 * Written by: fixture_enable() and fixture_disable(), each in one transaction
 * with actor and reason.
 *
 * The channels serve that group alone, and nobody else is in it, so that no
 * customer's call can come by them.  The calls are real ones: held, charged at
 * the models' own price, recorded.
 */
#ifndef ADMIN_ATTEST_FIXTURE_H
#define ADMIN_ATTEST_FIXTURE_H

#include <stdint.h>

#include "admin/admin.h"
#include "base/secret.h"

/* Of customer and group, and what the channels' and models' begin with. */
#define FIXTURE_NAME "youyun-attest"
#define FIXTURE_MODEL "youyun-attest"
#define FIXTURE_MODEL_TRANSLATED "youyun-attest-translated"
#define FIXTURE_CHANNELS 2

/* How long the upstream may be silent. */
#define FIXTURE_SILENCE_MS 700

struct fixture {
	int port;			/* of the scripted provider, */
	const char *ca;			/* what to trust there, */
	const char *credential;		/* and what it is called with */
	uint8_t digest[KEY_DIGEST_BYTES];	/* of the key, and */
	char hint[API_KEY_HINT_BYTES];		/* its looks */
	struct secrets secrets;		/* fixture_disable() scrubs */
	int64_t customer_id, key_id, channel_id[FIXTURE_CHANNELS];
	int64_t since_us;
};

/* A fresh key, to be scrubbed; the digest and hint are the fixture's. */
enum admin_exit	fixture_key(struct admin *admin, struct fixture *fixture,
	    char key_r[API_KEY_LEN + 1]) __attribute__((warn_unused_result));
enum admin_exit	fixture_enable(struct admin *admin, struct fixture *fixture)
	    __attribute__((warn_unused_result));
/* What failed before is forgotten: breakers, refused credentials. */
enum admin_exit	fixture_reset(struct admin *admin, struct fixture *fixture)
	    __attribute__((warn_unused_result));
/* Revokes the key and switches the channels off, as far as they were on. */
enum admin_exit	fixture_disable(struct admin *admin, struct fixture *fixture)
	    __attribute__((warn_unused_result));

#endif

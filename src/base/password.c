#include "base/password.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/secret.h"

#define SALT_BYTES 16
#define HASH_BYTES 32
/* What a verifier may ask for: 128 MB and so many passes. */
#define COST_BYTES_MAX (UINT64_C(128) << 20)
#define COST_P_MAX 16

struct verifier {
	struct password_cost cost;
	uint8_t salt[SALT_BYTES];
	uint8_t hash[HASH_BYTES];
};

static const struct password_cost today = { PASSWORD_LOG2_N, PASSWORD_R,
	PASSWORD_P };

static uint64_t
memory_of(struct password_cost c)
{
	return (UINT64_C(128) * c.r) << c.log2_n;
}

bool
password_scrypt(struct password_cost c, const void *password, size_t len,
    const void *salt, size_t salt_len, void *hash_r, size_t hash_len)
{
	/* Its own limit counts a little more than the large block. */
	return EVP_PBE_scrypt(password, len, salt, salt_len,
	    UINT64_C(1) << c.log2_n, c.r, c.p, memory_of(c) + (4 << 20),
	    hash_r, hash_len) == 1;
}

static bool
hash_of(struct key_hasher *hasher, const char *password,
    const struct verifier *v, uint8_t hash_r[HASH_BYTES])
{
	uint8_t keyed[KEY_DIGEST_BYTES];
	bool ok;

	key_hasher_digest_of(hasher, "password", password, keyed);
	ok = password_scrypt(v->cost, keyed, sizeof(keyed), v->salt,
	    sizeof(v->salt), hash_r, HASH_BYTES);
	bytes_scrub(keyed, sizeof(keyed));
	return ok;
}

bool
password_make(struct key_hasher *hasher, const char *password,
    char verifier_r[PASSWORD_VERIFIER_BYTES])
{
	char salt[2 * SALT_BYTES + 1], hash[2 * HASH_BYTES + 1];
	struct verifier v = { .cost = today };

	bytes_random(v.salt, sizeof(v.salt));
	if (!hash_of(hasher, password, &v, v.hash))
		return false;
	hex_encode(v.salt, sizeof(v.salt), salt);
	hex_encode(v.hash, sizeof(v.hash), hash);
	snprintf(verifier_r, PASSWORD_VERIFIER_BYTES, "scrypt:%u:%u:%u:%s:%s",
	    v.cost.log2_n, v.cost.r, v.cost.p, salt, hash);
	return true;
}

static bool
parse(const char *text, struct verifier *v)
{
	char salt[2 * SALT_BYTES + 1], hash[2 * HASH_BYTES + 1];
	int end = 0;

	if (text == NULL || sscanf(text, "scrypt:%2u:%2u:%2u:%32[0-9a-f]"
	    ":%64[0-9a-f]%n", &v->cost.log2_n, &v->cost.r, &v->cost.p, salt,
	    hash, &end) != 5 || text[end] != '\0')
		return false;
	return v->cost.log2_n >= 1 && v->cost.log2_n < 32 &&
	    v->cost.r >= 1 && v->cost.p >= 1 && v->cost.p <= COST_P_MAX &&
	    memory_of(v->cost) <= COST_BYTES_MAX &&
	    hex_decode(salt, v->salt, sizeof(v->salt)) &&
	    hex_decode(hash, v->hash, sizeof(v->hash));
}

static bool
is_weaker(struct password_cost c)
{
	return memory_of(c) < memory_of(today) ||
	    memory_of(c) * c.p < memory_of(today) * today.p;
}

enum password_result
password_check(struct key_hasher *hasher, const char *password,
    const char *verifier)
{
	struct verifier v = { .cost = today };
	bool known = parse(verifier, &v), equal;
	uint8_t hash[HASH_BYTES];

	if (!known) {
		/* As much work for nobody's. */
		memset(&v, 0, sizeof(v));
		v.cost = today;
	}
	if (!hash_of(hasher, password, &v, hash))
		return PASSWORD_FAILED;
	equal = bytes_equal_secret(hash, v.hash, sizeof(hash));
	bytes_scrub(hash, sizeof(hash));
	if (!known || !equal)
		return PASSWORD_WRONG;
	return is_weaker(v.cost) ? PASSWORD_OUTDATED : PASSWORD_OK;
}

#include "db/audit_chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/bytes.h"

#define ERASED "{\"erased\": true}"

static void
finish(EVP_MD_CTX *ctx, uint8_t hash_r[AUDIT_HASH_BYTES])
{
	unsigned int len = AUDIT_HASH_BYTES;

	EVP_DigestFinal_ex(ctx, hash_r, &len);
	EVP_MD_CTX_free(ctx);
}

static EVP_MD_CTX *
begin(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	/* Without memory nothing can be said of anything. */
	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		abort();
	return ctx;
}

static void
add_netstring(EVP_MD_CTX *ctx, const char *text)
{
	char length[24];
	size_t len = strlen(text);

	snprintf(length, sizeof(length), "%zu:", len);
	EVP_DigestUpdate(ctx, length, strlen(length));
	EVP_DigestUpdate(ctx, text, len);
}

static void
add_number(EVP_MD_CTX *ctx, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, n);
	add_netstring(ctx, text);
}

static void
detail_of(const struct audit_row *e, uint8_t hash_r[AUDIT_HASH_BYTES])
{
	EVP_MD_CTX *ctx = begin();

	add_netstring(ctx, e->reason);
	add_netstring(ctx, e->change);
	finish(ctx, hash_r);
}

static void
leaf_of(const struct audit_row *e, const uint8_t *detail,
    uint8_t hash_r[AUDIT_HASH_BYTES])
{
	static const uint8_t leaf = 0;
	char hex[2 * AUDIT_HASH_BYTES + 1];
	EVP_MD_CTX *ctx = begin();

	EVP_DigestUpdate(ctx, &leaf, 1);
	add_number(ctx, e->id);
	add_number(ctx, e->at_us);
	add_netstring(ctx, e->actor);
	add_netstring(ctx, e->role);
	add_netstring(ctx, e->action);
	add_netstring(ctx, e->object);
	hex_encode(detail, AUDIT_HASH_BYTES, hex);
	add_netstring(ctx, hex);
	finish(ctx, hash_r);
}

static void
join(const uint8_t *prefix, const uint8_t *left, const uint8_t *right,
    uint8_t hash_r[AUDIT_HASH_BYTES])
{
	EVP_MD_CTX *ctx = begin();

	if (prefix != NULL)
		EVP_DigestUpdate(ctx, prefix, 1);
	EVP_DigestUpdate(ctx, left, AUDIT_HASH_BYTES);
	EVP_DigestUpdate(ctx, right, AUDIT_HASH_BYTES);
	finish(ctx, hash_r);
}

static const uint8_t node = 1;

/* As many subtrees are whole as the number of leaves has bits. */
void
audit_chain_grow(struct audit_chain *c, const uint8_t *leaf)
{
	memcpy(c->tree[c->trees++], leaf, AUDIT_HASH_BYTES);
	for (int64_t n = c->leaves; (n & 1) != 0; n >>= 1) {
		join(&node, c->tree[c->trees - 2], c->tree[c->trees - 1],
		    c->tree[c->trees - 2]);
		c->trees--;
	}
	c->leaves++;
}

void
audit_chain_root(const struct audit_chain *c, uint8_t root_r[AUDIT_HASH_BYTES])
{
	if (c->trees == 0) {
		finish(begin(), root_r);
		return;
	}
	memcpy(root_r, c->tree[c->trees - 1], AUDIT_HASH_BYTES);
	for (int i = c->trees - 2; i >= 0; i--)
		join(&node, c->tree[i], root_r, root_r);
}

/* Of what customers have, and of nothing else; as closing_erases() does. */
static bool
is_erased(const struct audit_row *e)
{
	static const char *const kinds[] = { "customer:", "api_key:",
		"login:", "ticket:", "data_request:" };

	if (e->reason[0] != '\0' || strcmp(e->change, ERASED) != 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(e->object, kinds[i], strlen(kinds[i])) == 0)
			return true;
	return false;
}

static enum audit_fault
judge(const struct audit_chain *c, const struct audit_link_row *k)
{
	uint8_t detail[AUDIT_HASH_BYTES], leaf[AUDIT_HASH_BYTES];
	uint8_t chain[AUDIT_HASH_BYTES];
	bool erased;

	if (k->seq != c->last_seq + 1)
		return AUDIT_GAP;
	if (k->detail == NULL || k->leaf == NULL || k->chain == NULL)
		return AUDIT_BROKEN;
	join(NULL, c->chain, k->leaf, chain);
	if (memcmp(chain, k->chain, sizeof(chain)) != 0)
		return AUDIT_BROKEN;
	if (!k->there)
		return AUDIT_REMOVED;
	detail_of(&k->entry, detail);
	erased = memcmp(detail, k->detail, sizeof(detail)) != 0;
	if (erased && !is_erased(&k->entry))
		return AUDIT_CHANGED;
	leaf_of(&k->entry, k->detail, leaf);
	if (memcmp(leaf, k->leaf, sizeof(leaf)) != 0)
		return AUDIT_CHANGED;
	if (k->entry.at_us < c->latest_us - AUDIT_CLOCK_US)
		return AUDIT_CLOCK;
	return erased ? AUDIT_ERASED : AUDIT_SOUND;
}

enum audit_fault
audit_chain_add(struct audit_chain *c, const struct audit_link_row *k)
{
	static const uint8_t nothing[AUDIT_HASH_BYTES];
	enum audit_fault fault = judge(c, k);

	memcpy(c->chain, k->chain != NULL ? k->chain : nothing,
	    sizeof(c->chain));
	audit_chain_grow(c, k->leaf != NULL ? k->leaf : nothing);
	c->last_seq = k->seq;
	if (k->there && k->entry.at_us > c->latest_us)
		c->latest_us = k->entry.at_us;
	return fault;
}

const char *
audit_fault_text(enum audit_fault fault)
{
	switch (fault) {
	case AUDIT_SOUND:
		return "sound";
	case AUDIT_ERASED:
		return "erased";
	case AUDIT_GAP:
		return "links are missing before this one";
	case AUDIT_REMOVED:
		return "the entry was removed";
	case AUDIT_CHANGED:
		return "the entry was changed";
	case AUDIT_BROKEN:
		return "the link does not follow from those before it";
	case AUDIT_CLOCK:
		return "its time is long before that of one that was linked "
		    "earlier";
	}
	return "unknown";
}

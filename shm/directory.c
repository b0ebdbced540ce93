/*
 * directory.c: keys and accounts.
 */
#include <string.h>

#include "shm/directory.h"
#include "shm/layout.h"

/* Beside the status: open calls are to end. */
#define CUT UINT32_C(0x100)

/* At most half full, a run this long doesn't come about by chance. */
#define PROBES_MAX 512u

/* The digest is uniform already. */
static uint32_t
first_bucket(const struct shm *shm, const uint8_t *digest)
{
	uint64_t hash;

	memcpy(&hash, digest, sizeof(hash));
	return (uint32_t)hash & (shm->key_buckets - 1);
}

/* The entry with this digest, or the empty one where it would go, or NULL. */
static struct shm_key *
probe(const struct shm *shm, const uint8_t *digest)
{
	uint32_t bucket = first_bucket(shm, digest), i;
	struct shm_key *k;

	for (i = 0; i < PROBES_MAX && i < shm->key_buckets; i++) {
		k = shm_key(shm, (bucket + i) & (shm->key_buckets - 1));
		/* acquire: a live entry's digest is complete */
		if (atomic_load_explicit(&k->state, memory_order_acquire) !=
		    KEY_LIVE || memcmp(k->digest, digest,
		    KEY_DIGEST_BYTES) == 0)
			return k;
	}
	return NULL;
}

static bool
is_live(struct shm_key *k)
{
	return k != NULL && atomic_load_explicit(&k->state,
	    memory_order_acquire) == KEY_LIVE;
}

bool
key_find(const struct shm *shm, const uint8_t digest[KEY_DIGEST_BYTES],
    struct key_view *view_r)
{
	struct shm_key *k = probe(shm, digest);

	if (!is_live(k))
		return false;
	view_r->slot = (uint32_t)(k - shm_key(shm, 0));
	view_r->key_id = atomic_load_explicit(&k->key_id,
	    memory_order_relaxed);
	view_r->account = atomic_load_explicit(&k->account,
	    memory_order_relaxed);
	view_r->status = atomic_load_explicit(&k->status,
	    memory_order_relaxed) == KEY_ACTIVE ? KEY_ACTIVE : KEY_REVOKED;
	view_r->expires_us = atomic_load_explicit(&k->expires_us,
	    memory_order_relaxed);
	view_r->policy = atomic_load_explicit(&k->policy,
	    memory_order_relaxed);
	return true;
}

enum directory_result
key_put(struct shm *shm, const uint8_t digest[KEY_DIGEST_BYTES],
    const struct key_view *view, uint32_t *slot_r)
{
	struct shm_header *h = shm_header(shm);
	struct shm_key *k = probe(shm, digest);
	bool fresh = !is_live(k);

	if (k == NULL || (fresh && atomic_load_explicit(&h->keys_used,
	    memory_order_relaxed) >= shm->sizes.keys))
		return DIRECTORY_FULL;
	if (slot_r != NULL)
		*slot_r = (uint32_t)(k - shm_key(shm, 0));
	atomic_store_explicit(&k->key_id, view->key_id, memory_order_relaxed);
	atomic_store_explicit(&k->account, view->account,
	    memory_order_relaxed);
	atomic_store_explicit(&k->expires_us, view->expires_us,
	    memory_order_relaxed);
	/* Before the status: what is active again is bounded already. */
	atomic_store_explicit(&k->policy, view->policy, memory_order_relaxed);
	atomic_store_explicit(&k->status, view->status, memory_order_release);
	if (fresh) {
		memcpy(k->digest, digest, KEY_DIGEST_BYTES);
		/* release: from here on it can be found, and is complete.  A
		 * death before it leaves an empty entry with odd contents, a
		 * death after it a count that is one short: it is a limit. */
		atomic_store_explicit(&k->state, KEY_LIVE,
		    memory_order_release);
		atomic_fetch_add_explicit(&h->keys_used, 1,
		    memory_order_relaxed);
	}
	return DIRECTORY_OK;
}

bool
account_read(const struct shm *shm, uint32_t account,
    struct account_view *view_r)
{
	struct shm_account *a = shm_account(shm, account);
	uint32_t status;

	if (a == NULL)
		return false;
	view_r->account_id = atomic_load_explicit(&a->account_id,
	    memory_order_acquire);
	if (view_r->account_id == 0)
		return false;
	view_r->group_id = atomic_load_explicit(&a->group_id,
	    memory_order_relaxed);
	/* acquire: its group and policy are there */
	status = atomic_load_explicit(&a->status, memory_order_acquire);
	view_r->cut = (status & CUT) != 0;
	status &= ~CUT;
	view_r->status = status <= ACCOUNT_CLOSED ?
	    (enum account_status)status : ACCOUNT_CLOSED;
	view_r->available_nano = atomic_load_explicit(&a->cell.available,
	    memory_order_relaxed);
	view_r->granted_nano = atomic_load_explicit(&a->granted,
	    memory_order_relaxed);
	view_r->policy = atomic_load_explicit(&a->policy,
	    memory_order_relaxed);
	view_r->minimise = atomic_load_explicit(&a->minimise,
	    memory_order_relaxed) & (RECORD_ADDRESS_NETWORK |
	    RECORD_ADDRESS_NONE | RECORD_AGENT_NONE);
	return true;
}

enum directory_result
account_add(struct shm *shm, uint64_t account_id, uint32_t *account_r)
{
	struct shm_header *h = shm_header(shm);
	struct shm_account *a;
	uint32_t account;

	assert(account_id != 0);
	account = atomic_load_explicit(&h->accounts_used,
	    memory_order_relaxed);
	a = shm_account(shm, account);
	if (a == NULL)
		return DIRECTORY_FULL;
	atomic_store_explicit(&a->status, ACCOUNT_SUSPENDED,
	    memory_order_relaxed);
	atomic_store_explicit(&a->account_id, account_id,
	    memory_order_release);
	/* Last: a writer that dies before this has used nothing, and its
	 * successor takes the same slot again. */
	atomic_store_explicit(&h->accounts_used, account + 1,
	    memory_order_release);
	*account_r = account;
	return DIRECTORY_OK;
}

void
account_set(struct shm *shm, uint32_t account, const struct account_view *view)
{
	struct shm_account *a = shm_account(shm, account);
	uint32_t status = (uint32_t)view->status | (view->cut ? CUT : 0), was;

	assert(a != NULL);
	atomic_store_explicit(&a->group_id, view->group_id,
	    memory_order_relaxed);
	atomic_store_explicit(&a->policy, view->policy, memory_order_relaxed);
	atomic_store_explicit(&a->minimise, view->minimise,
	    memory_order_relaxed);
	was = atomic_exchange_explicit(&a->status, status,
	    memory_order_acq_rel);
	/* After the status, which workers look at when this has changed.  A
	 * death in between leaves open calls alone: said again, it counts. */
	if (view->cut && was != status)
		shm_gauge_set(shm, SHM_GAUGE_CUTS, shm_gauge(shm,
		    SHM_GAUGE_CUTS) + 1);
}

uint32_t
account_count(const struct shm *shm)
{
	uint32_t n = atomic_load_explicit(&shm_header(shm)->accounts_used,
	    memory_order_acquire);

	return n <= shm->sizes.accounts ? n : shm->sizes.accounts;
}

uint32_t
key_count(const struct shm *shm)
{
	return atomic_load_explicit(&shm_header(shm)->keys_used,
	    memory_order_acquire);
}

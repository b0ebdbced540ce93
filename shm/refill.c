#include "shm/refill.h"

#include <stddef.h>

#include "shm/layout.h"

bool
refill_read(const struct shm *shm, uint32_t account,
    struct refill_view *view_r)
{
	const struct shm_account *a = shm_account(shm, account);
	uint32_t verdict;

	if (a == NULL)
		return false;
	/* acquire: with an answer come the verdict and the money */
	view_r->answers = atomic_load_explicit(&a->answers,
	    memory_order_acquire);
	verdict = atomic_load_explicit(&a->verdict, memory_order_relaxed);
	view_r->verdict = verdict <= REFILL_SHORT ?
	    (enum refill_verdict)verdict : REFILL_NONE;
	view_r->available_nano = atomic_load_explicit(&a->cell.available,
	    memory_order_relaxed);
	view_r->elsewhere_nano = atomic_load_explicit(&a->elsewhere,
	    memory_order_relaxed);
	view_r->low_nano = atomic_load_explicit(&a->low,
	    memory_order_relaxed);
	return true;
}

bool
refill_ask(struct shm *shm, uint32_t account, int64_t need_nano)
{
	struct shm_account *a = shm_account(shm, account);
	uint64_t bit = UINT64_C(1) << (account & 63);
	int64_t seen;

	if (a == NULL)
		return false;
	seen = atomic_load_explicit(&a->wanted, memory_order_relaxed);
	/* Ends after at most as many rounds as others raise it. */
	while (seen < need_nano &&
	    !atomic_compare_exchange_weak_explicit(&a->wanted, &seen,
	    need_nano, memory_order_relaxed, memory_order_relaxed))
		continue;
	/* release: whoever sees the bit finds the amount */
	return (atomic_fetch_or_explicit(shm_asked(shm, account / 64), bit,
	    memory_order_release) & bit) == 0;
}

bool
refill_next(struct shm *shm, uint32_t *account_r, int64_t *need_r)
{
	uint32_t word, words = (shm->sizes.accounts + 63) / 64;
	uint64_t bits, mask = ~UINT64_C(0) << (*account_r & 63);
	struct shm_account *a;

	for (word = *account_r / 64; word < words; word++) {
		bits = atomic_load_explicit(shm_asked(shm, word),
		    memory_order_relaxed) & mask;
		mask = ~UINT64_C(0);
		if (bits == 0)
			continue;
		*account_r = word * 64 + (uint32_t)__builtin_ctzll(bits);
		a = shm_account(shm, *account_r);
		/* The bit first: what is asked for from here on sets it again.
		 * acquire: pairs with the release in refill_ask() */
		atomic_fetch_and_explicit(shm_asked(shm, word),
		    ~(UINT64_C(1) << (*account_r & 63)), memory_order_acquire);
		if (a == NULL)
			return false;
		*need_r = atomic_exchange_explicit(&a->wanted, 0,
		    memory_order_relaxed);
		return true;
	}
	return false;
}

void
refill_know(struct shm *shm, uint32_t account, int64_t elsewhere_nano,
    int64_t low_nano)
{
	struct shm_account *a = shm_account(shm, account);

	assert(a != NULL);
	atomic_store_explicit(&a->elsewhere, elsewhere_nano,
	    memory_order_relaxed);
	if (low_nano >= 0)
		atomic_store_explicit(&a->low, low_nano,
		    memory_order_relaxed);
}

void
refill_answer(struct shm *shm, uint32_t account, enum refill_verdict verdict,
    bool final)
{
	struct shm_account *a = shm_account(shm, account);

	assert(a != NULL);
	atomic_store_explicit(&a->verdict, verdict, memory_order_relaxed);
	if (final)
		/* release: the grant and the verdict come before it */
		atomic_fetch_add_explicit(&a->answers, 1,
		    memory_order_release);
}

/*
 * answer.c: see answer.h.
 */
#include "shm/answer.h"

#include <string.h>

#include "shm/layout.h"

/* How often an entry that others change at the same time is tried. */
#define TRIES 16

enum state {
	STATE_EMPTY = 0,
	STATE_CLAIMED = 1,	/* being written */
	STATE_OPEN = 2,
	STATE_BILLED = 3
};

static enum state
state_of(uint64_t word)
{
	return (enum state)(word & 0xff);
}

/* Generations tell a reader that an entry has become another meanwhile. */
static uint64_t
next_word(uint64_t word, enum state state)
{
	return ((word >> 8) + 1) << 8 | (uint64_t)state;
}

static uint64_t
half(const uint8_t *digest)
{
	uint64_t n;

	memcpy(&n, digest, sizeof(n));
	return n;
}

static struct shm_answer *
set_of(const struct shm *shm, const uint8_t *digest, uint32_t *first_r)
{
	*first_r = (uint32_t)(half(digest) % (SHM_ANSWERS / SHM_ANSWER_WAYS)) *
	    SHM_ANSWER_WAYS;
	return shm_answer(shm, *first_r);
}

/* Is it the digest's, and stays so while it is copied? */
static bool
read_entry(struct shm_answer *a, const uint8_t *digest,
    struct answer_view *view_r)
{
	/* acquire: what the release of this word made visible */
	uint64_t word = atomic_load_explicit(&a->word, memory_order_acquire);
	enum state state = state_of(word);

	if (state != STATE_OPEN && state != STATE_BILLED)
		return false;
	/* relaxed: the word that is read again vouches for them */
	if (atomic_load_explicit(&a->digest[0], memory_order_relaxed) !=
	    half(digest) ||
	    atomic_load_explicit(&a->digest[1], memory_order_relaxed) !=
	    half(digest + 8))
		return false;
	view_r->account_id = atomic_load_explicit(&a->account_id,
	    memory_order_relaxed);
	view_r->channel_id = atomic_load_explicit(&a->channel_id,
	    memory_order_relaxed);
	view_r->model_id = atomic_load_explicit(&a->model_id,
	    memory_order_relaxed);
	view_r->made_us = atomic_load_explicit(&a->made_us,
	    memory_order_relaxed);
	view_r->context_tokens = atomic_load_explicit(&a->context_tokens,
	    memory_order_relaxed);
	view_r->held_tokens = atomic_load_explicit(&a->held_tokens,
	    memory_order_relaxed);
	view_r->open = state == STATE_OPEN;
	view_r->word = word;
	/* the loads above come before the second look at the word */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&a->word, memory_order_relaxed) == word;
}

bool
answer_find(const struct shm *shm, const uint8_t digest[ANSWER_DIGEST_BYTES],
    struct answer_view *view_r)
{
	struct shm_answer *set;
	uint32_t first, i, t;

	set = set_of(shm, digest, &first);
	for (t = 0; t < TRIES; t++) {
		bool claimed = false;

		for (i = 0; i < SHM_ANSWER_WAYS; i++) {
			memset(view_r, 0, sizeof(*view_r));
			if (read_entry(&set[i], digest, view_r)) {
				view_r->slot = first + i;
				return true;
			}
			claimed = claimed || state_of(atomic_load_explicit(
			    &set[i].word, memory_order_relaxed)) ==
			    STATE_CLAIMED;
		}
		/* It may just be being written. */
		if (!claimed)
			break;
	}
	return false;
}

/* Of the others the one to be forgotten: empty, or billed, or else open, and
 * of those the oldest.  SHM_ANSWER_WAYS: all are being written. */
static uint32_t
choose(struct shm_answer *set)
{
	uint32_t best = SHM_ANSWER_WAYS, i;
	int best_rank = -1;
	int64_t best_made = 0;

	for (i = 0; i < SHM_ANSWER_WAYS; i++) {
		enum state state = state_of(atomic_load_explicit(&set[i].word,
		    memory_order_relaxed));
		int64_t made = atomic_load_explicit(&set[i].made_us,
		    memory_order_relaxed);
		int rank = state == STATE_EMPTY ? 2 :
		    state == STATE_BILLED ? 1 : 0;

		if (state == STATE_CLAIMED || rank < best_rank ||
		    (rank == best_rank && made >= best_made))
			continue;
		best = i;
		best_rank = rank;
		best_made = made;
	}
	return best;
}

static void
fill(struct shm_answer *a, const uint8_t *digest,
    const struct answer_view *view)
{
	/* relaxed: the release of the word follows */
	atomic_store_explicit(&a->digest[0], half(digest),
	    memory_order_relaxed);
	atomic_store_explicit(&a->digest[1], half(digest + 8),
	    memory_order_relaxed);
	atomic_store_explicit(&a->account_id, view->account_id,
	    memory_order_relaxed);
	atomic_store_explicit(&a->channel_id, view->channel_id,
	    memory_order_relaxed);
	atomic_store_explicit(&a->model_id, view->model_id,
	    memory_order_relaxed);
	atomic_store_explicit(&a->made_us, view->made_us,
	    memory_order_relaxed);
	atomic_store_explicit(&a->context_tokens, view->context_tokens,
	    memory_order_relaxed);
	atomic_store_explicit(&a->held_tokens, view->held_tokens,
	    memory_order_relaxed);
}

bool
answer_put(struct shm *shm, const uint8_t digest[ANSWER_DIGEST_BYTES],
    const struct answer_view *view)
{
	struct answer_view old;
	struct shm_answer *set;
	uint32_t first, i, t;
	uint64_t word;
	bool open;

	set = set_of(shm, digest, &first);
	for (t = 0; t < TRIES; t++) {
		open = view->open;
		if (answer_find(shm, digest, &old)) {
			i = old.slot - first;
			word = old.word;
			open = open && old.open;
		} else {
			i = choose(set);
			if (i == SHM_ANSWER_WAYS)
				continue;
			word = atomic_load_explicit(&set[i].word,
			    memory_order_relaxed);
			if (state_of(word) == STATE_CLAIMED)
				continue;
		}
		/* acquire: nothing of ours is seen before the claim */
		if (!atomic_compare_exchange_strong_explicit(&set[i].word,
		    &word, next_word(word, STATE_CLAIMED),
		    memory_order_acquire, memory_order_relaxed))
			continue;
		atomic_thread_fence(memory_order_release);
		fill(&set[i], digest, view);
		/* release: the entry is complete */
		atomic_store_explicit(&set[i].word,
		    next_word(next_word(word, STATE_CLAIMED),
		    open ? STATE_OPEN : STATE_BILLED), memory_order_release);
		return true;
	}
	return false;
}

bool
answer_bill(struct shm *shm, const uint8_t digest[ANSWER_DIGEST_BYTES])
{
	struct answer_view view;
	uint32_t t;

	for (t = 0; t < TRIES; t++) {
		if (!answer_find(shm, digest, &view) || !view.open)
			return false;
		/* relaxed: nothing but the word itself changes hands */
		if (atomic_compare_exchange_strong_explicit(
		    &shm_answer(shm, view.slot)->word, &view.word,
		    next_word(view.word, STATE_BILLED), memory_order_relaxed,
		    memory_order_relaxed))
			return true;
	}
	return false;
}

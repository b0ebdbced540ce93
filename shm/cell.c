/*
 * cell.c: the balance's compare-and-swap, and what makes it decidable.  The
 * argument is in shm/PROTOCOL.
 */
#include <string.h>

#include "shm/cell.h"
#include "shm/ring.h"
#include "shm/swap.h"

static struct shm_hold *
hold_of(const struct shm *shm, uint64_t op)
{
	uint64_t index = (op >> OP_SEQUENCE_BITS) - 1;

	/* It comes from shared memory: 0 is "nobody yet", and what is out of
	 * bounds is nobody either. */
	if (op >> OP_SEQUENCE_BITS == 0 ||
	    index >= (uint64_t)shm->sizes.seats * shm->sizes.holds_per_seat)
		return NULL;
	return shm_hold(shm, (uint32_t)(index / shm->sizes.holds_per_seat),
	    (uint32_t)(index % shm->sizes.holds_per_seat));
}

static void
mark_done(const struct shm *shm, uint64_t op)
{
	struct shm_hold *h = hold_of(shm, op);
	uint64_t sequence = op & OP_SEQUENCE_MASK, seen;

	if (h == NULL)
		return;
	seen = atomic_load_explicit(&h->done, memory_order_relaxed);
	/* Upwards only: a marker that was slow must not undo a later one.
	 * Ends after at most as many rounds as others raise it. */
	while (seen < sequence &&
	    !atomic_compare_exchange_weak_explicit(&h->done, &seen, sequence,
	    memory_order_release, memory_order_relaxed))
		continue;
}

enum cell_result
cell_add(struct shm *shm, uint32_t account, int64_t delta, uint64_t op)
{
	struct shm_account *a = shm_account(shm, account);
	int64_t available, sum;
	uint64_t last;
	unsigned tries;

	if (a == NULL)
		return CELL_SHORT;
	for (tries = 0; tries < CELL_TRIES; tries++) {
		/* Two loads that may not belong together: then the swap
		 * fails.  Each is a true value, which is all that the check
		 * and the mark need. */
		last = atomic_load_explicit(&a->cell.op, memory_order_acquire);
		available = atomic_load_explicit(&a->cell.available,
		    memory_order_relaxed);
		if (__builtin_add_overflow(available, delta, &sum) || sum < 0)
			return CELL_SHORT;
		mark_done(shm, last);
		if (swap_wide(&a->cell, (uint64_t)available, last,
		    (uint64_t)sum, op))
			return CELL_APPLIED;
	}
	return CELL_CONTENDED;
}

bool
cell_applied(const struct shm *shm, uint32_t account, uint32_t seat,
    uint32_t hold, uint64_t sequence)
{
	struct shm_account *a = shm_account(shm, account);

	if (a == NULL)
		return false;
	/* In this order: whoever replaced us in the cell marked us first. */
	if (atomic_load_explicit(&a->cell.op, memory_order_acquire) ==
	    op_make(shm, seat, hold, sequence))
		return true;
	return atomic_load_explicit(&shm_hold(shm, seat, hold)->done,
	    memory_order_acquire) >= (sequence & OP_SEQUENCE_MASK);
}

void
step_publish(struct shm *shm, uint32_t seat, uint32_t hold, uint64_t sequence,
    const struct step *step)
{
	struct shm_hold *h = shm_hold(shm, seat, hold);
	struct shm_intent *i = &h->intent[sequence & 1];

	/* relaxed: the word's release store below publishes them together */
	atomic_store_explicit(&i->delta, step->delta, memory_order_relaxed);
	atomic_store_explicit(&i->before, step->before, memory_order_relaxed);
	atomic_store_explicit(&i->after, step->after, memory_order_relaxed);
	atomic_store_explicit(&i->granted, step->granted,
	    memory_order_relaxed);
	atomic_store_explicit(&i->position, step->position,
	    memory_order_relaxed);
	atomic_store_explicit(&i->account, step->account,
	    memory_order_relaxed);
	atomic_store_explicit(&h->word, sequence << 8 | step->kind,
	    memory_order_release);
}

uint64_t
step_read(const struct shm *shm, uint32_t seat, uint32_t hold,
    struct step *step_r)
{
	const struct shm_hold *h = shm_hold(shm, seat, hold);
	const struct shm_intent *i;
	uint64_t word;

	word = atomic_load_explicit(&h->word, memory_order_acquire);
	i = &h->intent[word >> 8 & 1];
	step_r->kind = (word & 0xff) <= INTENT_GRANT ?
	    (enum intent_kind)(word & 0xff) : INTENT_NONE;
	step_r->delta = atomic_load_explicit(&i->delta, memory_order_relaxed);
	step_r->before = atomic_load_explicit(&i->before,
	    memory_order_relaxed);
	step_r->after = atomic_load_explicit(&i->after, memory_order_relaxed);
	step_r->granted = atomic_load_explicit(&i->granted,
	    memory_order_relaxed);
	step_r->position = atomic_load_explicit(&i->position,
	    memory_order_relaxed);
	step_r->account = atomic_load_explicit(&i->account,
	    memory_order_relaxed);
	return word >> 8;
}

uint64_t
step_settle(struct shm *shm, uint32_t seat, uint32_t hold, uint64_t sequence,
    uint32_t account, int64_t held_nano, int64_t fee_nano)
{
	struct step step;

	assert(fee_nano >= 0 && fee_nano <= held_nano);
	memset(&step, 0, sizeof(step));
	step.kind = INTENT_SETTLE;
	step.account = account;
	step.delta = held_nano - fee_nano;
	step.before = held_nano;
	step.position = ring_head(shm, seat);
	step_publish(shm, seat, hold, ++sequence, &step);
	step_settle_finish(shm, seat, hold, sequence, &step);
	return sequence + 1;
}

void
step_settle_finish(struct shm *shm, uint32_t seat, uint32_t hold,
    uint64_t sequence, const struct step *step)
{
	struct step none = { .kind = INTENT_FREE };

	/* Nothing to give back needs no step.  What is given back came from
	 * this balance, so it fits; contention can only delay it. */
	if (step->delta != 0 &&
	    !cell_applied(shm, step->account, seat, hold, sequence))
		while (cell_add(shm, step->account, step->delta,
		    op_make(shm, seat, hold, sequence)) == CELL_CONTENDED)
			continue;
	if (ring_head(shm, seat) == step->position)
		ring_publish(shm, seat);
	step_publish(shm, seat, hold, sequence + 1, &none);
}

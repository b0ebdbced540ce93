/*
 * hold.c: what a worker and the flusher do with money.
 */
#include <stdlib.h>
#include <string.h>

#include "shm/cell.h"
#include "shm/hold.h"
#include "shm/ring.h"

/* What the owner knows without asking the segment. */
struct open_hold {
	uint64_t sequence;
	int64_t held_nano;
	uint32_t account;
	bool open;
};

struct hold_book {
	struct shm *shm;
	uint32_t seat;
	uint32_t count;			/* holds of this seat */
	uint32_t open;
	uint32_t free_first, free_count; /* a ring: the longest free is next */
	uint32_t *free_list;
	struct open_hold *holds;
};

struct hold_book *
hold_book_open(struct shm *shm, uint32_t seat)
{
	struct hold_book *b;
	struct step step;
	uint32_t i;

	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return NULL;
	b->shm = shm;
	b->seat = seat;
	b->count = shm->sizes.holds_per_seat;
	b->free_list = calloc(b->count, sizeof(*b->free_list));
	b->holds = calloc(b->count, sizeof(*b->holds));
	if (b->free_list == NULL || b->holds == NULL) {
		hold_book_close(&b);
		return NULL;
	}
	for (i = 0; i < b->count; i++) {
		b->holds[i].sequence = step_read(shm, seat, i, &step);
		/* A seat is only given away with all its holds ended. */
		if ((step.kind == INTENT_NONE || step.kind == INTENT_FREE) &&
		    b->holds[i].sequence < OP_SEQUENCE_LAST)
			b->free_list[b->free_count++] = i;
	}
	return b;
}

void
hold_book_close(struct hold_book **book)
{
	if (*book != NULL) {
		free((*book)->free_list);
		free((*book)->holds);
		free(*book);
		*book = NULL;
	}
}

uint32_t
hold_book_open_count(const struct hold_book *book)
{
	return book->open;
}

static void
give_back(struct hold_book *b, uint32_t hold)
{
	if (b->holds[hold].sequence < OP_SEQUENCE_LAST)
		b->free_list[(b->free_first + b->free_count++) % b->count] =
		    hold;
	b->holds[hold].open = false;
	b->open--;
}

static enum hold_result
from_cell(enum cell_result result)
{
	switch (result) {
	case CELL_APPLIED:
		return HOLD_OK;
	case CELL_SHORT:
		return HOLD_SHORT;
	case CELL_CONTENDED:
		return HOLD_CONTENDED;
	}
	return HOLD_CONTENDED;
}

/* Nobody reads it while the owner lives. */
static void
put_spending(struct shm_hold *h, const struct budget_sum *spending)
{
	atomic_store_explicit(&h->spending_nano, spending->nano,
	    memory_order_relaxed);
	atomic_store_explicit(&h->spending_tokens, spending->tokens,
	    memory_order_relaxed);
}

enum hold_result
hold_reserve(struct hold_book *b, uint32_t account, int64_t nano,
    const struct call_record *draft, const struct hold_terms *terms,
    uint32_t *hold_r)
{
	struct step step, none = { .kind = INTENT_FREE };
	enum hold_result result;
	struct open_hold *o;
	struct shm_hold *h;
	uint32_t hold;

	assert(nano >= 0);
	/* A place in the ring for each open hold's record, and for this. */
	if (b->free_count == 0 || ring_space(b->shm, b->seat) <= b->open)
		return HOLD_BUSY;
	hold = b->free_list[b->free_first];
	b->free_first = (b->free_first + 1) % b->count;
	b->free_count--;
	b->open++;
	o = &b->holds[hold];
	h = shm_hold(b->shm, b->seat, hold);
	memcpy(&h->draft, draft, sizeof(h->draft));
	memcpy(&h->terms, terms, sizeof(h->terms));
	atomic_store_explicit(&h->progress_sequence, 0, memory_order_relaxed);
	put_spending(h, &terms->spending);
	memset(&step, 0, sizeof(step));
	step.kind = INTENT_RESERVE;
	step.account = account;
	step.delta = -nano;
	step.after = nano;
	step_publish(b->shm, b->seat, hold, ++o->sequence, &step);
	result = from_cell(cell_add(b->shm, account, -nano,
	    op_make(b->shm, b->seat, hold, o->sequence)));
	if (result != HOLD_OK) {
		step_publish(b->shm, b->seat, hold, ++o->sequence, &none);
		give_back(b, hold);
		return result;
	}
	o->account = account;
	o->held_nano = nano;
	o->open = true;
	*hold_r = hold;
	return HOLD_OK;
}

enum hold_result
hold_extend(struct hold_book *b, uint32_t hold, int64_t nano)
{
	struct open_hold *o = &b->holds[hold];
	enum hold_result result;
	struct step step;
	int64_t after;

	assert(hold < b->count && o->open && nano >= 0);
	if (__builtin_add_overflow(o->held_nano, nano, &after))
		return HOLD_SHORT;
	memset(&step, 0, sizeof(step));
	step.kind = INTENT_EXTEND;
	step.account = o->account;
	step.delta = -nano;
	step.before = o->held_nano;
	step.after = after;
	step_publish(b->shm, b->seat, hold, ++o->sequence, &step);
	result = from_cell(cell_add(b->shm, o->account, -nano,
	    op_make(b->shm, b->seat, hold, o->sequence)));
	/* If not: the next step says again what was held before this one. */
	if (result == HOLD_OK)
		o->held_nano = after;
	return result;
}

int64_t
hold_held(const struct hold_book *b, uint32_t hold)
{
	assert(hold < b->count && b->holds[hold].open);
	return b->holds[hold].held_nano;
}

void
hold_spending(struct hold_book *b, uint32_t hold,
    const struct budget_sum *spending)
{
	assert(hold < b->count && b->holds[hold].open);
	put_spending(shm_hold(b->shm, b->seat, hold), spending);
}

void
hold_retell(struct hold_book *b, uint32_t hold,
    const struct hold_terms *terms)
{
	struct shm_hold *h = shm_hold(b->shm, b->seat, hold);

	assert(hold < b->count && b->holds[hold].open);
	/* Nobody reads it while the owner lives. */
	memcpy(h->terms.budget, terms->budget, sizeof(h->terms.budget));
	h->terms.when = terms->when;
	put_spending(h, &terms->spending);
}

void
hold_progress(struct hold_book *b, uint32_t hold,
    const struct hold_progress *progress)
{
	struct shm_hold *h;
	uint64_t sequence;

	assert(hold < b->count && b->holds[hold].open);
	h = shm_hold(b->shm, b->seat, hold);
	sequence = 1 + atomic_load_explicit(&h->progress_sequence,
	    memory_order_relaxed);
	memcpy(&h->progress[sequence & 1], progress, sizeof(*progress));
	/* release: from here on this copy counts, and it is complete */
	atomic_store_explicit(&h->progress_sequence, sequence,
	    memory_order_release);
}

void
hold_settle(struct hold_book *b, uint32_t hold, int64_t fee_nano,
    const struct call_record *record)
{
	struct open_hold *o = &b->holds[hold];
	struct call_record *r;

	assert(hold < b->count && o->open);
	r = ring_next(b->shm, b->seat);
	assert(r != NULL);
	memcpy(r, record, sizeof(*r));
	r->fee_nano = fee_nano;
	r->held_nano = o->held_nano;
	o->sequence = step_settle(b->shm, b->seat, hold, o->sequence,
	    o->account, o->held_nano, fee_nano);
	give_back(b, hold);
}

bool
hold_publish_refusal(struct hold_book *b, const struct call_record *record)
{
	if (ring_space(b->shm, b->seat) <= b->open)
		return false;
	memcpy(ring_next(b->shm, b->seat), record, sizeof(*record));
	ring_publish(b->shm, b->seat);
	return true;
}

/* The flusher's own hold, for what it gives. */
#define GRANT_HOLD 0

enum hold_result
hold_grant(struct shm *shm, uint32_t account, int64_t granted_nano)
{
	struct step step, none = { .kind = INTENT_FREE };
	struct shm_account *a = shm_account(shm, account);
	enum hold_result result;
	uint64_t sequence;

	assert(a != NULL);
	sequence = 1 + step_read(shm, SEAT_FLUSHER, GRANT_HOLD, &step);
	if (sequence >= OP_SEQUENCE_LAST)
		return HOLD_BUSY;
	memset(&step, 0, sizeof(step));
	step.kind = INTENT_GRANT;
	step.account = account;
	step.granted = granted_nano;
	if (__builtin_sub_overflow(granted_nano,
	    atomic_load_explicit(&a->granted, memory_order_relaxed),
	    &step.delta))
		return HOLD_SHORT;
	if (step.delta == 0)
		return HOLD_OK;
	step_publish(shm, SEAT_FLUSHER, GRANT_HOLD, sequence, &step);
	result = from_cell(cell_add(shm, account, step.delta,
	    op_make(shm, SEAT_FLUSHER, GRANT_HOLD, sequence)));
	if (result == HOLD_OK)
		atomic_store_explicit(&a->granted, granted_nano,
		    memory_order_release);
	step_publish(shm, SEAT_FLUSHER, GRANT_HOLD, sequence + 1, &none);
	return result;
}

void
hold_grant_recover(struct shm *shm)
{
	struct step step, none = { .kind = INTENT_FREE };
	struct shm_account *a;
	uint64_t sequence;

	sequence = step_read(shm, SEAT_FLUSHER, GRANT_HOLD, &step);
	if (step.kind != INTENT_GRANT)
		return;
	a = shm_account(shm, step.account);
	/* What was not applied is not carried out now: the next load of the
	 * directory asks for it again. */
	if (a != NULL && cell_applied(shm, step.account, SEAT_FLUSHER,
	    GRANT_HOLD, sequence))
		atomic_store_explicit(&a->granted, step.granted,
		    memory_order_release);
	step_publish(shm, SEAT_FLUSHER, GRANT_HOLD, sequence + 1, &none);
}

/*
 * reclaim.c: ending what a dead worker left, and pricing, which both do.
 */
#include <string.h>

#include "base/clock.h"
#include "shm/cell.h"
#include "shm/hold.h"
#include "shm/ring.h"

uint32_t
hold_price_with(const struct usage *usage, const struct hold_terms *terms,
    const struct price *other, int64_t held_nano, int64_t *fee_r,
    int64_t *uncollected_r)
{
	struct fee_terms fee_terms = { &terms->price, other,
		terms->multiplier_ppm };
	int64_t fee;
	bool marked;

	switch (fee_compute(usage, &fee_terms, &fee, &marked)) {
	case FEE_OK:
		break;
	case FEE_OVERFLOW:
		/* fee is INT64_MAX: what is held is charged, the rest stands
		 * as uncollected. */
		break;
	case FEE_UNPRICED:
		fee = held_nano;
		break;
	}
	if (fee < 0)
		fee = 0;
	*fee_r = fee <= held_nano ? fee : held_nano;
	*uncollected_r = fee - *fee_r;
	return marked ? RECORD_UNPRICED : 0;
}

uint32_t
hold_price(const struct usage *usage, const struct hold_terms *terms,
    int64_t held_nano, int64_t *fee_r, int64_t *uncollected_r)
{
	return hold_price_with(usage, terms, NULL, held_nano, fee_r,
	    uncollected_r);
}

static bool
terms_sane(const struct hold_terms *terms)
{
	return terms->multiplier_ppm <= MULTIPLIER_MAX_PPM &&
	    price_is_sane(&terms->price);
}

/* Writes the record of a call that its worker didn't live to end. */
static int64_t
write_record(const struct shm *shm, uint32_t seat, uint32_t hold,
    int64_t held_nano, struct call_record *r)
{
	const struct shm_hold *h = shm_hold(shm, seat, hold);
	struct hold_progress progress;
	struct hold_terms terms = h->terms;
	uint64_t sequence;
	int64_t now_us = clock_wall().us;

	memcpy(r, &h->draft, sizeof(*r));
	r->fee_nano = r->uncollected_nano = 0;
	r->held_nano = held_nano;
	r->flags |= RECORD_RECLAIMED;
	if (now_us > r->started_us &&
	    (now_us - r->started_us) / 1000 <= UINT32_MAX)
		r->total_ms = (uint32_t)((now_us - r->started_us) / 1000);
	sequence = atomic_load_explicit(&h->progress_sequence,
	    memory_order_acquire);
	if (sequence == 0)
		return 0;
	progress = h->progress[sequence & 1];
	/* From a process that may have been out of its mind. */
	usage_clamp(&progress.usage);
	r->channel_id = progress.channel_id;
	r->answer_bytes = progress.answer_bytes;
	r->credential_id = progress.credential_id;
	r->attempts = progress.attempts;
	r->status = progress.status;
	r->upstream_status = progress.upstream_status;
	r->flags |= progress.flags;
	if (!progress.billable || !terms_sane(&terms))
		return 0;
	record_put_usage(r, &progress.usage);
	/* Another model's price died with the worker's catalogue: its part
	 * costs as the main model's, and is marked. */
	r->other_model_id = r->other_price_version = 0;
	r->flags |= hold_price(&progress.usage, &terms, held_nano,
	    &r->fee_nano, &r->uncollected_nano);
	return r->fee_nano;
}

/* What the hold holds, by its latest intent and whether that came about. */
static int64_t
held_by(const struct shm *shm, uint32_t seat, uint32_t hold,
    uint64_t sequence, const struct step *step)
{
	if (step->delta == 0)
		return step->after;
	return cell_applied(shm, step->account, seat, hold, sequence) ?
	    step->after : step->before;
}

static uint64_t
tokens_of(const struct call_record *r)
{
	struct usage usage;

	record_get_usage(r, &usage);
	return usage_tokens(&usage);
}

/* Gives the budgets back what the call did not use, once. */
static void
correct_budgets(struct shm *shm, struct shm_hold *h,
    const struct call_record *r)
{
	struct budget_sum used = { r->fee_nano, tokens_of(r) }, taken;
	struct hold_terms terms = h->terms;

	taken.nano = atomic_exchange_explicit(&h->spending_nano, 0,
	    memory_order_relaxed);
	taken.tokens = atomic_exchange_explicit(&h->spending_tokens, 0,
	    memory_order_relaxed);
	/* From a process that may have been out of its mind. */
	if (taken.nano < 0)
		taken.nano = 0;
	if (taken.nano == 0 && taken.tokens == 0)
		return;
	for (int i = 0; i < LIMIT_LEVELS; i++)
		if (terms.budget[i] != LIMIT_NONE)
			budget_correct(shm, (enum limit_level)i,
			    terms.budget[i], &terms.when, &taken, &used);
}

static bool
reclaim_one(struct shm *shm, uint32_t seat, uint32_t hold, int64_t *fee_nano)
{
	struct step step, none = { .kind = INTENT_FREE };
	struct call_record *r;
	uint64_t sequence;
	int64_t held, fee;

	sequence = step_read(shm, seat, hold, &step);
	if (step.kind != INTENT_RESERVE && step.kind != INTENT_EXTEND)
		return false;
	held = held_by(shm, seat, hold, sequence, &step);
	if (held < 0 || shm_account(shm, step.account) == NULL ||
	    (step.kind == INTENT_RESERVE && held != step.after)) {
		/* It never came about: nothing to end. */
		step_publish(shm, seat, hold, sequence + 1, &none);
		return false;
	}
	r = ring_next(shm, seat);
	if (r == NULL)
		return false;	/* until the ring was read; call again */
	fee = write_record(shm, seat, hold, held, r);
	correct_budgets(shm, shm_hold(shm, seat, hold), r);
	(void)step_settle(shm, seat, hold, sequence, step.account, held, fee);
	*fee_nano += fee;
	return true;
}

uint32_t
hold_reclaim(struct shm *shm, uint32_t seat, int64_t *fee_nano_r)
{
	struct step step;
	uint64_t sequence;
	int64_t fee_nano = 0;
	uint32_t i, n = 0;

	/* First the one settlement that may stand half done: its record is at
	 * the ring's head, where we would write. */
	for (i = 0; i < shm->sizes.holds_per_seat; i++) {
		sequence = step_read(shm, seat, i, &step);
		if (step.kind == INTENT_SETTLE) {
			step_settle_finish(shm, seat, i, sequence, &step);
			n++;
		}
	}
	for (i = 0; i < shm->sizes.holds_per_seat; i++)
		if (reclaim_one(shm, seat, i, &fee_nano))
			n++;
	if (fee_nano_r != NULL)
		*fee_nano_r = fee_nano;
	return n;
}

static int64_t
held_now(const struct shm *shm, uint32_t seat, uint32_t hold,
    uint32_t *account_r)
{
	struct step step;
	uint64_t sequence;

	sequence = step_read(shm, seat, hold, &step);
	*account_r = step.account;
	switch (step.kind) {
	case INTENT_NONE:
	case INTENT_FREE:
	case INTENT_GRANT:
		*account_r = UINT32_MAX;
		return 0;
	case INTENT_RESERVE:
	case INTENT_EXTEND:
	case INTENT_SETTLE:
		return held_by(shm, seat, hold, sequence, &step);
	}
	return 0;
}

void
hold_each_open(const struct shm *shm,
    bool (*each)(uint32_t account, int64_t held_nano, void *arg), void *arg)
{
	uint32_t seat, hold, whose;
	int64_t held;

	for (seat = 0; seat < shm->sizes.seats; seat++)
		for (hold = 0; hold < shm->sizes.holds_per_seat; hold++) {
			held = held_now(shm, seat, hold, &whose);
			if (whose != UINT32_MAX && !each(whose, held, arg))
				return;
		}
}

struct hold_total {
	uint32_t account;
	uint32_t open;
	int64_t held_nano;		/* of that account */
};

static bool
add_hold(uint32_t account, int64_t held_nano, void *arg)
{
	struct hold_total *total = arg;

	total->open++;
	if (account == total->account)
		total->held_nano += held_nano;
	return true;
}

int64_t
hold_sum(const struct shm *shm, uint32_t account)
{
	struct hold_total total = { .account = account };

	hold_each_open(shm, add_hold, &total);
	return total.held_nano;
}

uint32_t
hold_open_total(const struct shm *shm)
{
	struct hold_total total = { .account = UINT32_MAX };

	hold_each_open(shm, add_hold, &total);
	return total.open;
}

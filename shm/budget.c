/*
 * budget.c: see budget.h.  All orders are relaxed but where said: no two words
 * need to agree.
 */
#include "shm/budget.h"

#include <string.h>

#include "shm/layout.h"
#include "shm/limit_internal.h"
#include "shm/segment.h"
#include "shm/swap.h"

#define DAY_US (INT64_C(86400) * 1000000)

/* Months since 1970 of a day since 1970 (proleptic Gregorian; H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms"). */
static uint64_t
month_of(int64_t day)
{
	int64_t z = day + 719468, era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t year = yoe + era * 400 + (mp >= 10);
	int64_t month = mp < 10 ? mp + 2 : mp - 10;	/* from 0 */

	return (uint64_t)((year - 1970) * 12 + month);
}

struct budget_time
budget_time(int64_t wall_us)
{
	int64_t day = wall_us < 0 ? 0 : wall_us / DAY_US;

	return (struct budget_time){ { (uint64_t)day, month_of(day) } };
}

int64_t
budget_left_us(enum budget_period period, int64_t wall_us)
{
	int64_t day = wall_us / DAY_US, last = day;

	if (period == BUDGET_MONTH)
		while (month_of(last + 1) == month_of(day))
			last++;
	return (last + 1) * DAY_US - wall_us;
}

bool
budget_has_caps(const struct budget_caps *caps)
{
	return (caps->nano[BUDGET_DAY] | caps->nano[BUDGET_MONTH] |
	    caps->total_nano | (int64_t)caps->total_tokens) != 0;
}

static struct shm_budget *
budget_of(const struct shm *shm, enum limit_level level, uint32_t slot)
{
	const struct shm_limit *l = limit_line(shm, level, slot);
	uint32_t budget;

	if (l == NULL)
		return NULL;
	if (level == LIMIT_ADDRESS)
		return shm_address_budget(shm, slot);
	/* acquire: its words come with it */
	budget = atomic_load_explicit(&l->budget, memory_order_acquire);
	return budget == 0 ? NULL : shm_budget(shm, budget - 1);
}

bool
budget_is_counted(const struct shm *shm, enum limit_level level,
    uint32_t slot)
{
	const struct shm_limit *l = limit_line(shm, level, slot);

	/* acquire: with the mark comes what was used so far */
	return l != NULL && (level == LIMIT_ADDRESS || atomic_load_explicit(
	    &l->counted, memory_order_acquire) != 0);
}

/* The flusher is the only one who gives them. */
static struct shm_budget *
give(struct shm *shm, struct shm_limit *l)
{
	_Atomic uint32_t *used = &shm_header(shm)->budgets_used;
	uint32_t next = atomic_load_explicit(used, memory_order_relaxed);

	if (next >= shm->sizes.budgets)
		return NULL;
	/* In this order: one that a kill loses is nobody's. */
	atomic_store_explicit(used, next + 1, memory_order_relaxed);
	atomic_store_explicit(&l->budget, next + 1, memory_order_release);
	return shm_budget(shm, next);
}

bool
budget_begin(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct budget_time *when, const struct budget_use *use)
{
	struct shm_budget *b = budget_of(shm, level, slot);

	if (b == NULL && limit_line(shm, level, slot) != NULL)
		b = give(shm, limit_line(shm, level, slot));
	if (b == NULL)
		return false;
	for (int i = 0; i < BUDGET_PERIODS; i++) {
		atomic_store_explicit(&b->spent[i].nano, use->nano[i],
		    memory_order_relaxed);
		atomic_store_explicit(&b->spent[i].period, when->period[i],
		    memory_order_relaxed);
	}
	atomic_store_explicit(&b->total_nano, use->total.nano,
	    memory_order_relaxed);
	atomic_store_explicit(&b->total_tokens, use->total.tokens,
	    memory_order_relaxed);
	return true;
}

void
budget_set(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct budget_caps *caps)
{
	struct shm_budget *b = budget_of(shm, level, slot);

	if (b == NULL)
		return;
	for (int i = 0; i < BUDGET_PERIODS; i++)
		atomic_store_explicit(&b->cap_nano[i], caps->nano[i],
		    memory_order_relaxed);
	atomic_store_explicit(&b->cap_total_nano, caps->total_nano,
	    memory_order_relaxed);
	atomic_store_explicit(&b->cap_total_tokens, caps->total_tokens,
	    memory_order_relaxed);
	/* release: what was used so far and the caps come before it */
	atomic_store_explicit(&limit_line(shm, level, slot)->counted,
	    budget_has_caps(caps), memory_order_release);
}

struct budget_caps
budget_read(const struct shm *shm, enum limit_level level, uint32_t slot)
{
	struct budget_caps caps = { .total_nano = 0 };
	const struct shm_budget *b;

	if (!budget_is_counted(shm, level, slot) ||
	    (b = budget_of(shm, level, slot)) == NULL)
		return caps;
	for (int i = 0; i < BUDGET_PERIODS; i++)
		caps.nano[i] = (int64_t)shm_share(shm, (uint64_t)
		    atomic_load_explicit(&b->cap_nano[i],
		    memory_order_relaxed));
	caps.total_nano = (int64_t)shm_share(shm, (uint64_t)
	    atomic_load_explicit(&b->cap_total_nano, memory_order_relaxed));
	caps.total_tokens = shm_share(shm, atomic_load_explicit(
	    &b->cap_total_tokens, memory_order_relaxed));
	return caps;
}

/* What of a word counts for a period. */
static int64_t
spent_in(int64_t nano, uint64_t there, uint64_t period)
{
	return there == period ? nano : 0;
}

/* False: it would be above the cap. */
static bool
take_period(struct shm_spent *word, int64_t cap, uint64_t period, int64_t nano)
{
	for (;;) {
		/* Two loads that may not belong together: then the swap
		 * fails, and a refusal was right for one of them. */
		uint64_t there = atomic_load_explicit(&word->period,
		    memory_order_relaxed);
		int64_t spent = atomic_load_explicit(&word->nano,
		    memory_order_relaxed), after;

		/* It began in a period that is over: that needs no count. */
		if (there > period)
			return true;
		if (__builtin_add_overflow(spent_in(spent, there, period),
		    nano, &after) || (cap != 0 && after > cap))
			return false;
		if (swap_wide(word, (uint64_t)spent, there, (uint64_t)after,
		    period))
			return true;
	}
}

static void
add_period(struct shm_spent *word, uint64_t period, int64_t nano)
{
	for (;;) {
		uint64_t there = atomic_load_explicit(&word->period,
		    memory_order_relaxed);
		int64_t spent = atomic_load_explicit(&word->nano,
		    memory_order_relaxed), after;

		if (there != period)
			return;
		if (__builtin_add_overflow(spent, nano, &after))
			after = INT64_MAX;
		/* From a process that may have been out of its mind. */
		if (after < 0)
			after = 0;
		if (swap_wide(word, (uint64_t)spent, there, (uint64_t)after,
		    period))
			return;
	}
}

static bool
take_total(_Atomic int64_t *word, int64_t cap, int64_t nano)
{
	int64_t used = atomic_load_explicit(word, memory_order_relaxed), after;

	do {
		if (__builtin_add_overflow(used, nano, &after) ||
		    (cap != 0 && after > cap))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(word, &used, after,
	    memory_order_relaxed, memory_order_relaxed));
	return true;
}

static bool
take_tokens(_Atomic uint64_t *word, uint64_t cap, uint64_t tokens)
{
	uint64_t used = atomic_load_explicit(word, memory_order_relaxed);
	uint64_t after;

	do {
		if (__builtin_add_overflow(used, tokens, &after) ||
		    (cap != 0 && after > cap))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(word, &used, after,
	    memory_order_relaxed, memory_order_relaxed));
	return true;
}

static void
add_total(struct shm_budget *b, const struct budget_sum *taken,
    const struct budget_sum *used)
{
	int64_t nano = atomic_load_explicit(&b->total_nano,
	    memory_order_relaxed), after;
	uint64_t tokens = atomic_load_explicit(&b->total_tokens,
	    memory_order_relaxed), all;

	do {
		if (__builtin_add_overflow(nano, used->nano - taken->nano,
		    &after))
			after = INT64_MAX;
		if (after < 0)
			after = 0;
	} while (!atomic_compare_exchange_weak_explicit(&b->total_nano, &nano,
	    after, memory_order_relaxed, memory_order_relaxed));
	do {
		all = tokens + used->tokens < taken->tokens ? 0 :
		    tokens + used->tokens - taken->tokens;
	} while (!atomic_compare_exchange_weak_explicit(&b->total_tokens,
	    &tokens, all, memory_order_relaxed, memory_order_relaxed));
}

static enum budget_verdict
spent_verdict(int period)
{
	return period == BUDGET_DAY ? BUDGET_DAY_SPENT : BUDGET_MONTH_SPENT;
}

enum budget_verdict
budget_take(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct budget_caps *caps, const struct budget_time *when,
    const struct budget_sum *sum)
{
	struct shm_budget *b = budget_of(shm, level, slot);
	struct budget_sum nothing = { 0, 0 };
	enum budget_verdict verdict;
	int i;

	if (b == NULL)
		return BUDGET_PASSED;
	for (i = 0; i < BUDGET_PERIODS; i++)
		if (!take_period(&b->spent[i], caps->nano[i],
		    when->period[i], sum->nano)) {
			verdict = spent_verdict(i);
			goto back;
		}
	if (!take_total(&b->total_nano, caps->total_nano, sum->nano)) {
		verdict = BUDGET_TOTAL_SPENT;
		goto back;
	}
	if (take_tokens(&b->total_tokens, caps->total_tokens, sum->tokens))
		return BUDGET_PASSED;
	add_total(b, &(struct budget_sum){ sum->nano, 0 }, &nothing);
	verdict = BUDGET_TOKENS_USED;
back:
	while (i-- > 0)
		add_period(&b->spent[i], when->period[i], -sum->nano);
	return verdict;
}

struct budget_use
budget_used(const struct shm *shm, enum limit_level level, uint32_t slot,
    const struct budget_time *when)
{
	const struct shm_budget *b = budget_of(shm, level, slot);
	struct budget_use use;

	memset(&use, 0, sizeof(use));
	if (b == NULL || !budget_is_counted(shm, level, slot))
		return use;
	for (int i = 0; i < BUDGET_PERIODS; i++)
		use.nano[i] = spent_in(atomic_load_explicit(
		    &b->spent[i].nano, memory_order_relaxed),
		    atomic_load_explicit(&b->spent[i].period,
		    memory_order_relaxed), when->period[i]);
	use.total.nano = atomic_load_explicit(&b->total_nano,
	    memory_order_relaxed);
	use.total.tokens = atomic_load_explicit(&b->total_tokens,
	    memory_order_relaxed);
	return use;
}

enum budget_verdict
budget_glance(const struct shm *shm, enum limit_level level, uint32_t slot,
    const struct budget_caps *caps, const struct budget_time *when)
{
	struct budget_use use = budget_used(shm, level, slot, when);

	for (int i = 0; i < BUDGET_PERIODS; i++)
		if (caps->nano[i] != 0 && use.nano[i] >= caps->nano[i])
			return spent_verdict(i);
	if (caps->total_nano != 0 && use.total.nano >= caps->total_nano)
		return BUDGET_TOTAL_SPENT;
	if (caps->total_tokens != 0 &&
	    use.total.tokens >= caps->total_tokens)
		return BUDGET_TOKENS_USED;
	return BUDGET_PASSED;
}

void
budget_correct(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct budget_time *when, const struct budget_sum *taken,
    const struct budget_sum *used)
{
	struct shm_budget *b = budget_of(shm, level, slot);

	if (b == NULL)
		return;
	for (int i = 0; i < BUDGET_PERIODS; i++)
		add_period(&b->spent[i], when->period[i],
		    used->nano - taken->nano);
	add_total(b, taken, used);
}

bool
budget_idle(const struct shm *shm, enum limit_level level, uint32_t slot,
    const struct budget_time *when)
{
	struct budget_use use = budget_used(shm, level, slot, when);

	return use.nano[BUDGET_DAY] == 0;
}

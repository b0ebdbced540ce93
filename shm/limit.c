/*
 * limit.c: see limit.h.
 *
 * All orders are relaxed but where said: a word here says nothing about any
 * other memory, and no two of them need to agree.
 */
#include "shm/limit.h"

#include <string.h>

#include "base/address.h"
#include "shm/budget.h"
#include "shm/cell.h"
#include "shm/layout.h"
#include "shm/limit_internal.h"
#include "shm/segment.h"

#define MINUTE_NS INT64_C(60000000000)
/* A debt of tokens is remembered for so long at most. */
#define DEBT_MAX_NS (60 * MINUTE_NS)
/* Counting the holds is not done for every refusal. */
#define RECOUNT_NS INT64_C(20000000)
#define TRIES 64

struct shm_limit *
limit_line(const struct shm *shm, enum limit_level level, uint32_t slot)
{
	switch (level) {
	case LIMIT_KEY:
		return slot < shm->key_buckets ? &shm_limits(shm,
		    shm->key_limit_at)[slot] : NULL;
	case LIMIT_ACCOUNT:
		return slot < shm->sizes.accounts ? &shm_limits(shm,
		    shm->account_limit_at)[slot] : NULL;
	case LIMIT_GROUP:
		return slot < LIMIT_GROUPS ? &shm_limit_group(shm,
		    slot)->limit : NULL;
	case LIMIT_ADDRESS:
		return slot < LIMIT_ADDRESSES ? &shm_limit_address(shm,
		    slot)->limit : NULL;
	case LIMIT_CHANNEL:
		return slot < shm->sizes.channels ? &shm_limits(shm,
		    shm->channel_limit_at)[slot] : NULL;
	}
	return NULL;
}

void
limit_set(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct limit_rates *rates)
{
	struct shm_limit *l = limit_line(shm, level, slot);

	if (l == NULL)
		return;
	atomic_store_explicit(&l->requests, rates->requests,
	    memory_order_relaxed);
	atomic_store_explicit(&l->concurrent, rates->concurrent,
	    memory_order_relaxed);
	atomic_store_explicit(&l->tokens, rates->tokens,
	    memory_order_relaxed);
}

struct limit_rates
limit_read(const struct shm *shm, enum limit_level level, uint32_t slot)
{
	struct limit_rates rates = { 0, 0, 0 };
	struct shm_limit *l = limit_line(shm, level, slot);

	if (l == NULL)
		return rates;
	rates.requests = atomic_load_explicit(&l->requests,
	    memory_order_relaxed);
	rates.concurrent = atomic_load_explicit(&l->concurrent,
	    memory_order_relaxed);
	rates.tokens = atomic_load_explicit(&l->tokens, memory_order_relaxed);
	/* As a rule there are none, and then nodes are nobody's business. */
	if ((rates.requests | rates.concurrent | rates.tokens) == 0)
		return rates;
	rates.requests = (uint32_t)shm_share(shm, rates.requests);
	rates.concurrent = (uint32_t)shm_share(shm, rates.concurrent);
	rates.tokens = shm_share(shm, rates.tokens);
	return rates;
}

/* Groups are few, put once and never removed. */
static uint32_t
group_slot(const struct shm *shm, uint64_t group_id, bool *free_r)
{
	uint32_t i, slot;
	uint64_t there;

	for (i = 0; i < LIMIT_GROUPS; i++) {
		slot = (uint32_t)((group_id * UINT64_C(0x9e3779b97f4a7c15) >>
		    32) + i) % LIMIT_GROUPS;
		there = atomic_load_explicit(&shm_limit_group(shm,
		    slot)->group_id, memory_order_acquire);
		*free_r = there == 0;
		if (there == group_id || there == 0)
			return slot;
	}
	*free_r = false;
	return LIMIT_NONE;
}

uint32_t
limit_group(const struct shm *shm, uint64_t group_id)
{
	bool is_free;
	uint32_t slot = group_slot(shm, group_id, &is_free);

	return is_free ? LIMIT_NONE : slot;
}

uint32_t
limit_group_put(struct shm *shm, uint64_t group_id)
{
	bool is_free;
	uint32_t slot = group_slot(shm, group_id, &is_free);

	/* Nobody else puts any. */
	if (is_free)
		atomic_store_explicit(&shm_limit_group(shm, slot)->group_id,
		    group_id, memory_order_release);
	return slot;
}

/*
 * Addresses.
 */
/* How many bytes of an address are a customer's own. */
static size_t
address_bytes(const uint8_t address[16])
{
	return address_is_ipv4(address) ? 16 : 8;
}

/* Never 0; no network of IPv6's has this one bit and an IPv4 address. */
static uint64_t
address_id(const uint8_t address[16])
{
	uint64_t id = 0;
	size_t i, first = address_is_ipv4(address) ? 12 : 0;

	for (i = first; i < (first == 0 ? 8u : 16u); i++)
		id = id << 8 | address[i];
	return first != 0 || id == 0 ? id | UINT64_C(1) << 63 : id;
}

static bool
is_idle(const struct shm *shm, uint32_t slot, const struct budget_time *when,
    struct mono_time now)
{
	const struct shm_limit *l = &shm_limit_address(shm, slot)->limit;

	return budget_idle(shm, LIMIT_ADDRESS, slot, when) &&
	    atomic_load_explicit(&l->failures_due,
	    memory_order_relaxed) <= now.ns &&
	    atomic_load_explicit(&l->requests_due,
	    memory_order_relaxed) <= now.ns &&
	    atomic_load_explicit(&l->tokens_due,
	    memory_order_relaxed) <= now.ns &&
	    (uint32_t)atomic_load_explicit(&l->open,
	    memory_order_relaxed) == 0;
}

uint32_t
limit_address(struct shm *shm, const uint8_t address[16],
    const struct budget_time *when, struct mono_time now)
{
	uint64_t id = address_id(address), there;
	uint32_t first, i, slot;

	first = (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15) >> 32) %
	    (LIMIT_ADDRESSES / LIMIT_ADDRESS_WAYS)) * LIMIT_ADDRESS_WAYS;
	for (i = 0; i < LIMIT_ADDRESS_WAYS; i++)
		if (atomic_load_explicit(&shm_limit_address(shm, first +
		    i)->address, memory_order_relaxed) == id)
			return first + i;
	for (i = 0; i < LIMIT_ADDRESS_WAYS; i++) {
		slot = first + i;
		there = atomic_load_explicit(&shm_limit_address(shm,
		    slot)->address, memory_order_relaxed);
		if ((there == 0 || is_idle(shm, slot, when, now)) &&
		    (atomic_compare_exchange_strong_explicit(
		    &shm_limit_address(shm, slot)->address, &there, id,
		    memory_order_relaxed, memory_order_relaxed) ||
		    there == id))
			return slot;
	}
	return LIMIT_NONE;
}

/*
 * Rates.  What a request or n tokens take of a minute, in nanoseconds.
 */
static int64_t
request_ns(uint32_t per_minute)
{
	/* Up, so that a rate is never above its limit. */
	return (MINUTE_NS + per_minute - 1) / per_minute;
}

static int64_t
tokens_ns(uint64_t tokens, uint64_t per_minute)
{
	unsigned __int128 ns = (unsigned __int128)tokens * MINUTE_NS;

	ns = (ns + per_minute - 1) / per_minute;
	return ns > (unsigned __int128)DEBT_MAX_NS ? DEBT_MAX_NS : (int64_t)ns;
}

/* Exactly so many requests fit into it. */
static int64_t
requests_capacity(uint32_t per_minute)
{
	return request_ns(per_minute) * per_minute;
}

/* How far `due` would be past what may be; 0: it passes. */
static int64_t
excess(int64_t due, int64_t cost, int64_t capacity, int64_t now)
{
	int64_t after = due > now ? due : now;

	/* What is larger than all there can be passes when all is there. */
	if (cost > capacity)
		cost = capacity;
	after += cost;
	return after - now > capacity ? after - now - capacity : 0;
}

/* 0: taken; else how long to wait. */
static int64_t
take(_Atomic int64_t *word, int64_t cost, int64_t capacity, int64_t now)
{
	int64_t due = atomic_load_explicit(word, memory_order_relaxed);
	int64_t wait;

	for (int i = 0; i < TRIES; i++) {
		wait = excess(due, cost, capacity, now);
		if (wait > 0)
			return wait;
		if (atomic_compare_exchange_weak_explicit(word, &due,
		    (due > now ? due : now) + cost, memory_order_relaxed,
		    memory_order_relaxed))
			return 0;
	}
	/* So many others passed meanwhile that one more can wait. */
	return 1;
}

static struct limit_verdict
refuse(enum limit_kind kind, uint64_t limit, int64_t wait_ns)
{
	return (struct limit_verdict){ kind, limit, wait_ns };
}

struct limit_verdict
limit_take(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct limit_rates *rates, uint64_t tokens, struct mono_time now)
{
	struct shm_limit *l = limit_line(shm, level, slot);
	struct limit_verdict passed = { LIMIT_PASSED, 0, 0 };
	int64_t wait;

	if (l == NULL)
		return passed;
	if (rates->requests != 0 && (wait = take(&l->requests_due,
	    request_ns(rates->requests), requests_capacity(rates->requests),
	    now.ns)) != 0)
		return refuse(LIMIT_REQUESTS, rates->requests, wait);
	if (rates->tokens != 0 && (wait = take(&l->tokens_due,
	    tokens_ns(tokens, rates->tokens), MINUTE_NS, now.ns)) != 0) {
		if (rates->requests != 0)
			atomic_fetch_sub_explicit(&l->requests_due,
			    request_ns(rates->requests),
			    memory_order_relaxed);
		return refuse(LIMIT_TOKENS, rates->tokens, wait);
	}
	return passed;
}

struct limit_verdict
limit_fail(struct shm *shm, uint32_t slot, uint32_t per_minute,
    struct mono_time now)
{
	struct shm_limit *l = limit_line(shm, LIMIT_ADDRESS, slot);
	struct limit_verdict passed = { LIMIT_PASSED, 0, 0 };
	int64_t wait;

	if (l == NULL || per_minute == 0)
		return passed;
	wait = take(&l->failures_due, request_ns(per_minute),
	    requests_capacity(per_minute), now.ns);
	return wait == 0 ? passed : refuse(LIMIT_REQUESTS, per_minute, wait);
}

struct limit_verdict
limit_glance(const struct shm *shm, enum limit_level level, uint32_t slot,
    const struct limit_rates *rates, struct mono_time now)
{
	struct shm_limit *l = limit_line(shm, level, slot);
	struct limit_verdict passed = { LIMIT_PASSED, 0, 0 };
	int64_t wait = 0;

	if (l == NULL)
		return passed;
	if (rates->requests != 0)
		wait = excess(atomic_load_explicit(&l->requests_due,
		    memory_order_relaxed), request_ns(rates->requests),
		    requests_capacity(rates->requests), now.ns);
	if (wait > 0)
		return refuse(LIMIT_REQUESTS, rates->requests, wait);
	if (rates->tokens != 0)
		wait = excess(atomic_load_explicit(&l->tokens_due,
		    memory_order_relaxed), tokens_ns(1, rates->tokens),
		    MINUTE_NS, now.ns);
	if (wait > 0)
		return refuse(LIMIT_TOKENS, rates->tokens, wait);
	return passed;
}

void
limit_give_back(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct limit_rates *rates, uint64_t tokens)
{
	struct shm_limit *l = limit_line(shm, level, slot);

	if (l == NULL)
		return;
	if (rates->requests != 0)
		atomic_fetch_sub_explicit(&l->requests_due,
		    request_ns(rates->requests), memory_order_relaxed);
	if (rates->tokens != 0)
		atomic_fetch_sub_explicit(&l->tokens_due,
		    tokens_ns(tokens, rates->tokens), memory_order_relaxed);
}

void
limit_correct(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct limit_rates *rates, uint64_t taken, uint64_t used,
    struct mono_time now)
{
	struct shm_limit *l = limit_line(shm, level, slot);
	int64_t due, more;

	if (l == NULL || rates->tokens == 0 || taken == used)
		return;
	if (used < taken) {
		/* A word in the past is as good as one that says now. */
		atomic_fetch_sub_explicit(&l->tokens_due,
		    tokens_ns(taken, rates->tokens) -
		    tokens_ns(used, rates->tokens), memory_order_relaxed);
		return;
	}
	more = tokens_ns(used - taken, rates->tokens);
	due = atomic_load_explicit(&l->tokens_due, memory_order_relaxed);
	for (int i = 0; i < TRIES; i++) {
		int64_t after = (due > now.ns ? due : now.ns) + more;

		if (after - now.ns > DEBT_MAX_NS)
			after = now.ns + DEBT_MAX_NS;
		if (atomic_compare_exchange_weak_explicit(&l->tokens_due,
		    &due, after, memory_order_relaxed, memory_order_relaxed))
			return;
	}
}

static void
state_of(int64_t due, int64_t capacity, uint64_t limit, int64_t now,
    struct limit_state *state_r)
{
	int64_t used = due > now ? due - now : 0;

	state_r->limit = limit;
	state_r->reset_ns = used;
	state_r->remaining = used >= capacity ? 0 :
	    (uint64_t)((unsigned __int128)(uint64_t)(capacity - used) *
	    limit / (uint64_t)capacity);
}

void
limit_state(const struct shm *shm, enum limit_level level, uint32_t slot,
    const struct limit_rates *rates, struct mono_time now,
    struct limit_state *requests_r, struct limit_state *tokens_r)
{
	struct shm_limit *l = limit_line(shm, level, slot);

	memset(requests_r, 0, sizeof(*requests_r));
	memset(tokens_r, 0, sizeof(*tokens_r));
	if (l == NULL)
		return;
	if (rates->requests != 0)
		state_of(atomic_load_explicit(&l->requests_due,
		    memory_order_relaxed), requests_capacity(rates->requests),
		    rates->requests, now.ns, requests_r);
	if (rates->tokens != 0)
		state_of(atomic_load_explicit(&l->tokens_due,
		    memory_order_relaxed), MINUTE_NS, rates->tokens, now.ns,
		    tokens_r);
}

/*
 * Calls at once.
 */
static bool
is_of(const struct call_record *draft, enum limit_level level, uint64_t id,
    const uint8_t *address)
{
	switch (level) {
	case LIMIT_KEY:
		return draft->key_id == id;
	case LIMIT_ACCOUNT:
		return draft->account_id == id;
	case LIMIT_GROUP:
		return draft->group_id == id;
	case LIMIT_ADDRESS:
		return memcmp(draft->address, address,
		    address_bytes(address)) == 0;
	case LIMIT_CHANNEL:
		break;		/* channel.h counts these */
	}
	return false;
}

/* Those that have a hold, the asking call's own among them. */
static uint32_t
count_holds(const struct shm *shm, enum limit_level level, uint64_t id,
    const uint8_t *address)
{
	uint32_t seats = atomic_load_explicit(&shm_header(shm)->seats_used,
	    memory_order_relaxed);
	uint32_t seat, hold, n = 0;
	struct step step;

	if (seats > shm->sizes.seats)
		seats = shm->sizes.seats;
	for (seat = 0; seat < seats; seat++)
		for (hold = 0; hold < shm->sizes.holds_per_seat; hold++) {
			(void)step_read(shm, seat, hold, &step);
			if ((step.kind == INTENT_RESERVE ||
			    step.kind == INTENT_EXTEND) && is_of(&shm_hold(
			    shm, seat, hold)->draft, level, id, address))
				n++;
		}
	return n;
}

/* One of those who are refused may count, now and then. */
static bool
may_count(struct shm_limit *l, int64_t now)
{
	int64_t due = atomic_load_explicit(&l->recount_due,
	    memory_order_relaxed);

	return due <= now && atomic_compare_exchange_strong_explicit(
	    &l->recount_due, &due, now + RECOUNT_NS, memory_order_relaxed,
	    memory_order_relaxed);
}

/* The upper half counts changes, so that a recount can't overlook one. */
static uint32_t
calls_of(uint64_t word)
{
	return (uint32_t)word;
}

static bool
swap(struct shm_limit *l, uint64_t *word, uint32_t calls)
{
	/* seq_cst: a call's hold is there before it is counted, in the eyes
	 * of whoever sees the count. */
	return atomic_compare_exchange_strong_explicit(&l->open, word,
	    ((*word >> 32) + 1) << 32 | calls, memory_order_seq_cst,
	    memory_order_seq_cst);
}

bool
limit_enter(struct shm *shm, enum limit_level level, uint32_t slot,
    const struct limit_rates *rates, uint64_t id, const uint8_t address[16],
    struct mono_time now)
{
	struct shm_limit *l = limit_line(shm, level, slot);
	uint32_t there;
	uint64_t word;

	if (l == NULL)
		return true;
	word = atomic_load_explicit(&l->open, memory_order_seq_cst);
	while (rates->concurrent == 0 ||
	    calls_of(word) < rates->concurrent)
		if (swap(l, &word, calls_of(word) + 1))
			return true;
	if (!may_count(l, now.ns))
		return false;
	/* Holds come before the count and outlast it, so there are never fewer
	 * of them than calls that were let in.  Our own is among them. */
	there = count_holds(shm, level, id, address);
	return there <= rates->concurrent && swap(l, &word, there);
}

void
limit_leave(struct shm *shm, enum limit_level level, uint32_t slot)
{
	struct shm_limit *l = limit_line(shm, level, slot);
	uint64_t word;

	if (l == NULL)
		return;
	/* A recount may have left this call out already. */
	word = atomic_load_explicit(&l->open, memory_order_seq_cst);
	while (calls_of(word) > 0 && !swap(l, &word, calls_of(word) - 1))
		continue;
}

uint32_t
limit_open(const struct shm *shm, enum limit_level level, uint32_t slot)
{
	struct shm_limit *l = limit_line(shm, level, slot);

	return l == NULL ? 0 : calls_of(atomic_load_explicit(&l->open,
	    memory_order_relaxed));
}

/*
 * channel.c: taking part in a channel, and what became of it.
 *
 * Unless it is said otherwise, orders are relaxed: each word stands alone, and
 * one that is a moment old leads to one call more or less.
 */
#include "shm/channel.h"

#include <string.h>

#include "shm/catalogue.h"
#include "shm/layout.h"

#define NS_PER_MINUTE INT64_C(60000000000)
#define RATE_AT_ONCE 10		/* a part of a minute's */
#define RATE_TRIES 1000

/* The window's word: which one, calls in it, failures of them. */
#define WINDOW_BITS 20
#define WINDOW_MAX ((UINT64_C(1) << WINDOW_BITS) - 1)

static uint64_t
load64(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void
add64(_Atomic uint64_t *word)
{
	(void)atomic_fetch_add_explicit(word, 1, memory_order_relaxed);
}

/* Most of the time it is so already, and the line stays shared. */
static void
clear32(_Atomic uint32_t *word)
{
	if (atomic_load_explicit(word, memory_order_relaxed) != 0)
		atomic_store_explicit(word, 0, memory_order_relaxed);
}

static struct shm_credential *
credential_of(const struct shm *shm, const struct channel_credential_key *key)
{
	assert(key->credential < CHANNEL_CREDENTIALS);
	return &shm_channel(shm, key->slot)->credential[key->credential];
}

/* NULL: what stands there is about another one. */
static struct shm_credential *
current(const struct shm *shm, const struct channel_credential_key *key)
{
	struct shm_credential *c = credential_of(shm, key);

	return load64(&c->edition) == key->edition ? c : NULL;
}

bool
channel_passes(const struct shm *shm, uint32_t slot, int64_t now_ms)
{
	return breaker_passes(&shm_channel(shm, slot)->breaker, now_ms);
}

int64_t
channel_until_ms(const struct shm *shm, uint32_t slot)
{
	return breaker_read(&shm_channel(shm, slot)->breaker).until_ms;
}

bool
channel_credential_passes(const struct shm *shm,
    const struct channel_credential_key *key, int64_t now_ms,
    int64_t *until_ms_r, bool *refused_r)
{
	const struct shm_credential *c = current(shm, key);
	int64_t rest_until_ms;

	*until_ms_r = 0;
	*refused_r = false;
	if (c == NULL)
		return true;
	if (!breaker_passes(&c->breaker, now_ms)) {
		*until_ms_r = breaker_read(&c->breaker).until_ms;
		*refused_r = true;
		return false;
	}
	rest_until_ms = atomic_load_explicit(&c->rest_until_ms,
	    memory_order_relaxed);
	if (now_ms >= rest_until_ms)
		return true;
	*until_ms_r = rest_until_ms;
	return false;
}

static uint32_t
open_in(const struct shm *shm, uint32_t slot)
{
	uint32_t seats = atomic_load_explicit(&shm_header(shm)->seats_used,
	    memory_order_relaxed);
	uint32_t n = 0;

	if (seats > shm->sizes.seats)
		seats = shm->sizes.seats;
	/* seq_cst: see channel_take() */
	for (uint32_t seat = SEAT_FLUSHER + 1; seat < seats; seat++)
		n += atomic_load_explicit(&shm_open_row(shm, seat)[slot],
		    memory_order_seq_cst);
	return n;
}

uint32_t
channel_open(const struct shm *shm, uint32_t slot)
{
	assert(slot < shm->sizes.channels);
	return open_in(shm, slot);
}

/* How far ahead of the clock the rate's due time may be. */
static int64_t
rate_slack_ns(uint32_t per_minute)
{
	uint32_t at_once = per_minute / RATE_AT_ONCE;

	return at_once > 1 ?
	    (int64_t)(at_once - 1) * (NS_PER_MINUTE / per_minute) : 0;
}

int64_t
channel_rate_wait_ms(const struct shm *shm, uint32_t slot,
    uint32_t per_minute, struct mono_time now)
{
	int64_t wait_ns;

	if (per_minute == 0)
		return 0;
	wait_ns = atomic_load_explicit(&shm_channel(shm, slot)->rate_ns,
	    memory_order_relaxed) - rate_slack_ns(per_minute) - now.ns;
	return wait_ns > 0 ? (wait_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
}

/* The generic cell rate algorithm (ITU-T I.371) on the time at which the next
 * call is due. */
static bool
rate_take(struct shm_channel *ch, uint32_t per_minute, struct mono_time now)
{
	int64_t slack_ns = rate_slack_ns(per_minute);
	int64_t due_ns = atomic_load_explicit(&ch->rate_ns,
	    memory_order_relaxed);

	for (int i = 0; i < RATE_TRIES; i++) {
		int64_t from_ns = due_ns > now.ns ? due_ns : now.ns;

		if (due_ns - slack_ns > now.ns)
			return false;
		if (atomic_compare_exchange_weak_explicit(&ch->rate_ns,
		    &due_ns, from_ns + NS_PER_MINUTE / per_minute,
		    memory_order_relaxed, memory_order_relaxed))
			return true;
	}
	return false;
}

uint32_t
channel_share(const struct shm *shm, uint32_t limit)
{
	return (uint32_t)shm_share(shm, limit);
}

enum channel_take
channel_take(struct shm *shm, uint32_t seat, uint32_t slot,
    uint32_t concurrent, uint32_t per_minute, struct mono_time now)
{
	_Atomic uint32_t *own = &shm_open_row(shm, seat)[slot];

	/* Ours first, then the sum, both seq_cst: of two workers that do so at
	 * once one at least sees the other's, so never too many pass. */
	atomic_store_explicit(own, 1 + atomic_load_explicit(own,
	    memory_order_relaxed), memory_order_seq_cst);
	if (concurrent > 0 && open_in(shm, slot) > concurrent) {
		channel_leave(shm, seat, slot);
		return CHANNEL_CROWDED;
	}
	if (per_minute > 0 &&
	    !rate_take(shm_channel(shm, slot), per_minute, now)) {
		channel_leave(shm, seat, slot);
		return CHANNEL_HURRIED;
	}
	return CHANNEL_TAKEN;
}

void
channel_leave(struct shm *shm, uint32_t seat, uint32_t slot)
{
	_Atomic uint32_t *own = &shm_open_row(shm, seat)[slot];
	uint32_t n = atomic_load_explicit(own, memory_order_relaxed);

	assert(n > 0);
	atomic_store_explicit(own, n - 1, memory_order_seq_cst);
}

void
channel_forget_seat(struct shm *shm, uint32_t seat)
{
	_Atomic uint32_t *row = shm_open_row(shm, seat);

	for (uint32_t slot = 0; slot < shm->sizes.channels; slot++)
		clear32(&row[slot]);
}

enum breaker_entry
channel_enter(struct shm *shm, uint32_t slot, int64_t now_ms,
    uint32_t probe_ms, uint64_t *probe_r)
{
	return breaker_enter(&shm_channel(shm, slot)->breaker, now_ms,
	    probe_ms, probe_r);
}

enum breaker_entry
channel_credential_enter(struct shm *shm,
    const struct channel_credential_key *key, int64_t now_ms,
    uint32_t probe_ms, uint64_t *probe_r)
{
	struct shm_credential *c = current(shm, key);

	*probe_r = 0;
	return c == NULL ? BREAKER_PASS : breaker_enter(&c->breaker, now_ms,
	    probe_ms, probe_r);
}

/* Counts a call into the window; what it holds then. */
static void
window_add(_Atomic uint64_t *window, int64_t now_ms, bool failed,
    uint32_t *calls_r, uint32_t *failures_r)
{
	uint64_t epoch = (uint64_t)(now_ms / CHANNEL_WINDOW_MS) &
	    ((UINT64_C(1) << (64 - 2 * WINDOW_BITS)) - 1);
	uint64_t word = load64(window), next, calls, failures;

	do {
		calls = word >> WINDOW_BITS & WINDOW_MAX;
		failures = word & WINDOW_MAX;
		if (word >> (2 * WINDOW_BITS) != epoch)
			calls = failures = 0;
		if (calls < WINDOW_MAX)
			calls++;
		if (failed && failures < calls)
			failures++;
		next = epoch << (2 * WINDOW_BITS) | calls << WINDOW_BITS |
		    failures;
	} while (!atomic_compare_exchange_weak_explicit(window, &word, next,
	    memory_order_relaxed, memory_order_relaxed));
	*calls_r = (uint32_t)calls;
	*failures_r = (uint32_t)failures;
}

static uint32_t
bucket_of(int64_t ms)
{
	uint32_t i = 0;

	while (ms > channel_latency_bound_ms(i))
		i++;
	return i;
}

void
channel_answered(struct shm *shm, uint32_t slot, uint64_t probe,
    int64_t now_ms, int64_t first_byte_ms)
{
	struct shm_channel *ch = shm_channel(shm, slot);
	uint32_t calls, failures;

	window_add(&ch->window, now_ms, false, &calls, &failures);
	if (first_byte_ms >= 0)
		add64(&ch->latency[bucket_of(first_byte_ms)]);
	clear32(&ch->failures);
	(void)breaker_probe_succeeded(&ch->breaker, probe);
}

bool
channel_failed(struct shm *shm, uint32_t slot, uint64_t probe,
    int64_t now_ms, const struct channel_policy *policy,
    enum channel_fault fault, int status)
{
	struct shm_channel *ch = shm_channel(shm, slot);
	uint32_t row, calls, failures;
	bool opened;

	window_add(&ch->window, now_ms, true, &calls, &failures);
	row = 1 + atomic_fetch_add_explicit(&ch->failures, 1,
	    memory_order_relaxed);
	add64(&ch->faults);
	atomic_store_explicit(&ch->fault, (uint64_t)fault |
	    (uint64_t)status << 16, memory_order_relaxed);
	atomic_store_explicit(&ch->fault_us, clock_wall().us,
	    memory_order_relaxed);
	if (policy->failures == 0)
		return false;
	if (probe != 0)
		opened = breaker_probe_failed(&ch->breaker, probe, now_ms,
		    policy->open_ms);
	else if (row >= policy->failures || (calls >= CHANNEL_WINDOW_CALLS &&
	    (uint64_t)failures * 100 >= (uint64_t)calls * policy->percent))
		opened = breaker_trip(&ch->breaker, now_ms, policy->open_ms);
	else
		return false;
	if (opened)
		add64(&ch->opened);
	return opened;
}

void
channel_given_up(struct shm *shm, uint32_t slot, uint64_t probe,
    int64_t now_ms)
{
	breaker_probe_given_up(&shm_channel(shm, slot)->breaker, probe,
	    now_ms);
}

void
channel_credential_used(struct shm *shm,
    const struct channel_credential_key *key, uint64_t probe)
{
	struct shm_credential *c = current(shm, key);

	if (c == NULL)
		return;
	add64(&c->uses);
	clear32(&c->forbidden);
	(void)breaker_probe_succeeded(&c->breaker, probe);
}

bool
channel_credential_refused(struct shm *shm,
    const struct channel_credential_key *key, uint64_t probe, int64_t now_ms,
    const struct channel_policy *policy, int status)
{
	struct shm_credential *c = current(shm, key);

	if (c == NULL)
		return false;
	add64(&c->refusals);
	atomic_store_explicit(&c->status, (uint32_t)status,
	    memory_order_relaxed);
	if (probe != 0)
		return breaker_probe_failed(&c->breaker, probe, now_ms,
		    policy->refused_ms);
	if (status == 403 && 1 + atomic_fetch_add_explicit(&c->forbidden, 1,
	    memory_order_relaxed) < CHANNEL_FORBIDDEN_MAX)
		return false;
	return breaker_trip(&c->breaker, now_ms, policy->refused_ms);
}

void
channel_credential_rest(struct shm *shm,
    const struct channel_credential_key *key, int64_t until_ms, int status)
{
	struct shm_credential *c = current(shm, key);
	int64_t before;

	if (c == NULL)
		return;
	add64(&c->rests);
	atomic_store_explicit(&c->status, (uint32_t)status,
	    memory_order_relaxed);
	/* Upwards only: several answers may be on their way. */
	before = atomic_load_explicit(&c->rest_until_ms, memory_order_relaxed);
	while (until_ms > before && !atomic_compare_exchange_weak_explicit(
	    &c->rest_until_ms, &before, until_ms, memory_order_relaxed,
	    memory_order_relaxed))
		continue;
}

void
channel_credential_given_up(struct shm *shm,
    const struct channel_credential_key *key, uint64_t probe, int64_t now_ms)
{
	struct shm_credential *c = current(shm, key);

	if (c != NULL)
		breaker_probe_given_up(&c->breaker, probe, now_ms);
}

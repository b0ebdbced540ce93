/*
 * layout.h: what stands where in the segment.  Private to shm/.
 * Layer: shm.  Drawn in shm/LAYOUT; change SHM_LAYOUT_VERSION with it.
 * Written by: see each part's public header.
 */
#ifndef SHM_LAYOUT_H
#define SHM_LAYOUT_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "shm/budget.h"
#include "shm/catalogue.h"
#include "shm/channel.h"
#include "shm/hold.h"
#include "shm/limit.h"
#include "shm/record.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define SHM_LINE 64

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must be lock-free");

struct shm_header {
	_Atomic uint64_t magic;		/* stored last of all */
	uint32_t layout_version;
	uint32_t header_bytes;
	uint64_t layout_digest;		/* of every offset and size here */
	uint64_t total_bytes;
	uint64_t incarnation;
	uint8_t boot_id[40];		/* the kernel's, as text */
	struct shm_sizes sizes;
	uint32_t spare[5];

	/* what changes, a line for each writer */
	alignas(SHM_LINE) _Atomic uint32_t stops;
	_Atomic uint32_t seats_used;	/* no seat from here on ever was */
	alignas(SHM_LINE) _Atomic uint32_t accounts_used;
	_Atomic uint32_t keys_used;
	_Atomic uint32_t budgets_used;
	uint32_t spare3;
	_Atomic uint64_t catalogue_number;
	alignas(SHM_LINE) _Atomic uint64_t gauge[SHM_GAUGES];
};

struct shm_seat {
	/* the life cycle, seat.h */
	alignas(SHM_LINE) _Atomic uint64_t state;
	_Atomic uint64_t generation;
	_Atomic int64_t pid;
	_Atomic uint64_t pid_start;	/* clock ticks since boot, proc(5) */
	/* the ring's two ends, ring.h, on lines of their own */
	alignas(SHM_LINE) _Atomic uint64_t head;
	alignas(SHM_LINE) _Atomic uint64_t tail;
	alignas(SHM_LINE) _Atomic uint64_t counter[SEAT_COUNTERS];
};

/* The one word that money moves in: 16 bytes, swapped as a whole. */
struct shm_cell {
	alignas(16) _Atomic int64_t available;
	_Atomic uint64_t op;		/* who changed it last; PROTOCOL */
};

struct shm_account {
	alignas(SHM_LINE) struct shm_cell cell;
	_Atomic uint32_t policy;	/* 0: none */
	_Atomic uint32_t minimise;	/* RECORD_ADDRESS_…, …AGENT_NONE */
	alignas(SHM_LINE) _Atomic uint64_t account_id; /* 0: not in use yet */
	_Atomic uint64_t group_id;
	_Atomic int64_t granted;
	_Atomic uint32_t status;
	_Atomic uint32_t verdict;	/* refill.h, from here on */
	_Atomic uint64_t answers;
	_Atomic int64_t wanted;
	_Atomic int64_t elsewhere;
	_Atomic int64_t low;
};

#define KEY_EMPTY 0u
#define KEY_LIVE 1u

struct shm_key {
	alignas(SHM_LINE) uint8_t digest[KEY_DIGEST_BYTES];
	_Atomic uint64_t key_id;
	_Atomic int64_t expires_us;
	_Atomic uint32_t account;
	_Atomic uint32_t state;		/* KEY_EMPTY, KEY_LIVE */
	_Atomic uint32_t status;
	_Atomic uint32_t policy;	/* 0: none */
};

/* The kinds of intent; the low byte of shm_hold.word. */
enum intent_kind {
	INTENT_NONE = 0,	/* the hold was never used */
	INTENT_FREE = 1,
	INTENT_RESERVE = 2,
	INTENT_EXTEND = 3,
	INTENT_SETTLE = 4,
	INTENT_GRANT = 5
};

struct shm_intent {
	alignas(SHM_LINE) _Atomic int64_t delta; /* added to available */
	_Atomic int64_t before;		/* held, if this didn't happen */
	_Atomic int64_t after;		/* held, if it did */
	_Atomic int64_t granted;	/* INTENT_GRANT: cumulative, after it */
	_Atomic uint64_t position;	/* INTENT_SETTLE: of the record */
	_Atomic uint32_t account;
	uint32_t spare;
};

struct shm_hold {
	/* the owner's */
	alignas(SHM_LINE) _Atomic uint64_t word; /* sequence << 8 | kind */
	_Atomic uint64_t progress_sequence;
	_Atomic int64_t spending_nano;	/* taken of the budgets */
	_Atomic uint64_t spending_tokens;
	/* everybody's: the highest sequence known to have been applied */
	alignas(SHM_LINE) _Atomic uint64_t done;
	struct shm_intent intent[2];	/* by sequence & 1 */
	alignas(SHM_LINE) struct hold_progress progress[2];
	alignas(SHM_LINE) struct hold_terms terms;
	alignas(SHM_LINE) struct call_record draft;
};

/* One credential of a channel; shm/channel.h.  All words stand alone. */
struct shm_credential {
	alignas(SHM_LINE) _Atomic uint64_t edition;
	_Atomic uint64_t breaker;	/* refusals */
	_Atomic int64_t rest_until_ms;
	_Atomic uint64_t uses;
	_Atomic uint64_t refusals;
	_Atomic uint64_t rests;
	_Atomic uint32_t status;
	_Atomic uint32_t forbidden;	/* 403s in a row */
	uint64_t spare;
};

struct shm_channel {
	/* read on every choice, changed when something goes wrong */
	alignas(SHM_LINE) _Atomic uint64_t breaker;
	_Atomic uint64_t channel_id;
	_Atomic uint64_t fault;		/* kind | status << 16 */
	_Atomic int64_t fault_us;
	_Atomic uint64_t faults;
	_Atomic uint64_t opened;
	_Atomic uint32_t failures;	/* in a row */
	_Atomic uint32_t resets;
	uint64_t spare;
	/* changed by every call */
	alignas(SHM_LINE) _Atomic uint64_t window; /* epoch, calls, failures */
	_Atomic int64_t rate_ns;	/* when the next call is due */
	_Atomic uint64_t latency[CHANNEL_LATENCIES];
	uint64_t spare2[2];
	struct shm_credential credential[CHANNEL_CREDENTIALS];
};

/* Answers that upstreams keep: sets of WAYS entries, by the digest. */
#define SHM_ANSWERS (UINT32_C(1) << 16)
#define SHM_ANSWER_WAYS 8

struct shm_answer {
	alignas(SHM_LINE) _Atomic uint64_t word; /* generation << 8 | state */
	_Atomic uint64_t digest[2];
	_Atomic uint64_t account_id;
	_Atomic uint64_t channel_id;
	_Atomic uint64_t model_id;
	_Atomic int64_t made_us;
	_Atomic uint32_t context_tokens;
	_Atomic uint32_t held_tokens;
};

/* What may be used and is used; limit.h.  All words stand alone. */
struct shm_limit {
	alignas(SHM_LINE) _Atomic int64_t requests_due;	/* monotonic, ns */
	_Atomic int64_t tokens_due;
	_Atomic uint64_t open;		/* changes << 32 | calls */
	_Atomic int64_t recount_due;
	_Atomic uint64_t tokens;	/* limits, from here on; 0: none */
	_Atomic uint32_t requests;
	_Atomic uint32_t concurrent;
	_Atomic uint32_t counted;	/* there are caps; budget.h */
	_Atomic uint32_t budget;	/* its index + 1; 0: never had one */
	_Atomic int64_t failures_due;	/* of addresses; as requests_due */
};

/* What was spent in a period; swapped as a whole. */
struct shm_spent {
	alignas(16) _Atomic int64_t nano;
	_Atomic uint64_t period;
};

/* What calls may cost and have cost; budget.h. */
struct shm_budget {
	alignas(SHM_LINE) struct shm_spent spent[BUDGET_PERIODS];
	_Atomic int64_t total_nano;
	_Atomic uint64_t total_tokens;
	uint64_t spare[2];
	alignas(SHM_LINE) _Atomic int64_t cap_nano[BUDGET_PERIODS];
	_Atomic int64_t cap_total_nano;	/* 0: none, like the others */
	_Atomic uint64_t cap_total_tokens;
	uint64_t spare2[4];
};

struct shm_limit_group {
	alignas(SHM_LINE) _Atomic uint64_t group_id;	/* 0: free */
	struct shm_limit limit;
};

struct shm_limit_address {
	alignas(SHM_LINE) _Atomic uint64_t address;	/* 0: free */
	struct shm_limit limit;
};

struct shm_bank {
	uint64_t number;
	uint64_t bytes;			/* all told */
	uint64_t screen_edition;
	uint32_t count[CATALOGUE_ARRAYS];
	/* then the arrays, each aligned to 64 */
};

static_assert(sizeof(struct shm_cell) == 16, "a cell is one wide word");
static_assert(sizeof(struct shm_account) == 2 * SHM_LINE, "account");
static_assert(sizeof(struct shm_key) == SHM_LINE, "key");
static_assert(sizeof(struct shm_intent) == SHM_LINE, "intent");
static_assert(sizeof(struct shm_answer) == SHM_LINE, "answer");
static_assert(sizeof(struct shm_limit) == SHM_LINE, "limit");
static_assert(sizeof(struct shm_spent) == 16, "spent is one wide word");
static_assert(sizeof(struct shm_budget) == 2 * SHM_LINE, "budget");
static_assert(sizeof(struct shm_limit_group) == 2 * SHM_LINE, "group");
static_assert(sizeof(struct shm_limit_address) == 2 * SHM_LINE, "address");
static_assert(sizeof(struct shm_seat) % SHM_LINE == 0, "seat");
static_assert(sizeof(struct shm_hold) % SHM_LINE == 0, "hold");
static_assert(sizeof(struct shm_credential) == SHM_LINE, "credential");
static_assert(sizeof(struct shm_channel) == (4 + CHANNEL_CREDENTIALS) *
    SHM_LINE, "channel");

/*
 * An attached segment.  Every offset and bound is computed from the private
 * copy of the sizes; what the segment says later on is not believed.
 */
struct shm {
	uint8_t *base;
	uint64_t bytes;
	int fd;
	bool readonly;
	struct shm_sizes sizes;
	uint64_t incarnation;
	uint32_t key_buckets;		/* a power of two */
	uint64_t seat_at, account_at, asked_at, key_at, hold_at, ring_at;
	uint64_t answer_at, bank_at, channel_at, open_at;
	uint64_t key_limit_at, account_limit_at, group_limit_at;
	uint64_t address_limit_at, channel_limit_at;
	uint64_t budget_at, address_budget_at;
	uint32_t open_stride;		/* entries of one seat's row */
};

static inline struct shm_header *
shm_header(const struct shm *shm)
{
	return (struct shm_header *)(void *)shm->base;
}

static inline struct shm_seat *
shm_seat(const struct shm *shm, uint32_t seat)
{
	assert(seat < shm->sizes.seats);
	return (struct shm_seat *)(void *)(shm->base + shm->seat_at) + seat;
}

/* NULL for an index that is none: it may come from another process. */
static inline struct shm_account *
shm_account(const struct shm *shm, uint32_t account)
{
	if (account >= shm->sizes.accounts)
		return NULL;
	return (struct shm_account *)(void *)(shm->base + shm->account_at) +
	    account;
}

/* A bit for each account, 64 in a word. */
static inline _Atomic uint64_t *
shm_asked(const struct shm *shm, uint32_t word)
{
	assert(word <= (shm->sizes.accounts - 1) / 64);
	return (_Atomic uint64_t *)(void *)(shm->base + shm->asked_at) + word;
}

static inline struct shm_key *
shm_key(const struct shm *shm, uint32_t bucket)
{
	return (struct shm_key *)(void *)(shm->base + shm->key_at) + bucket;
}

static inline struct shm_hold *
shm_hold(const struct shm *shm, uint32_t seat, uint32_t hold)
{
	assert(seat < shm->sizes.seats && hold < shm->sizes.holds_per_seat);
	return (struct shm_hold *)(void *)(shm->base + shm->hold_at) +
	    (uint64_t)seat * shm->sizes.holds_per_seat + hold;
}

static inline struct call_record *
shm_record(const struct shm *shm, uint32_t seat, uint64_t position)
{
	assert(seat < shm->sizes.seats);
	return (struct call_record *)(void *)(shm->base + shm->ring_at) +
	    (uint64_t)seat * shm->sizes.ring_records +
	    (position & (shm->sizes.ring_records - 1));
}

static inline struct shm_channel *
shm_channel(const struct shm *shm, uint32_t slot)
{
	assert(slot < shm->sizes.channels);
	return (struct shm_channel *)(void *)(shm->base + shm->channel_at) +
	    slot;
}

/* A seat's own count of its calls that are open in each channel. */
static inline _Atomic uint32_t *
shm_open_row(const struct shm *shm, uint32_t seat)
{
	assert(seat < shm->sizes.seats);
	return (_Atomic uint32_t *)(void *)(shm->base + shm->open_at) +
	    (uint64_t)seat * shm->open_stride;
}

static inline struct shm_answer *
shm_answer(const struct shm *shm, uint32_t slot)
{
	assert(slot < SHM_ANSWERS);
	return (struct shm_answer *)(void *)(shm->base + shm->answer_at) +
	    slot;
}

static inline struct shm_limit *
shm_limits(const struct shm *shm, uint64_t at)
{
	return (struct shm_limit *)(void *)(shm->base + at);
}

/* NULL for an index that is none: it may come from another process. */
static inline struct shm_budget *
shm_budget(const struct shm *shm, uint32_t index)
{
	if (index >= shm->sizes.budgets)
		return NULL;
	return (struct shm_budget *)(void *)(shm->base + shm->budget_at) +
	    index;
}

static inline struct shm_budget *
shm_address_budget(const struct shm *shm, uint32_t slot)
{
	assert(slot < LIMIT_ADDRESSES);
	return (struct shm_budget *)(void *)(shm->base +
	    shm->address_budget_at) + slot;
}

static inline struct shm_limit_group *
shm_limit_group(const struct shm *shm, uint32_t slot)
{
	assert(slot < LIMIT_GROUPS);
	return (struct shm_limit_group *)(void *)(shm->base +
	    shm->group_limit_at) + slot;
}

static inline struct shm_limit_address *
shm_limit_address(const struct shm *shm, uint32_t slot)
{
	assert(slot < LIMIT_ADDRESSES);
	return (struct shm_limit_address *)(void *)(shm->base +
	    shm->address_limit_at) + slot;
}

static inline struct shm_bank *
shm_bank(const struct shm *shm, uint64_t number)
{
	return (struct shm_bank *)(void *)(shm->base + shm->bank_at +
	    (number & 1) * shm->sizes.catalogue_bytes);
}

#endif

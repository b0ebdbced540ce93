/*
 * limit.h: how much of the gateway a key, a customer, a group or an address may
 * use: requests and tokens a minute, and calls at once.
 * Layer: shm.  The protocol and its argument are in shm/PROTOCOL.
 * Written by: limits by the flusher; use by workers, each word by itself, by
 * compare-and-swap.
 *
 * Rates are kept by the generic cell rate algorithm (ITU-T I.371, the virtual
 * scheduling form): one word a rate, the time at which what was used so far is
 * due.  A minute's worth may come at once and grows back evenly.
 *
 * Calls at once are counted in a word that is only believed while it says that
 * there is room.  When it says there is none, the holds are counted, which a
 * killed worker's are among until they are reclaimed and no longer: its calls
 * free themselves.
 *
 * A limit is a customer's as a whole; where several nodes are up, each has its
 * part (shm_share()).
 */
#ifndef SHM_LIMIT_H
#define SHM_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct budget_time;
struct shm;

enum limit_level {
	LIMIT_KEY,		/* slot: key_view.slot */
	LIMIT_ACCOUNT,		/* slot: the account's */
	LIMIT_GROUP,		/* slot: limit_group() */
	LIMIT_ADDRESS,		/* slot: limit_address() */
	LIMIT_CHANNEL		/* slot: the channel's; of an attempt */
};
#define LIMIT_LEVELS 5
#define LIMIT_NONE UINT32_MAX	/* no slot: no limits */

#define LIMIT_GROUPS 4096
#define LIMIT_ADDRESSES (UINT32_C(1) << 15)
#define LIMIT_ADDRESS_WAYS 8

#define LIMIT_REQUESTS_MAX UINT32_C(10000000)
#define LIMIT_TOKENS_MAX UINT64_C(1000000000000)
#define LIMIT_CONCURRENT_MAX UINT32_C(1000000)

/* 0: no limit of that kind. */
struct limit_rates {
	uint32_t requests;	/* a minute */
	uint32_t concurrent;
	uint64_t tokens;	/* a minute */
};

/*
 * Flusher.  limit_group() finds a group's slot, or takes one; LIMIT_NONE: all
 * are taken.
 */
void	limit_set(struct shm *shm, enum limit_level level, uint32_t slot,
	    const struct limit_rates *rates);
uint32_t limit_group_put(struct shm *shm, uint64_t group_id);

/* Worker.  LIMIT_NONE: the group has no limits. */
uint32_t limit_group(const struct shm *shm, uint64_t group_id);

/*
 * Worker: an address's slot (IPv6 addresses of one /64 are one).  Another's
 * place is taken only when that has nothing left to forget; LIMIT_NONE when
 * there is none like that, so that nobody is locked out for lack of room.
 */
uint32_t limit_address(struct shm *shm, const uint8_t address[16],
	    const struct budget_time *when, struct mono_time now);

/* This node's part of the limits of a slot; none: all zero. */
struct limit_rates limit_read(const struct shm *shm, enum limit_level level,
	    uint32_t slot);

enum limit_kind {
	LIMIT_PASSED,
	LIMIT_REQUESTS,
	LIMIT_TOKENS,
	LIMIT_CONCURRENT
};

/* What was found at one slot, or at the one of several that is tightest. */
struct limit_state {
	uint64_t limit;		/* 0: no limit of this kind */
	uint64_t remaining;
	int64_t reset_ns;	/* until all of it is there again */
};

struct limit_verdict {
	enum limit_kind kind;	/* LIMIT_PASSED, or what there is too much of */
	uint64_t limit;		/* then: which limit it is */
	int64_t wait_ns;	/* then: when it would pass */
};

/*
 * Worker.  Takes one request and so many tokens off a slot's rates, or nothing
 * at all.  More tokens than a minute has pass when nothing was used lately, and
 * are owed afterwards.
 */
struct limit_verdict limit_take(struct shm *shm, enum limit_level level,
	    uint32_t slot, const struct limit_rates *rates, uint64_t tokens,
	    struct mono_time now);
/* Would one request and a token pass?  Nothing changes. */
struct limit_verdict limit_glance(const struct shm *shm,
	    enum limit_level level, uint32_t slot,
	    const struct limit_rates *rates, struct mono_time now);
/*
 * Worker: one more call without a key that is known here, from an address; so
 * many may fail in a minute.  What is refused is told apart from the address's
 * other calls, which go on: nobody is locked out by his neighbours.
 */
struct limit_verdict limit_fail(struct shm *shm, uint32_t address_slot,
	    uint32_t per_minute, struct mono_time now);
/* It was not to be: gives both back. */
void	limit_give_back(struct shm *shm, enum limit_level level, uint32_t slot,
	    const struct limit_rates *rates, uint64_t tokens);
/* It came to other tokens than were taken. */
void	limit_correct(struct shm *shm, enum limit_level level, uint32_t slot,
	    const struct limit_rates *rates, uint64_t taken, uint64_t used,
	    struct mono_time now);
void	limit_state(const struct shm *shm, enum limit_level level,
	    uint32_t slot, const struct limit_rates *rates,
	    struct mono_time now, struct limit_state *requests_r,
	    struct limit_state *tokens_r);

/*
 * Worker.  Counts a call in that has its hold already, whose draft names the
 * same key, account, group and address; false: there are as many as may be.
 * Never above the limit in all workers together.  limit_leave() goes before
 * the hold's end.
 */
bool	limit_enter(struct shm *shm, enum limit_level level, uint32_t slot,
	    const struct limit_rates *rates, uint64_t id,
	    const uint8_t address[16], struct mono_time now)
	    __attribute__((warn_unused_result));
void	limit_leave(struct shm *shm, enum limit_level level, uint32_t slot);
/* For people: calls counted in now. */
uint32_t limit_open(const struct shm *shm, enum limit_level level,
	    uint32_t slot);

#endif

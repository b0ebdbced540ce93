/*
 * budget.h: what the calls of a key, a customer, a group, an address or a
 * channel may cost: a day, a month and in all.
 * Layer: shm.  The argument is in shm/PROTOCOL.
 * Written by: caps by the flusher; what is used by workers, after a worker's
 * death by the reclaimer, each word by compare-and-swap.
 *
 * A call takes what it holds before it holds it, and corrects that to its fee
 * at its end; so what was used, calls that go on included, is never above the
 * cap in all workers together.  It belongs to the day and the month in which
 * it began, however long it lasts; a stream that goes on when that day is over
 * is held to no day's cap from then on, and likewise the month's.  Days and
 * months are UTC's.  Tokens are estimated while a call goes on, so the last may
 * pass their cap.
 *
 * A cap is a customer's as a whole; where several nodes are up, each has its
 * part (shm_share()).  Amounts are nano-units.
 *
 * Few have caps: a slot gets one of the segment's budgets with its first, and
 * keeps it.  Each address has a budget of its own; its caps are the setting's.
 */
#ifndef SHM_BUDGET_H
#define SHM_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/limit.h"

struct shm;

enum budget_period {
	BUDGET_DAY,
	BUDGET_MONTH
};
#define BUDGET_PERIODS 2

/* 0: no cap of that kind. */
struct budget_caps {
	int64_t nano[BUDGET_PERIODS];
	int64_t total_nano;
	uint64_t total_tokens;
};

/* Days and months since 1970. */
struct budget_time {
	uint64_t period[BUDGET_PERIODS];
};
struct budget_time budget_time(int64_t wall_us);
/* How long the period that holds wall_us goes on, in microseconds. */
int64_t	budget_left_us(enum budget_period period, int64_t wall_us);

struct budget_sum {
	int64_t nano;
	uint64_t tokens;
};

struct budget_use {
	int64_t nano[BUDGET_PERIODS];	/* in these periods */
	struct budget_sum total;
};

bool	budget_has_caps(const struct budget_caps *caps);

/*
 * Flusher.  Use is counted where there is a cap only.  budget_is_counted()
 * tells whether it is already; if not, budget_begin() says what it was so far,
 * before budget_set() makes it count.  No caps: not any more.
 */
bool	budget_is_counted(const struct shm *shm, enum limit_level level,
	    uint32_t slot);
/* False: all the segment's budgets are taken. */
bool	budget_begin(struct shm *shm, enum limit_level level, uint32_t slot,
	    const struct budget_time *when, const struct budget_use *use)
	    __attribute__((warn_unused_result));
void	budget_set(struct shm *shm, enum limit_level level, uint32_t slot,
	    const struct budget_caps *caps);

/* This node's part of a slot's caps; none: all zero. */
struct budget_caps budget_read(const struct shm *shm, enum limit_level level,
	    uint32_t slot);

enum budget_verdict {
	BUDGET_PASSED,
	BUDGET_DAY_SPENT,
	BUDGET_MONTH_SPENT,
	BUDGET_TOTAL_SPENT,
	BUDGET_TOKENS_USED
};

/* Worker: takes that much, or nothing at all. */
enum budget_verdict budget_take(struct shm *shm, enum limit_level level,
	    uint32_t slot, const struct budget_caps *caps,
	    const struct budget_time *when, const struct budget_sum *sum);
/* Is all of a cap used?  Nothing changes. */
enum budget_verdict budget_glance(const struct shm *shm,
	    enum limit_level level, uint32_t slot,
	    const struct budget_caps *caps, const struct budget_time *when);
/* Of what was taken then, so much was used.  `used` may have more tokens. */
void	budget_correct(struct shm *shm, enum limit_level level, uint32_t slot,
	    const struct budget_time *when, const struct budget_sum *taken,
	    const struct budget_sum *used);

/* For people and tests: what is used now, open calls included. */
struct budget_use budget_used(const struct shm *shm, enum limit_level level,
	    uint32_t slot, const struct budget_time *when);
/* Has anything been used in the day that holds `when`? */
bool	budget_idle(const struct shm *shm, enum limit_level level,
	    uint32_t slot, const struct budget_time *when);

#endif

/*
 * hold.h: money: reserve, extend, settle, void; each decidable after a crash.
 * Layer: shm.  The protocol and its argument are in shm/PROTOCOL.
 * Written by: a hold by its seat's worker, after that worker's death by the
 * reclaimer (the flusher); an account's balance by everybody, by one 16-byte
 * compare-and-swap.
 *
 * Amounts are nano-units.  An account's available amount is what this node may
 * spend; it is never below zero.
 */
#ifndef SHM_HOLD_H
#define SHM_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fee.h"
#include "shm/budget.h"
#include "shm/record.h"

struct shm;

/* Index of a hold among its seat's. */
#define HOLD_NONE UINT32_MAX

enum hold_result {
	HOLD_OK,
	HOLD_SHORT,	/* the account has less than that: nothing changed */
	HOLD_BUSY,	/* no free hold, or no room for its record */
	HOLD_CONTENDED	/* gave up after very many tries: nothing changed */
};

/* A worker's private book of its seat's free holds.  Not shared. */
struct hold_book;
struct hold_book *hold_book_open(struct shm *shm, uint32_t seat);
void	hold_book_close(struct hold_book **book);
uint32_t hold_book_open_count(const struct hold_book *book);

/* What a call is billed by, kept with its hold so that it can be settled
 * without its worker. */
struct hold_terms {
	struct price price;
	uint32_t multiplier_ppm;
	/* Whose budgets its money was taken of; LIMIT_NONE: there is none. */
	uint32_t budget[LIMIT_LEVELS];
	struct budget_time when;
	struct budget_sum spending;	/* taken already */
};

/*
 * Takes `nano` from the account.  `draft` holds what is known of the call by
 * now (copied); `terms` likewise.  On HOLD_OK *hold_r is the hold, which must
 * be ended by hold_settle().  Never blocks.
 */
enum hold_result hold_reserve(struct hold_book *book, uint32_t account,
	    int64_t nano, const struct call_record *draft,
	    const struct hold_terms *terms, uint32_t *hold_r)
	    __attribute__((warn_unused_result));

/* Takes `nano` more. */
enum hold_result hold_extend(struct hold_book *book, uint32_t hold,
	    int64_t nano) __attribute__((warn_unused_result));

int64_t	hold_held(const struct hold_book *book, uint32_t hold);

/* So much is now taken of the budgets that the terms name; for the reclaimer,
 * who gives back what the call did not use.  Told after taking and before
 * correcting, so that a kill in between leaves a budget too small at most. */
void	hold_spending(struct hold_book *book, uint32_t hold,
	    const struct budget_sum *spending);
/* The same, of other budgets from now on. */
void	hold_retell(struct hold_book *book, uint32_t hold,
	    const struct hold_terms *terms);

/*
 * How far the call has come, for the reclaimer.  Cheap; call it as usage or
 * delivery changes.  billable: from now on something reached the client, so
 * that a crash charges `usage` (else a crash frees everything).
 */
struct hold_progress {
	struct usage usage;		/* as seen, or as estimated so far */
	uint64_t channel_id;
	uint64_t answer_bytes;
	uint64_t credential_id;
	uint16_t status;
	uint16_t upstream_status;
	uint32_t flags;			/* RECORD_… */
	uint16_t attempts;
	bool billable;
};
void	hold_progress(struct hold_book *book, uint32_t hold,
	    const struct hold_progress *progress);

/*
 * Ends the hold: charges fee_nano (0 ≤ fee ≤ held; 0 voids), gives the rest
 * back, and publishes `record`, exactly once.  Cannot fail: room for the
 * record was kept when the hold was made.  fee_nano, held_nano are set in the
 * record here.
 */
void	hold_settle(struct hold_book *book, uint32_t hold, int64_t fee_nano,
	    const struct call_record *record);

/*
 * A record of a call that never held anything.  False when the ring has no
 * room beyond what open holds are owed: the record is dropped (nothing was
 * charged).
 */
bool	hold_publish_refusal(struct hold_book *book,
	    const struct call_record *record);

/*
 * Flusher, seat 0: brings what was ever granted to this node for an account
 * to granted_nano.  Idempotent.  HOLD_SHORT: it is a reduction and the
 * difference isn't available now; nothing changed, try again later.
 */
enum hold_result hold_grant(struct shm *shm, uint32_t account,
	    int64_t granted_nano) __attribute__((warn_unused_result));
/* Flusher, at its start: finishes a grant that its predecessor began. */
void	hold_grant_recover(struct shm *shm);

/*
 * Flusher: settles every hold that a DEAD seat left, each exactly once, from
 * the last progress or by voiding, and publishes the records in that seat's
 * ring.  May be killed and run again at any point.  Returns how many holds it
 * ended; *fee_nano_r, if not NULL, what was charged for them.
 */
uint32_t hold_reclaim(struct shm *shm, uint32_t seat, int64_t *fee_nano_r);

/*
 * The fee for a usage under terms, cut to what is held: *fee_r is charged,
 * *uncollected_r is the rest.  What workers and the reclaimer both do.  A
 * usage that can't be priced costs what is held.  Returns RECORD_UNPRICED if
 * the record is to be marked, or 0.
 */
uint32_t hold_price(const struct usage *usage, const struct hold_terms *terms,
	    int64_t held_nano, int64_t *fee_r, int64_t *uncollected_r);
/* The same, where usage.other has a price row of its own. */
uint32_t hold_price_with(const struct usage *usage,
	    const struct hold_terms *terms, const struct price *other,
	    int64_t held_nano, int64_t *fee_r, int64_t *uncollected_r);

/* For people who watch: each open hold, a glance at a time.  account is a slot
 * that nobody has checked.  each() returns false to stop. */
void	hold_each_open(const struct shm *shm,
	    bool (*each)(uint32_t account, int64_t held_nano, void *arg),
	    void *arg);
/* For tests and status: sums over one account's open holds. */
int64_t	hold_sum(const struct shm *shm, uint32_t account);
uint32_t hold_open_total(const struct shm *shm);

#endif

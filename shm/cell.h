/*
 * cell.h: the one place where money moves.  Private to shm/.
 * Layer: shm.
 * Written by: everybody, by a 16-byte compare-and-swap.
 */
#ifndef SHM_CELL_H
#define SHM_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

/* Tries before a step that may be given up is given up. */
#define CELL_TRIES 100000u

enum cell_result {
	CELL_APPLIED,
	CELL_SHORT,
	CELL_CONTENDED
};

/* The identity of one step: which hold, and its how-manieth. */
#define OP_SEQUENCE_BITS 40
#define OP_SEQUENCE_MASK ((UINT64_C(1) << OP_SEQUENCE_BITS) - 1)
/* A hold that has come so far begins no call any more: an op must never come
 * back, and what is left is more steps than a call takes. */
#define OP_SEQUENCE_LAST (OP_SEQUENCE_MASK - (UINT64_C(1) << 32))

static inline uint64_t
op_make(const struct shm *shm, uint32_t seat, uint32_t hold, uint64_t sequence)
{
	uint64_t index = (uint64_t)seat * shm->sizes.holds_per_seat + hold;

	return (index + 1) << OP_SEQUENCE_BITS |
	    (sequence & OP_SEQUENCE_MASK);
}

/*
 * Adds delta to the account's available amount in the name of op, unless that
 * would make it negative.  The step that the cell names until then is first
 * marked as done in its hold, so that it stays decidable.
 */
enum cell_result cell_add(struct shm *shm, uint32_t account, int64_t delta,
	    uint64_t op);

/*
 * Has op been applied to the account?  Only its own hold's owner (or the
 * reclaimer, after the owner's death) may ask, and only about that hold's
 * latest step.
 */
bool	cell_applied(const struct shm *shm, uint32_t account, uint32_t seat,
	    uint32_t hold, uint64_t sequence);

/* The steps of a hold, for its owner and for the reclaimer. */
struct step {
	enum intent_kind kind;
	uint32_t account;
	int64_t delta, before, after, granted;
	uint64_t position;
};

/* Makes `step` the hold's intent, numbered sequence.  One release store. */
void	step_publish(struct shm *shm, uint32_t seat, uint32_t hold,
	    uint64_t sequence, const struct step *step);
/* The latest intent; returns its sequence. */
uint64_t step_read(const struct shm *shm, uint32_t seat, uint32_t hold,
	    struct step *step_r);

/* Settles as the owner or in its place: intent, cell, record, free.  The
 * record stands complete at the ring's head already.  Returns the sequence
 * that was used last. */
uint64_t step_settle(struct shm *shm, uint32_t seat, uint32_t hold,
	    uint64_t sequence, uint32_t account, int64_t held_nano,
	    int64_t fee_nano);
/* The part of it after the intent; may be run again after a crash. */
void	step_settle_finish(struct shm *shm, uint32_t seat, uint32_t hold,
	    uint64_t sequence, const struct step *step);

#endif

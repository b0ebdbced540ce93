/*
 * refill.h: asking for more of an account's money than this node has.
 * Layer: shm.  Why leases are safe is in shm/LEASES; nothing here moves money.
 * Written by: workers ask, the flusher answers.
 *
 * Asking is two atomic steps and never waits: the amount, then the account's
 * bit.  Whoever dies between them has not asked; whoever dies after them has,
 * even if nobody was woken: the flusher looks once a second without that.
 */
#ifndef SHM_REFILL_H
#define SHM_REFILL_H

#include <stdbool.h>
#include <stdint.h>

struct shm;

/* More may be had than anybody knows: ask. */
#define REFILL_UNKNOWN INT64_MAX

enum refill_verdict {
	REFILL_NONE = 0,	/* nothing is known of what was asked last */
	REFILL_DONE = 1,	/* there was enough when it was granted */
	REFILL_SHORT = 2	/* the database knows of no more */
};

struct refill_view {
	uint64_t answers;		/* grows with each answer */
	enum refill_verdict verdict;	/* of the last one, or of what is known
					   while it is still awaited */
	int64_t available_nano;		/* a glance */
	int64_t elsewhere_nano;		/* at home and with other nodes */
	int64_t low_nano;		/* below that, ask in time */
};

/* Worker. */
bool	refill_read(const struct shm *shm, uint32_t account,
	    struct refill_view *view_r) __attribute__((warn_unused_result));
/* need_nano: what a waiting call costs; 0: in time, nobody waits.  True: it
 * wasn't asked for already, so the flusher is to be woken. */
bool	refill_ask(struct shm *shm, uint32_t account, int64_t need_nano);

/* Flusher: the next account at or after *account_r that was asked for, which
 * becomes *account_r; its bit is cleared and the largest need taken. */
bool	refill_next(struct shm *shm, uint32_t *account_r, int64_t *need_r)
	    __attribute__((warn_unused_result));
/* Flusher: what is known of an account; low_nano -1 leaves it as it is. */
void	refill_know(struct shm *shm, uint32_t account, int64_t elsewhere_nano,
	    int64_t low_nano);
/* Flusher: final, or what is known meanwhile. */
void	refill_answer(struct shm *shm, uint32_t account,
	    enum refill_verdict verdict, bool final);

#endif

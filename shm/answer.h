/*
 * answer.h: who made the answers that upstreams keep, and which were paid for.
 * Layer: shm.  A table of sets; of a full one the oldest entry is forgotten.
 * Written by: any worker; each entry is claimed by a compare-and-swap of its
 * word, which every reader checks again after reading.  A worker that is
 * killed within a claim leaves one entry out of use.
 *
 * Kept are a digest of the answer's id, whose it is, and by which channel; no
 * id and nothing of the answer.  An answer that is made in the background is
 * OPEN until its bill is written: answer_bill() succeeds once.
 */
#ifndef SHM_ANSWER_H
#define SHM_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct shm;

#define ANSWER_DIGEST_BYTES 16

/* A copy of an entry. */
struct answer_view {
	uint64_t account_id;
	uint64_t channel_id;
	uint64_t model_id;
	int64_t made_us;		/* wall clock */
	uint32_t context_tokens;	/* what continuing it brings along */
	uint32_t held_tokens;		/* of output, to hold money for */
	bool open;			/* nobody was charged yet */
	/* Where it stands and as what; for answer_bill(). */
	uint32_t slot;
	uint64_t word;
};

/*
 * Remembers an answer, or changes what is remembered of it; one that was
 * billed doesn't become open again.  False: no entry could be claimed, and the
 * answer will not be found.
 */
bool	answer_put(struct shm *shm, const uint8_t digest[ANSWER_DIGEST_BYTES],
	    const struct answer_view *view)
	    __attribute__((warn_unused_result));

/* False: unknown, or forgotten. */
bool	answer_find(const struct shm *shm,
	    const uint8_t digest[ANSWER_DIGEST_BYTES],
	    struct answer_view *view_r) __attribute__((warn_unused_result));

/*
 * True once, for whoever is to write the bill of an open answer, and then
 * before the money moves: a death in between gives the answer away rather than
 * charge for it twice.
 */
bool	answer_bill(struct shm *shm, const uint8_t digest[ANSWER_DIGEST_BYTES])
	    __attribute__((warn_unused_result));

#endif

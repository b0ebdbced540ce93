/*
 * reclaim.h: clears up after dead workers.
 * Layer: flusher.
 * Written by: the flush thread.
 */
#ifndef FLUSHER_RECLAIM_H
#define FLUSHER_RECLAIM_H

#include <stdint.h>

struct shm;

/*
 * For each DEAD seat whose ring is drained up to position[seat], durably:
 * settles its holds; when there is none left, and so nothing new in the ring,
 * the seat becomes FREE.  Called again after draining.  Returns how many
 * holds were ended.
 */
uint32_t reclaim_seats(struct shm *shm, const uint64_t *position);

/* How many seats are in use: LIVE, and DEAD ones not cleared up yet. */
void	reclaim_count(const struct shm *shm, uint32_t *live_r,
	    uint32_t *dead_r);

#endif

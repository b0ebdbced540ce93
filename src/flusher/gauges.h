/*
 * gauges.h: what `youyunctl status` reads of the flusher, also while the
 * database is away.
 * Layer: flusher.
 * Written by: the flush thread.
 */
#ifndef FLUSHER_GAUGES_H
#define FLUSHER_GAUGES_H

struct journal;
struct progress;
struct shm;

void	gauges_show(struct shm *shm, const struct progress *progress,
	    const struct journal *journal);

#endif

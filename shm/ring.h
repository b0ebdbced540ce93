/*
 * ring.h: a worker's finished call records on their way to the flusher.
 * Layer: shm.  One producer (the seat's worker, or after its death the
 * reclaimer), one consumer (the flusher).  Positions only grow.
 * Written by: head by the producer, tail by the consumer.
 */
#ifndef SHM_RING_H
#define SHM_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/record.h"

struct shm;

/* Records that could be pushed now.  Producer. */
uint32_t ring_space(const struct shm *shm, uint32_t seat);

/*
 * The place that the next push will publish, to be filled beforehand; NULL
 * when the ring is full.  It is nobody's until ring_publish(), which is one
 * release store: whoever dies before it has published nothing.
 */
struct call_record *ring_next(struct shm *shm, uint32_t seat);
void	ring_publish(struct shm *shm, uint32_t seat);

/* Where ring_publish() will publish next.  Producer. */
uint64_t ring_head(const struct shm *shm, uint32_t seat);
uint64_t ring_tail(const struct shm *shm, uint32_t seat);

/*
 * Consumer: copies up to max records from position `from` on (not the shared
 * tail: what is read but not yet durable stays in the ring) and returns how
 * many there were.
 */
uint32_t ring_read(const struct shm *shm, uint32_t seat, uint64_t from,
	    struct call_record *records_r, uint32_t max);
/* Consumer: everything before position is durable; its room is free again. */
void	ring_release(struct shm *shm, uint32_t seat, uint64_t position);

#endif

/*
 * ring.c: one producer, one consumer, positions that only grow.
 */
#include <string.h>

#include "shm/layout.h"
#include "shm/ring.h"

uint64_t
ring_head(const struct shm *shm, uint32_t seat)
{
	return atomic_load_explicit(&shm_seat(shm, seat)->head,
	    memory_order_acquire);
}

uint64_t
ring_tail(const struct shm *shm, uint32_t seat)
{
	/* acquire: the consumer has copied what we are about to overwrite */
	return atomic_load_explicit(&shm_seat(shm, seat)->tail,
	    memory_order_acquire);
}

uint32_t
ring_space(const struct shm *shm, uint32_t seat)
{
	uint64_t used = ring_head(shm, seat) - ring_tail(shm, seat);

	return used >= shm->sizes.ring_records ? 0 :
	    shm->sizes.ring_records - (uint32_t)used;
}

struct call_record *
ring_next(struct shm *shm, uint32_t seat)
{
	return ring_space(shm, seat) == 0 ? NULL :
	    shm_record(shm, seat, ring_head(shm, seat));
}

void
ring_publish(struct shm *shm, uint32_t seat)
{
	struct shm_seat *s = shm_seat(shm, seat);

	/* release: who sees the new head sees the record */
	atomic_store_explicit(&s->head,
	    atomic_load_explicit(&s->head, memory_order_relaxed) + 1,
	    memory_order_release);
}

uint32_t
ring_read(const struct shm *shm, uint32_t seat, uint64_t from,
    struct call_record *records_r, uint32_t max)
{
	uint64_t head = ring_head(shm, seat);
	uint32_t i, n;

	/* A worker out of its mind may claim anything; a ring's worth is the
	 * most there can be. */
	if (head < from || head - from > shm->sizes.ring_records)
		return 0;
	n = head - from < max ? (uint32_t)(head - from) : max;
	for (i = 0; i < n; i++)
		memcpy(&records_r[i], shm_record(shm, seat, from + i),
		    RECORD_BYTES);
	return n;
}

void
ring_release(struct shm *shm, uint32_t seat, uint64_t position)
{
	/* release: the copies were made before their room is given back */
	atomic_store_explicit(&shm_seat(shm, seat)->tail, position,
	    memory_order_release);
}

#include "flusher/reclaim.h"

#include <inttypes.h>

#include "base/log.h"
#include "shm/hold.h"
#include "shm/ring.h"
#include "shm/seat.h"

static uint32_t
reclaim_one(struct shm *shm, uint32_t seat, uint64_t position)
{
	int64_t fee_nano;
	uint32_t n;

	/* What is in the ring comes first: a full ring has no room for the
	 * records of what we settle, and looks as if there were none. */
	if (ring_head(shm, seat) != position ||
	    ring_tail(shm, seat) != position)
		return 0;
	n = hold_reclaim(shm, seat, &fee_nano);
	if (n != 0) {
		log_notice("calls of a dead worker were settled: seat=%" PRIu32
		    " calls=%" PRIu32 " fee_nano=%" PRId64, seat, n, fee_nano);
		return n;
	}
	if (ring_head(shm, seat) == position)
		seat_free(shm, seat);
	return 0;
}

uint32_t
reclaim_seats(struct shm *shm, const uint64_t *position)
{
	uint32_t seat, n = 0;

	for (seat = SEAT_FLUSHER + 1; seat < seat_count(shm); seat++)
		if (seat_state(shm, seat) == SEAT_DEAD)
			n += reclaim_one(shm, seat, position[seat]);
	return n;
}

void
reclaim_count(const struct shm *shm, uint32_t *live_r, uint32_t *dead_r)
{
	uint32_t seat;

	*live_r = *dead_r = 0;
	for (seat = SEAT_FLUSHER + 1; seat < seat_count(shm); seat++) {
		*live_r += seat_state(shm, seat) == SEAT_LIVE;
		*dead_r += seat_state(shm, seat) == SEAT_DEAD;
	}
}

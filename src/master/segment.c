#include "master/segment.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "master/master.h"
#include "shm/hold.h"
#include "shm/ring.h"
#include "shm/seat.h"
#include "shm/segment.h"

/* Cache lines: what the segment's parts are made of. */
#define PART_BYTES 64

uint32_t
segment_seats(const struct settings *s)
{
	/* The flusher's, a reload's old and new workers, and two for the dead
	 * whose calls are still being settled. */
	return 1 + 2 * settings_workers(s) + 2;
}

static struct shm_sizes
wanted_sizes(const struct settings *s)
{
	return (struct shm_sizes){
		.seats = segment_seats(s),
		.holds_per_seat = s->holds_per_worker,
		.ring_records = s->ring_records,
		.accounts = s->max_accounts,
		.keys = s->max_keys,
		.channels = s->max_channels,
		.catalogue_bytes =
		    (uint32_t)(s->catalogue_bytes / PART_BYTES * PART_BYTES),
		.budgets = s->max_budgets,
	};
}

static bool
is_drained(const struct shm *shm)
{
	for (uint32_t seat = 0; seat < seat_count(shm); seat++)
		if (ring_head(shm, seat) != ring_tail(shm, seat))
			return false;
	return hold_open_total(shm) == 0;
}

static bool
create(struct master *m, const struct shm_sizes *sizes)
{
	enum shm_result result;
	unsigned long long mib = shm_total_bytes(sizes) >> 20;

	result = shm_create(m->segment_name, sizes, &m->shm);
	if (result == SHM_OK) {
		log_info("segment made: name=%s mib=%llu", m->segment_name,
		    mib);
		return true;
	}
	log_error("could not make the segment: name=%s mib=%llu why=%s%s%s",
	    m->segment_name, mib, shm_explain(result),
	    result == SHM_IO ? ": " : "",
	    result == SHM_IO ? strerror(errno) : "");
	if (result == SHM_SPACE || result == SHM_SIZES)
		log_error("lower max_keys, max_accounts, holds_per_worker, "
		    "ring_records or workers, or enlarge /dev/shm");
	return false;
}

/* What a worker reads in the settings must be what the segment has. */
static void
keep_sizes(struct master *m)
{
	const struct shm_sizes *have = shm_sizes(m->shm);

	log_warning("the segment has other sizes than the settings and still "
	    "holds calls that are not settled; it is used as it is, and "
	    "changes when youyund is restarted once more");
	m->settings.holds_per_worker = have->holds_per_seat;
	m->settings.ring_records = have->ring_records;
	m->settings.max_accounts = have->accounts;
	m->settings.max_keys = have->keys;
	m->settings.max_channels = have->channels;
	m->settings.max_budgets = have->budgets;
	m->settings.catalogue_bytes = have->catalogue_bytes;
}

/*
 * The lock says that all are gone; a seat's own process is asked as well,
 * because two workers at one seat would be two writers of one ring.
 */
static bool
bury_all(struct master *m)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	uint32_t left = seat_bury_absent(m->shm);

	for (int tries = 0; left > 0 && tries < 50; tries++) {
		nanosleep(&pause, NULL);
		left = seat_bury_absent(m->shm);
	}
	if (left > 0)
		log_error("workers of an earlier youyund still run: count=%u",
		    left);
	return left == 0;
}

static bool
adopt(struct master *m, const struct shm_sizes *sizes)
{
	/* Anybody may make a file in /dev/shm, before us and by our name. */
	if (shm_owner(m->shm) != m->user.uid && shm_owner(m->shm) != 0) {
		log_error("the segment belongs to another user: name=%s uid=%u",
		    m->segment_name, shm_owner(m->shm));
		return false;
	}
	if (!bury_all(m))
		return false;
	if (shm_sizes_equal(shm_sizes(m->shm), sizes)) {
		log_info("segment found: name=%s open_calls=%u",
		    m->segment_name, hold_open_total(m->shm));
		return true;
	}
	if (!is_drained(m->shm)) {
		keep_sizes(m);
		return true;
	}
	shm_close(&m->shm);
	return create(m, sizes);
}

bool
segment_open(struct master *m)
{
	struct shm_sizes sizes = wanted_sizes(&m->settings);
	enum shm_result result;

	settings_segment_name(&m->settings, m->segment_name);
	result = shm_attach(m->segment_name, false, &m->shm);
	switch (result) {
	case SHM_OK:
		if (!adopt(m, &sizes))
			return false;
		break;
	case SHM_ABSENT:
		if (!create(m, &sizes))
			return false;
		break;
	case SHM_FOREIGN:
	case SHM_SIZES:
	case SHM_OWNER:
	case SHM_SPACE:
	case SHM_IO:
		log_error("could not use the segment: name=%s why=%s%s%s",
		    m->segment_name, shm_explain(result),
		    result == SHM_IO ? ": " : "",
		    result == SHM_IO ? strerror(errno) : "");
		log_error("stop youyund with the version that made it, or, if "
		    "its last calls may be lost, remove /dev/shm%s",
		    m->segment_name);
		return false;
	}
	if (m->user.drop && !shm_chown(m->shm, m->user.uid, m->user.gid)) {
		log_error("could not give the segment to its user: user=%s "
		    "why=%s", m->user.name, strerror(errno));
		return false;
	}
	return true;
}

void
segment_finish(struct master *m)
{
	/* What left a ring is durable, so nothing else is in there that the
	 * journal and PostgreSQL don't have. */
	if (is_drained(m->shm))
		shm_remove(m->segment_name);
	else
		log_warning("the segment is kept, because calls in it are not "
		    "durable yet; the next start settles them: name=%s",
		    m->segment_name);
	shm_close(&m->shm);
}

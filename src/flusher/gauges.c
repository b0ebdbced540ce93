#include "flusher/gauges.h"

#include "base/clock.h"
#include "flusher/journal.h"
#include "flusher/progress.h"
#include "shm/record.h"
#include "shm/segment.h"

/* A database that is connected, but so long without an answer, is away. */
#define STALLED_MS 5000

static bool
is_up(const struct progress *p)
{
	struct mono_time asked = { atomic_load_explicit(&p->asked_ns,
	    memory_order_relaxed) };

	if (asked.ns != 0 && mono_diff_ms(clock_mono(), asked) > STALLED_MS)
		return false;
	return atomic_load_explicit(&p->apply_up, memory_order_relaxed) &&
	    atomic_load_explicit(&p->directory_up, memory_order_relaxed);
}

static void
show_database(struct shm *shm, bool up)
{
	if (shm_gauge(shm, SHM_GAUGE_DATABASE_SINCE_US) != 0 &&
	    (shm_gauge(shm, SHM_GAUGE_DATABASE_UP) != 0) == up)
		return;
	shm_gauge_set(shm, SHM_GAUGE_DATABASE_UP, up);
	shm_gauge_set(shm, SHM_GAUGE_DATABASE_SINCE_US,
	    (uint64_t)clock_wall().us);
}

/* Until the database was asked: as far as an earlier flusher knew, but no
 * further than what is left on the disk shows. */
static uint64_t
applied(const struct shm *shm, const struct progress *p,
    const struct journal *journal)
{
	uint64_t first = journal_first_seq(journal), known;

	if (atomic_load_explicit(&p->mark_known, memory_order_relaxed))
		return atomic_load_explicit(&p->applied_seq,
		    memory_order_relaxed);
	known = shm_gauge(shm, SHM_GAUGE_APPLIED_SEQ);
	return known + 1 < first || known > journal_durable_seq(journal) ?
	    first - 1 : known;
}

void
gauges_show(struct shm *shm, const struct progress *p,
    const struct journal *journal)
{
	uint64_t durable = atomic_load_explicit(&p->durable_seq,
	    memory_order_relaxed);
	uint64_t done = applied(shm, p, journal);

	shm_gauge_set(shm, SHM_GAUGE_JOURNAL_SEQ, durable);
	shm_gauge_set(shm, SHM_GAUGE_APPLIED_SEQ, done);
	shm_gauge_set(shm, SHM_GAUGE_JOURNAL_BYTES, durable > done ?
	    (durable - done) * (uint64_t)RECORD_BYTES : 0);
	shm_gauge_set(shm, SHM_GAUGE_JOURNAL_DISK,
	    journal_disk_bytes(journal));
	shm_gauge_set(shm, SHM_GAUGE_OLDEST_US, durable <= done ? 0 :
	    (uint64_t)atomic_load_explicit(&p->oldest_us,
	    memory_order_relaxed));
	shm_gauge_set(shm, SHM_GAUGE_APPLY_RATE,
	    atomic_load_explicit(&p->rate, memory_order_relaxed));
	shm_gauge_set(shm, SHM_GAUGE_FSYNCS, journal_fsyncs(journal));
	show_database(shm, is_up(p));
}

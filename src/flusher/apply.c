#include "flusher/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "flusher/batch.h"
#include "flusher/journal_read.h"

#define CONNECT_TIMEOUT_S 5
#define GATHER_MS 10		/* so that a trickle isn't a commit a call */
#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 5000
#define PARTITIONS_MS (6 * 3600 * 1000)

struct apply {
	struct apply_config config;
	pthread_t thread;
	pthread_mutex_t lock;	/* for the condition only */
	pthread_cond_t wake;
	struct db *db;
	struct journal_reader *reader;
	struct journal_frame *frame;
	struct mono_time partitions_due;
	int pause_ms;
	bool complained;
	_Atomic int64_t deadline_ns;	/* monotonic; 0: none */
};

static bool
stopping(const struct apply *a)
{
	return atomic_load_explicit(&a->config.progress->stopping,
	    memory_order_acquire);
}

static bool
past_deadline(const struct apply *a)
{
	int64_t due = atomic_load_explicit(&a->deadline_ns,
	    memory_order_relaxed);

	return due != 0 && clock_mono().ns >= due;
}

static uint64_t
durable(const struct apply *a)
{
	return atomic_load_explicit(&a->config.progress->durable_seq,
	    memory_order_acquire);
}

static uint64_t
applied(const struct apply *a)
{
	return atomic_load_explicit(&a->config.progress->applied_seq,
	    memory_order_relaxed);
}

static bool
mark_known(const struct apply *a)
{
	return atomic_load_explicit(&a->config.progress->mark_known,
	    memory_order_relaxed);
}

static void
set_mark(struct apply *a, uint64_t mark)
{
	atomic_store_explicit(&a->config.progress->applied_seq, mark,
	    memory_order_release);
	atomic_store_explicit(&a->config.progress->mark_known, true,
	    memory_order_release);
}

/* Sleeps until there is more than `last`, or for ms.  Looked at under the
 * lock, which the one who wakes us takes after storing: no wake-up is lost. */
static void
nap(struct apply *a, uint64_t last, int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_mutex_lock(&a->lock);
	if (durable(a) == last && !stopping(a))
		(void)pthread_cond_timedwait(&a->wake, &a->lock, &t);
	pthread_mutex_unlock(&a->lock);
}

/* Says it once, until things go well again; then waits, longer each time. */
static void
trouble(struct apply *a, const char *what, const char *why)
{
	struct timespec t = { a->pause_ms / 1000,
		(long)(a->pause_ms % 1000) * 1000000 };

	if (!a->complained)
		log_warning("could not %s; calls go on and are kept in the "
		    "journal: why=%s applied=%" PRIu64 " journal=%" PRIu64,
		    what, why, applied(a), durable(a));
	a->complained = true;
	atomic_store_explicit(&a->config.progress->apply_up, false,
	    memory_order_relaxed);
	if (stopping(a))
		t = (struct timespec) { 0, 50 * 1000000 };
	nanosleep(&t, NULL);
	a->pause_ms = a->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS :
	    a->pause_ms * 2;
}

static void
went_well(struct apply *a)
{
	if (a->complained)
		log_notice("the journal is applied again: applied=%" PRIu64
		    " journal=%" PRIu64, applied(a), durable(a));
	a->complained = false;
	a->pause_ms = PAUSE_FIRST_MS;
	atomic_store_explicit(&a->config.progress->apply_up, true,
	    memory_order_relaxed);
}

/* After each connecting the mark is read anew: it is the answer to a commit
 * whose answer was lost. */
static bool
make_ready(struct apply *a)
{
	uint64_t mark;

	if (db_connected(a->db))
		return true;
	if (db_connect(a->db, CONNECT_TIMEOUT_S) != DB_OK) {
		trouble(a, "connect to the database", db_message(a->db));
		return false;
	}
	if (batch_mark(a->db, a->config.node, a->config.journal_id, &mark) !=
	    DB_OK) {
		trouble(a, "read the journal's mark", db_message(a->db));
		db_disconnect(a->db);
		return false;
	}
	set_mark(a, mark);
	a->partitions_due = clock_mono();
	went_well(a);
	return true;
}

static void
tend_partitions(struct apply *a)
{
	if (mono_diff_ms(a->partitions_due, clock_mono()) > 0)
		return;
	a->partitions_due = mono_add_ms(clock_mono(), PARTITIONS_MS);
	if (batch_partitions(a->db) != DB_OK)
		log_warning("could not make the months' partitions: why=%s",
		    db_message(a->db));
}

static void
apply_some(struct apply *a, uint64_t first, uint64_t last)
{
	struct batch b = { .node = a->config.node,
		.journal_id = a->config.journal_id, .frame = a->frame };
	enum db_result result;
	uint64_t mark;

	b.frames = journal_read(a->reader, first, last, a->frame,
	    a->config.batch);
	if (b.frames == 0) {
		trouble(a, "read the journal", strerror(errno));
		return;
	}
	result = batch_apply(a->db, &b, &mark);
	if (result != DB_OK) {
		trouble(a, "apply the journal", db_message(a->db)[0] != '\0' ?
		    db_message(a->db) : db_explain(result));
		/* What a commit without an answer did, the mark tells. */
		if (result == DB_UNKNOWN || result == DB_AWAY)
			db_disconnect(a->db);
		return;
	}
	set_mark(a, mark);
	went_well(a);
}

static void *
run(void *arg)
{
	struct apply *a = arg;
	uint64_t first, last;

	while (!past_deadline(a)) {
		last = durable(a);
		if (stopping(a) && mark_known(a) && applied(a) >= last)
			break;
		if (!make_ready(a))
			continue;
		tend_partitions(a);
		first = applied(a) + 1;
		/* A mark below the oldest file: what the database lacks is
		 * gone.  batch_apply() says so, from the first there is. */
		if (first < a->config.first_seq)
			first = a->config.first_seq;
		if (first > last) {
			if (!stopping(a))
				nap(a, last, 500);
			continue;
		}
		if (!stopping(a) && last - first + 1 < a->config.batch) {
			nanosleep(&(struct timespec) { 0,
			    GATHER_MS * 1000000 }, NULL);
			last = durable(a);
		}
		apply_some(a, first, last);
	}
	return NULL;
}

static void
release(struct apply *a)
{
	db_close(&a->db);
	journal_reader_close(&a->reader);
	free(a->frame);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

struct apply *
apply_start(const struct apply_config *config)
{
	struct apply *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;

	if (a == NULL)
		return NULL;
	a->config = *config;
	a->pause_ms = PAUSE_FIRST_MS;
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wake, &attr);
	pthread_condattr_destroy(&attr);
	a->db = db_open(config->conninfo);
	a->reader = journal_reader_open(config->journal_dir, config->ops);
	a->frame = calloc(config->batch, sizeof(*a->frame));
	if (a->db == NULL || a->reader == NULL || a->frame == NULL ||
	    pthread_create(&a->thread, NULL, run, a) != 0) {
		release(a);
		return NULL;
	}
	return a;
}

void
apply_wake(struct apply *a)
{
	pthread_mutex_lock(&a->lock);
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
}

bool
apply_stop(struct apply **apply, int patience_ms)
{
	struct apply *a = *apply;
	struct timespec t;

	*apply = NULL;
	if (a == NULL)
		return true;
	atomic_store_explicit(&a->deadline_ns,
	    mono_add_ms(clock_mono(), patience_ms).ns, memory_order_relaxed);
	apply_wake(a);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += patience_ms / 1000 + 1;
	if (pthread_timedjoin_np(a->thread, NULL, &t) != 0)
		return false;
	release(a);
	return true;
}

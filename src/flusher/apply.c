#include "flusher/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/value.h"
#include "flusher/batch.h"
#include "flusher/join.h"
#include "flusher/journal_read.h"

#define CONNECT_TIMEOUT_S 5
#define GATHER_MS 10		/* so that a trickle isn't a commit a call */
#define NODE_POLL_MS 5
#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 5000
#define PARTITIONS_MS (6 * 3600 * 1000)
#define RATE_MS 1000
#define SAY_MS 10000		/* between two lines about a long way to go */

struct apply {
	struct apply_config config;
	pthread_t thread;
	pthread_mutex_t lock;	/* for the condition only */
	pthread_cond_t wake;
	struct db *db;
	struct journal_reader *reader;
	struct journal_frame *frame;
	struct mono_time partitions_due;
	struct journal_frame oldest;	/* of what isn't applied */
	struct mono_time rate_since;
	uint64_t rate_from;
	struct mono_time say_due;
	uint64_t say_from;		/* applied when the way began; */
	bool saying;			/* it is a long one */
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

/* 0: the database hasn't said yet whose journal this is. */
static uint16_t
node_of(const struct apply *a)
{
	return (uint16_t)atomic_load_explicit(&a->config.progress->node,
	    memory_order_acquire);
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

/* Between these two the database is waited for. */
static void
ask(struct apply *a)
{
	atomic_store_explicit(&a->config.progress->asked_ns, clock_mono().ns,
	    memory_order_relaxed);
}

static void
answered(struct apply *a)
{
	atomic_store_explicit(&a->config.progress->asked_ns, 0,
	    memory_order_relaxed);
}

/* Since when something waits for the database. */
static void
show_oldest(struct apply *a, const struct call_record *r)
{
	atomic_store_explicit(&a->config.progress->oldest_us,
	    r->started_us + (int64_t)r->total_ms * 1000,
	    memory_order_relaxed);
}

/* One frame is read for that, if it is another than the last time. */
static void
note_oldest(struct apply *a)
{
	uint64_t seq = applied(a) + 1;

	if (seq < a->config.first_seq)
		seq = a->config.first_seq;
	if (seq > durable(a) || a->oldest.seq == seq)
		return;
	if (journal_read(a->reader, seq, seq, &a->oldest, 1) == 0) {
		a->oldest.seq = 0;
		return;
	}
	show_oldest(a, &a->oldest.record);
}

static void
note_rate(struct apply *a)
{
	int64_t ms = mono_diff_ms(clock_mono(), a->rate_since);

	if (ms < RATE_MS && a->rate_since.ns != 0)
		return;
	atomic_store_explicit(&a->config.progress->rate, a->rate_since.ns ==
	    0 || applied(a) < a->rate_from ? 0 : (applied(a) - a->rate_from) *
	    1000 / (uint64_t)ms, memory_order_relaxed);
	a->rate_since = clock_mono();
	a->rate_from = applied(a);
}

/* After an outage, or when calls come faster than they are applied, how far
 * it is; and its end. */
static void
say_progress(struct apply *a)
{
	uint64_t left = durable(a) > applied(a) ? durable(a) - applied(a) : 0;

	if (!a->saying && left <= 4 * (uint64_t)a->config.batch)
		return;
	if (!a->saying) {
		a->saying = true;
		a->say_from = applied(a);
		a->say_due = clock_mono();
	}
	if (left > a->config.batch) {
		if (mono_diff_ms(a->say_due, clock_mono()) > 0)
			return;
		a->say_due = mono_add_ms(clock_mono(), SAY_MS);
		log_notice("the journal is being applied: applied=%" PRIu64
		    " of=%" PRIu64 " per_second=%" PRIu64,
		    applied(a) - a->say_from, durable(a) - a->say_from,
		    atomic_load_explicit(&a->config.progress->rate,
		    memory_order_relaxed));
		return;
	}
	a->saying = false;
	log_notice("the journal has been applied: records=%" PRIu64,
	    applied(a) - a->say_from);
}

/* Says it once, until things go well again; then waits, longer each time. */
static void
trouble(struct apply *a, const char *what, const char *why)
{
	struct timespec t = { a->pause_ms / 1000,
		(long)(a->pause_ms % 1000) * 1000000 };

	note_oldest(a);
	note_rate(a);
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

/* New records would have the numbers of others that the database has. */
static bool
is_ahead(struct apply *a, uint64_t mark)
{
	uint64_t last = durable(a) > a->config.last_seq ? durable(a) :
	    a->config.last_seq;

	if (mark <= last)
		return false;
	if (!atomic_exchange_explicit(&a->config.progress->ahead, true,
	    memory_order_release))
		log_error("the database has records that the journal lacks; "
		    "stop youyund and use youyunctl journal repair --up-to "
		    "%" PRIu64 ": journal=%" PRIu64, mark, last);
	a->complained = true;	/* more than trouble() could say */
	return true;
}

/* After each connecting the mark is read anew: it is the answer to a commit
 * whose answer was lost. */
static bool
make_ready(struct apply *a)
{
	enum db_result result;
	uint64_t mark;

	if (node_of(a) == 0) {
		nanosleep(&(struct timespec) { 0, NODE_POLL_MS * 1000000 },
		    NULL);
		return false;
	}
	if (db_connected(a->db))
		return true;
	note_oldest(a);
	ask(a);
	result = db_connect(a->db, CONNECT_TIMEOUT_S);
	if (result != DB_OK) {
		answered(a);
		trouble(a, "connect to the database", db_message(a->db));
		return false;
	}
	/* A transaction of ours that lost us keeps nobody waiting. */
	result = db_script(a->db, "SET idle_in_transaction_session_timeout ="
	    " '10s'");
	if (result == DB_OK)
		result = batch_mark(a->db, node_of(a), a->config.journal_id,
		    &mark);
	answered(a);
	if (result != DB_OK || is_ahead(a, mark)) {
		trouble(a, "use the journal's mark", result != DB_OK ?
		    db_message(a->db) : "it is ahead of the journal");
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
	ask(a);
	if (batch_partitions(a->db) != DB_OK)
		log_warning("could not make the days' partitions: why=%s",
		    db_message(a->db));
	answered(a);
}

static void
apply_some(struct apply *a, uint64_t first, uint64_t last)
{
	struct batch b = { .node = node_of(a),
		.journal_id = a->config.journal_id, .frame = a->frame };
	enum db_result result;
	uint64_t mark;

	b.frames = journal_read(a->reader, first, last, a->frame,
	    a->config.batch);
	if (b.frames == 0) {
		trouble(a, "read the journal", strerror(errno));
		return;
	}
	show_oldest(a, &a->frame[0].record);
	ask(a);
	result = batch_apply(a->db, &b, &mark);
	answered(a);
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
	note_rate(a);
	say_progress(a);
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
		/* Nobody will tell any more whose journal this is. */
		if (stopping(a) && node_of(a) == 0)
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
			note_rate(a);
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

	*apply = NULL;
	if (a == NULL)
		return true;
	atomic_store_explicit(&a->deadline_ns,
	    mono_add_ms(clock_mono(), patience_ms).ns, memory_order_relaxed);
	apply_wake(a);
	if (!join_within(a->thread, patience_ms))
		return false;
	release(a);
	return true;
}

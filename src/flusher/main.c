/*
 * The flush thread: rings → journal, and the life of the process.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "conf/embedded.h"
#include "conf/heritage.h"
#include "flusher/anchor.h"
#include "flusher/apply.h"
#include "flusher/chores.h"
#include "flusher/directory.h"
#include "flusher/flusher.h"
#include "flusher/gauges.h"
#include "flusher/journal.h"
#include "flusher/node.h"
#include "flusher/reclaim.h"
#include "sandbox/sandbox.h"
#include "shm/ring.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define TURN_BUSY_MS 2
#define TURN_IDLE_MS 20
#define TEND_MS 100		/* files, seats, gauges */
#define READ_MAX 512		/* of one seat before the next has its turn */
#define APPLY_PATIENCE_MS 8000
/* Without a master its database goes too, and a next one waits for us. */
#define ORPHAN_PATIENCE_MS 500
#define DIRECTORY_PATIENCE_MS 2000
#define CHORES_PATIENCE_MS 1000
/* Whose a journal is, the database knows by its random number. */
#define JOURNAL_NODE 1

struct flusher {
	const struct heritage *heritage;
	struct shm *shm;
	struct journal *journal;
	struct apply *apply;
	struct directory *directory;
	struct chores *chores;
	struct progress progress;
	uint64_t *position;	/* read up to here; durable after a commit */
	uint32_t seats;
	struct call_record *record; /* READ_MAX */
	struct mono_time tend_due;
	struct mono_time sync_due;	/* relaxed: of what was written */
	int turn_ms;
	bool begun;		/* the journal has a file to write into */
	bool full;		/* not since the last tend() */
	bool failed;
	bool ending;
	bool master_gone;
	int anchor_fd;		/* of the audit trail; below 0: none */
	char conninfo[EMBEDDED_TEXT_BYTES];
};

const struct file_ops *flusher_file_ops = &file_ops_real;

static volatile sig_atomic_t term_wanted;

static void
on_term(int sig)
{
	(void)sig;
	term_wanted = 1;
}

/* Reads one ring as far as the journal takes it now. */
static uint32_t
read_ring(struct flusher *f, uint32_t seat)
{
	uint32_t room = journal_room(f->journal), n, total = 0;

	while (room != 0 && total < READ_MAX) {
		n = ring_read(f->shm, seat, f->position[seat], f->record,
		    room < READ_MAX ? room : READ_MAX);
		if (n == 0)
			break;
		for (uint32_t i = 0; i < n; i++)
			record_minimise(&f->record[i]);
		journal_append(f->journal, seat, f->position[seat], f->record,
		    n);
		f->position[seat] += n;
		total += n;
		room -= n;
	}
	return total;
}

/* Answers wait for this seat's records, or wait in vain. */
static void
wake_seat(struct flusher *f, uint32_t seat)
{
	static const uint64_t one = 1;

	if (seat < f->heritage->seat_fds &&
	    write(f->heritage->seat_fd[seat], &one, sizeof(one)) < 0 &&
	    errno != EAGAIN)
		log_warning("a worker cannot be woken: seat=%" PRIu32, seat);
}

static void
release_rings(struct flusher *f)
{
	uint64_t durable;
	uint32_t seat;

	for (seat = 0; seat < f->seats; seat++) {
		durable = journal_position(f->journal, seat,
		    ring_tail(f->shm, seat));
		if (durable == ring_tail(f->shm, seat))
			continue;
		ring_release(f->shm, seat, durable);
		wake_seat(f, seat);
	}
}

static void
show_durable(struct flusher *f)
{
	uint64_t seq = journal_durable_seq(f->journal);

	if (seq == atomic_load_explicit(&f->progress.durable_seq,
	    memory_order_relaxed))
		return;
	atomic_store_explicit(&f->progress.durable_seq, seq,
	    memory_order_release);
	shm_gauge_set(f->shm, SHM_GAUGE_JOURNAL_SEQ, seq);
	apply_wake(f->apply);
}

static void
journal_down(struct flusher *f)
{
	uint32_t seat;

	shm_stop(f->shm, SHM_STOP_JOURNAL);
	if (f->failed)
		return;
	f->failed = true;
	log_error("new calls are refused: the journal failed");
	for (seat = 0; seat < f->seats; seat++)
		wake_seat(f, seat);
}

/* Relaxed: a ring that fills up waits no longer than the clock. */
static bool
is_pressing(const struct flusher *f)
{
	uint32_t records = shm_sizes(f->shm)->ring_records, seat;

	if (journal_room(f->journal) == 0)
		return true;
	for (seat = 0; seat < f->seats; seat++)
		if (f->position[seat] - ring_tail(f->shm, seat) > records / 4)
			return true;
	return false;
}

static bool
sync_is_due(const struct flusher *f)
{
	switch ((enum durability)f->heritage->settings->durability) {
	case DURABILITY_RELAXED:
		return f->ending ||
		    mono_diff_ms(f->sync_due, clock_mono()) <= 0 ||
		    is_pressing(f);
	case DURABILITY_GROUP:
	case DURABILITY_STRICT:
		break;
	}
	return true;
}

/* Reads all rings; how many records there were. */
static uint32_t
read_rings(struct flusher *f)
{
	uint32_t seat, n = 0;

	if (journal_pending(f->journal) == 0)
		f->sync_due = mono_add_ms(clock_mono(),
		    f->heritage->settings->sync_interval_ms);
	for (seat = 0; seat < f->seats; seat++)
		n += read_ring(f, seat);
	return n;
}

/* Too much is waiting for PostgreSQL, or the disk is full. */
static void
watch_budget(struct flusher *f)
{
	bool stopped = (shm_stops(f->shm) & SHM_STOP_BUDGET) != 0;

	if (journal_over_budget(f->journal)) {
		if (!stopped)
			log_error("new calls are refused: the journal is at "
			    "its budget or the disk is full: bytes=%" PRIu64,
			    journal_disk_bytes(f->journal));
		shm_stop(f->shm, SHM_STOP_BUDGET);
	} else if (stopped && f->begun) {
		shm_go(f->shm, SHM_STOP_BUDGET);
		log_notice("the journal has room again");
	}
}

/* One group commit; returns how many records there were to write. */
static uint32_t
flush_turn(struct flusher *f)
{
	uint32_t n;

	if (f->failed || !f->begun || f->full)
		return 0;
	n = read_rings(f);
	switch (sync_is_due(f) ? journal_commit(f->journal) :
	    journal_write(f->journal)) {
	case JOURNAL_OK:
		break;
	case JOURNAL_FULL:
		/* The rings keep what they have, and workers find them full
		 * at worst: nothing is lost. */
		watch_budget(f);
		f->full = true;
		n = 0;
		break;
	case JOURNAL_FAILED:
	case JOURNAL_CORRUPT:
	case JOURNAL_IO:
		journal_down(f);
		return 0;
	}
	release_rings(f);
	show_durable(f);
	watch_budget(f);
	return n;
}

/* A file to write into; not having room for it now is no failure. */
static void
begin_journal(struct flusher *f)
{
	if (f->begun || f->failed)
		return;
	switch (journal_begin(f->journal)) {
	case JOURNAL_OK:
		/* It was made anew and holds all that may not have been
		 * durable when a former flusher failed. */
		f->begun = true;
		shm_go(f->shm, SHM_STOP_JOURNAL);
		return;
	case JOURNAL_FULL:
		return;
	case JOURNAL_FAILED:
	case JOURNAL_CORRUPT:
	case JOURNAL_IO:
		journal_down(f);
		return;
	}
}

/* What needn't be done in every turn. */
static void
tend(struct flusher *f)
{
	uint32_t n;

	if (mono_diff_ms(f->tend_due, clock_mono()) > 0)
		return;
	f->tend_due = mono_add_ms(clock_mono(), TEND_MS);
	f->full = false;
	begin_journal(f);
	journal_tend(f->journal, atomic_load_explicit(
	    &f->progress.applied_seq, memory_order_acquire));
	watch_budget(f);
	n = f->failed ? 0 : reclaim_seats(f->shm, f->position);
	if (n != 0)
		shm_gauge_set(f->shm, SHM_GAUGE_RECLAIMED,
		    shm_gauge(f->shm, SHM_GAUGE_RECLAIMED) + n);
	gauges_show(f->shm, &f->progress, f->journal);
	if (atomic_load_explicit(&f->progress.ahead, memory_order_acquire))
		journal_down(f);
}

/* Until there is something to do.  What is written to the eventfd after it
 * was read here is seen by the next poll, and the rings are read in between:
 * no record waits unnoticed. */
static void
nap(struct flusher *f)
{
	struct pollfd p[] = {
		{ .fd = f->master_gone ? -1 : f->heritage->parent_fd,
		  .events = POLLIN },
		{ .fd = f->heritage->seat_fds != 0 && !f->failed &&
		  f->begun && !f->full ? f->heritage->flusher_fd : -1,
		  .events = POLLIN }
	};
	uint64_t n;

	if (poll(p, 2, f->turn_ms) <= 0)
		return;
	if (p[1].revents != 0 &&
	    read(f->heritage->flusher_fd, &n, sizeof(n)) < 0 &&
	    errno != EAGAIN)
		log_warning("answers wait longer than they need to: why=%s",
		    strerror(errno));
	if (p[0].revents != 0) {
		log_warning("the master is gone; ending as soon as its "
		    "workers have");
		f->master_gone = true;
	}
}

static void
turn(struct flusher *f)
{
	shm_gauge_set(f->shm, SHM_GAUGE_FLUSHER_BEAT_NS,
	    (uint64_t)clock_mono().ns);
	if (flush_turn(f) != 0)
		f->turn_ms = TURN_BUSY_MS;
	else if ((f->turn_ms *= 2) > TURN_IDLE_MS)
		f->turn_ms = TURN_IDLE_MS;
	tend(f);
	nap(f);
}

/* Released means durable, so no position can be before a ring's tail, unless
 * the disk lost what it had synced. */
static void
look_for_loss(struct flusher *f)
{
	uint64_t tail, position;
	uint32_t seat;

	for (seat = 0; seat < f->seats; seat++) {
		tail = ring_tail(f->shm, seat);
		position = journal_position(f->journal, seat, 0);
		if (position < tail)
			log_error("the journal has lost records that it had "
			    "synced: seat=%" PRIu32 " records=%" PRIu64, seat,
			    tail - position);
	}
}

static enum journal_result
open_journal(struct flusher *f)
{
	const struct settings *s = f->heritage->settings;
	struct journal_config config = {
		.dir = s->journal_dir,
		.segment_bytes = s->journal_segment_bytes,
		.budget_bytes = s->journal_budget_bytes,
		.incarnation = shm_incarnation(f->shm),
		.seats = f->seats,
		.node = JOURNAL_NODE,
		.ops = flusher_file_ops,
	};
	char why[JOURNAL_WHY_BYTES] = "";
	enum journal_result result;
	uint32_t seat;

	result = journal_open(&config, &f->journal, why);
	if (result != JOURNAL_OK) {
		log_error("could not use the journal; youyunctl journal check "
		    "says what of it is whole: %s", why);
		return result;
	}
	begin_journal(f);
	if (f->failed)
		return JOURNAL_FAILED;
	look_for_loss(f);
	for (seat = 0; seat < f->seats; seat++)
		f->position[seat] = journal_position(f->journal, seat,
		    ring_tail(f->shm, seat));
	atomic_store_explicit(&f->progress.durable_seq,
	    journal_durable_seq(f->journal), memory_order_release);
	return JOURNAL_OK;
}

/* The journal's folder is all that is written to from here on.  Before there
 * are threads, which Landlock would not reach. */
static bool
confine(const struct flusher *f)
{
	const struct settings *s = f->heritage->settings;
	struct sandbox_plan plan = { .role = SANDBOX_FLUSHER,
		.writable_dir = s->journal_dir,
		.reads_anywhere = !database_is_embedded(s) };
	bool require = s->sandbox == SANDBOX_SETTING_REQUIRE;
	char text[SANDBOX_TEXT_BYTES];
	uint32_t parts, missing;

	if (s->sandbox == SANDBOX_SETTING_OFF)
		return true;
#ifdef WITH_SANITIZERS
	plan.sanitizers = !require;
#endif
	parts = sandbox_enter(&plan);
	shm_gauge_set(f->shm, SHM_GAUGE_FLUSHER_SANDBOX, parts);
	missing = sandbox_wanted(SANDBOX_FLUSHER) & ~parts;
	if (missing == 0)
		return true;
	sandbox_text(missing, text);
	if (require) {
		log_error("the flusher is not confined: missing=%s", text);
		return false;
	}
	log_warning("the flusher is not fully confined: missing=%s", text);
	return true;
}

/* Signals are the first thread's: the others start with all blocked. */
static bool
start_threads(struct flusher *f)
{
	const struct settings *s = f->heritage->settings;
	struct apply_config apply = {
		.conninfo = f->conninfo,
		.journal_dir = s->journal_dir,
		.ops = flusher_file_ops,
		.journal_id = journal_id(f->journal),
		.first_seq = journal_first_seq(f->journal),
		.last_seq = journal_last_seq(f->journal),
		.batch = s->apply_batch,
		.progress = &f->progress,
	};
	struct directory_config directory = {
		.shm = f->shm,
		.conninfo = f->conninfo,
		.settings = s,
		.journal_id = journal_id(f->journal),
		.wake_fd = f->heritage->wake_fd,
		.foreign_seq = journal_foreign_seq(f->journal),
		.progress = &f->progress,
	};
	struct chores_config chores = {
		.conninfo = f->conninfo,
		.settings = s,
		.anchor_fd = f->anchor_fd,
		.progress = &f->progress,
	};
	sigset_t all, former;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	f->apply = apply_start(&apply);
	if (f->apply != NULL)
		f->directory = directory_start(&directory);
	if (f->directory != NULL)
		f->chores = chores_start(&chores);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	if (f->chores != NULL)
		return true;
	log_error("could not start the flusher's threads: why=%s",
	    strerror(errno));
	return false;
}

/* The master buries its dead; without one we look after them. */
static bool
all_gone(struct flusher *f)
{
	uint32_t live, dead;

	if (f->master_gone)
		(void)seat_bury_absent(f->shm);
	reclaim_count(f->shm, &live, &dead);
	return live == 0 && dead == 0;
}

static bool
rings_drained(const struct flusher *f)
{
	uint32_t seat;

	for (seat = 0; seat < f->seats; seat++)
		if (ring_tail(f->shm, seat) != ring_head(f->shm, seat))
			return false;
	return true;
}

/* Until nothing is left in the segment; a journal that failed ends it too. */
static void
run(struct flusher *f)
{
	while (!term_wanted && !f->master_gone)
		turn(f);
	f->ending = true;
	while (!f->failed && !(all_gone(f) && rings_drained(f)))
		turn(f);
}

/* Nothing is open, everything is applied, and nothing will be let in until a
 * directory was loaded: nobody has this node's money now.  Without a master
 * the segment stays, to serve again at once. */
static void
release_node(struct flusher *f)
{
	int64_t session = atomic_load_explicit(&f->progress.session,
	    memory_order_acquire);

	if (session == 0 || f->failed || f->master_gone || !atomic_load_explicit(
	    &f->progress.mark_known, memory_order_acquire))
		return;
	shm_stop(f->shm, SHM_STOP_LOADING);
	node_release(f->conninfo, (uint16_t)atomic_load_explicit(
	    &f->progress.node, memory_order_acquire), session);
}

static int
stop(struct flusher *f)
{
	uint64_t left;
	bool ended;

	atomic_store_explicit(&f->progress.stopping, true,
	    memory_order_release);
	/* It has no part in calls, whether it ends or not. */
	(void)chores_stop(&f->chores, CHORES_PATIENCE_MS);
	ended = directory_stop(&f->directory, DIRECTORY_PATIENCE_MS);
	ended = apply_stop(&f->apply, f->master_gone ? ORPHAN_PATIENCE_MS :
	    APPLY_PATIENCE_MS) && ended;
	gauges_show(f->shm, &f->progress, f->journal);
	journal_tend(f->journal, atomic_load_explicit(
	    &f->progress.applied_seq, memory_order_acquire));
	left = journal_durable_seq(f->journal) - atomic_load_explicit(
	    &f->progress.applied_seq, memory_order_acquire);
	if (atomic_load_explicit(&f->progress.mark_known,
	    memory_order_acquire) && left == 0)
		log_notice("all calls are in the database: seq=%" PRIu64,
		    journal_durable_seq(f->journal));
	else
		log_notice("calls remain in the journal for the next start");
	if (ended && left == 0)
		release_node(f);
	if (ended)
		journal_close(&f->journal);
	return f->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
flusher_main(const struct heritage *h)
{
	/* Static: a thread that hangs in a query when we end still sees it. */
	static struct flusher f;
	int status = EXIT_FAILURE;

	memset(&f, 0, sizeof(f));
	f.heritage = h;
	f.shm = h->shm;
	f.seats = seat_count(h->shm);
	f.turn_ms = TURN_BUSY_MS;
	f.anchor_fd = anchor_file_open(h->settings);
	signals_of_child(on_term);
	if (!database_conninfo(h->settings, DB_ROLE_FLUSHER, "youyun-flusher",
	    f.conninfo, sizeof(f.conninfo))) {
		log_error("the database's connection string is too long");
		return EXIT_FAILURE;
	}
	f.position = calloc(f.seats, sizeof(*f.position));
	f.record = calloc(READ_MAX, sizeof(*f.record));
	if (f.position == NULL || f.record == NULL)
		log_error("could not start: out of memory");
	else if (open_journal(&f) == JOURNAL_OK && confine(&f) &&
	    start_threads(&f)) {
		log_notice("flusher runs: journal=%016" PRIx64 " seq=%" PRIu64,
		    journal_id(f.journal), journal_durable_seq(f.journal));
		run(&f);
		status = stop(&f);
	}
	free(f.record);
	free(f.position);
	return status;
}

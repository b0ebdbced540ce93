/*
 * hold_race.c: several processes on one segment, killed at random; afterwards
 * the total must be exact to the nano and every record be there once.
 *
 *	hold_race [seconds [seed]]
 *
 * Workers reserve, extend and settle on a few hot accounts as fast as they
 * can.  The parent does the flusher's part: it reads the rings, kills a worker
 * with SIGKILL every few milliseconds, reclaims its seat, starts another one,
 * and grants money in between.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "tests/unit/shm_fixture.h"

#define WORKERS 3
#define ACCOUNTS 2
#define RING 1024
#define AT_ONCE 4		/* holds that a worker has open */
#define LIVES_MAX (UINT32_C(1) << 16)
#define WINDOW 512		/* calls; 40 of a life are out of order at most */

static const struct shm_sizes sizes = {
	.seats = WORKERS + 3, .holds_per_seat = 64, .ring_records = RING,
	.accounts = ACCOUNTS, .keys = 16, .channels = 1,
	.catalogue_bytes = 4096
};

struct worker {
	pid_t pid;
	uint32_t seat;
};

/* Which calls of one worker's life have a record: those up to `highest`, as
 * far back as calls may be out of order. */
struct window {
	uint32_t highest;
	uint64_t seen[WINDOW / 64];	/* number n: bit n mod WINDOW */
};

struct open_call {
	struct call_record record;
	struct hold_progress progress;
	uint32_t hold;
	bool open;
};

struct tally {
	uint64_t records, reclaimed, kills, grants;
	int64_t charged[ACCOUNTS];
	int64_t granted[ACCOUNTS];
	uint64_t position[16];
	struct window *lives;
	uint32_t lives_used;
};

static uint64_t random_state;

/* xorshift64*: the same run again for the same seed, as far as the parent's
 * own decisions go. */
static uint64_t
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static _Noreturn void
fail(const char *what, uint64_t is, uint64_t should)
{
	fprintf(stderr, "hold_race: %s: %llu instead of %llu\n", what,
	    (unsigned long long)is, (unsigned long long)should);
	exit(EXIT_FAILURE);
}

/* A number that got no hold is used again: the calls that are open stay near
 * each other, however long the money is gone. */
static void
begin_call(struct hold_book *book, struct open_call *c, uint64_t number)
{
	struct hold_terms terms = fixture_terms();
	uint32_t account = next_random() % ACCOUNTS;

	memset(c, 0, sizeof(*c));
	c->record = fixture_draft(number);
	c->record.account_id = account + 1;
	c->open = hold_reserve(book, account,
	    1000 + (int64_t)(next_random() % 1000), &c->record, &terms,
	    &c->hold) == HOLD_OK;
}

static void
end_call(struct hold_book *book, struct shm *shm, struct open_call *c)
{
	struct hold_terms terms = fixture_terms();
	struct account_view view;
	int64_t fee, owed;

	memcpy(c->record.count, c->progress.usage.count,
	    sizeof(c->record.count));
	hold_price(&c->progress.usage, &terms, hold_held(book, c->hold), &fee,
	    &owed);
	hold_settle(book, c->hold, fee, &c->record);
	c->open = false;
	if (!account_read(shm, (uint32_t)c->record.account_id - 1, &view) ||
	    view.available_nano < 0)
		abort();
}

static void
go_on(struct hold_book *book, struct open_call *c)
{
	if (hold_extend(book, c->hold, (int64_t)(next_random() % 500)) !=
	    HOLD_OK)
		return;
	c->progress.billable = next_random() % 2;
	c->progress.usage.count[USAGE_OUTPUT] += next_random() % 300;
	hold_progress(book, c->hold, &c->progress);
}

/* Several calls at once, each begun, extended a few times, and ended. */
static _Noreturn void
worker_run(struct shm *shm, uint32_t seat, uint64_t life)
{
	struct hold_book *book = hold_book_open(shm, seat);
	struct open_call calls[AT_ONCE], *c;
	uint64_t number = life << 32;

	if (book == NULL)
		_exit(99);
	seat_occupy(shm, seat, getpid());
	memset(calls, 0, sizeof(calls));
	for (;;) {
		c = &calls[next_random() % AT_ONCE];
		if (!c->open) {
			begin_call(book, c, number + 1);
			number += c->open;
		} else if (next_random() % 3 == 0)
			end_call(book, shm, c);
		else
			go_on(book, c);
	}
}

static void
start_worker(struct shm *shm, struct worker *w, struct tally *t)
{
	uint64_t generation, life = t->lives_used++;
	pid_t parent = getpid();

	w->seat = seat_assign(shm, &generation);
	if (w->seat == SEAT_NONE || life >= LIVES_MAX)
		fail("no free seat or life", life, LIVES_MAX);
	w->pid = fork();
	if (w->pid < 0)
		fail("fork", (uint64_t)errno, 0);
	if (w->pid == 0) {
		random_state ^= life * 2 + 1;
		/* no worker outlives a parent that found something wrong */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
		    getppid() != parent)
			_exit(1);
		worker_run(shm, w->seat, life);
	}
}

/* As a receiver of numbered packets tells a copy. */
static bool
seen_before(struct window *w, uint32_t number)
{
	uint64_t *word = &w->seen[number % WINDOW / 64];
	uint64_t bit = UINT64_C(1) << number % 64;

	if (number > w->highest) {
		for (uint32_t n = w->highest + 1; n <= number; n++)
			w->seen[n % WINDOW / 64] &=
			    ~(UINT64_C(1) << n % 64);
		w->highest = number;
	} else if (w->highest - number >= WINDOW)
		fail("too far out of order to tell", number, w->highest);
	if (*word & bit)
		return true;
	*word |= bit;
	return false;
}

static void
count_record(struct tally *t, const struct call_record *r)
{
	uint64_t number;

	memcpy(&number, r->request_id, sizeof(number));
	if (number >> 32 >= t->lives_used)
		fail("record of nobody", number >> 32, t->lives_used);
	if (seen_before(&t->lives[number >> 32], (uint32_t)number))
		fail("call recorded twice", number, 0);
	if (r->fee_nano < 0 || r->fee_nano > r->held_nano)
		fail("fee", (uint64_t)r->fee_nano, (uint64_t)r->held_nano);
	t->charged[r->account_id - 1] += r->fee_nano;
	t->records++;
}

static void
drain(struct shm *shm, struct tally *t)
{
	static struct call_record records[RING];
	uint32_t seat, i, n;

	for (seat = 0; seat < sizes.seats; seat++) {
		n = ring_read(shm, seat, t->position[seat], records, RING);
		for (i = 0; i < n; i++)
			count_record(t, &records[i]);
		t->position[seat] += n;
		ring_release(shm, seat, t->position[seat]);
	}
}

static void
bury(struct shm *shm, struct worker *w, struct tally *t)
{
	uint32_t account;
	int status;

	if (kill(w->pid, SIGKILL) != 0 ||
	    waitpid(w->pid, &status, 0) != w->pid)
		fail("kill", (uint64_t)errno, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail("a worker ended by itself, status", (uint64_t)status, 0);
	seat_bury(shm, w->seat);
	drain(shm, t);
	t->reclaimed += hold_reclaim(shm, w->seat, NULL);
	drain(shm, t);
	for (account = 0; account < ACCOUNTS; account++)
		if (fixture_available(shm, account) < 0)
			fail("balance below zero", account, 0);
	seat_free(shm, w->seat);
	t->kills++;
}

static void
grant(struct shm *shm, struct tally *t)
{
	uint32_t account = next_random() % ACCOUNTS;
	int64_t more = (int64_t)(next_random() % 8000000);

	if (hold_grant(shm, account, t->granted[account] + more) != HOLD_OK)
		return;
	t->granted[account] += more;
	t->grants++;
}

static void
run(struct shm *shm, struct tally *t, int64_t seconds)
{
	struct mono_time end = mono_add_ms(clock_mono(), seconds * 1000);
	struct timespec pause = { 0, 0 };
	struct worker w[WORKERS];
	unsigned i;

	for (i = 0; i < WORKERS; i++)
		start_worker(shm, &w[i], t);
	while (mono_diff_ms(end, clock_mono()) > 0) {
		pause.tv_nsec = (long)(next_random() % 3000000);
		(void)nanosleep(&pause, NULL);
		drain(shm, t);
		grant(shm, t);
		if (next_random() % 2 != 0)
			continue;
		i = next_random() % WORKERS;
		bury(shm, &w[i], t);
		start_worker(shm, &w[i], t);
	}
	for (i = 0; i < WORKERS; i++)
		bury(shm, &w[i], t);
}

int
main(int argc, char **argv)
{
	struct tally t;
	struct shm *shm;
	uint32_t account;
	int64_t seconds = argc > 1 ? atoll(argv[1]) : 5;
	uint64_t seed;

	bytes_random(&seed, sizeof(seed));
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	random_state = seed | 1;
	printf("hold_race: seed %llu, %lld s\n", (unsigned long long)seed,
	    (long long)seconds);
	(void)fflush(stdout);
	memset(&t, 0, sizeof(t));
	t.lives = calloc(LIVES_MAX, sizeof(*t.lives));
	if (t.lives == NULL)
		return 99;
	shm = fixture_segment(&sizes);
	for (account = 0; account < ACCOUNTS; account++) {
		t.granted[account] = 1000000;
		(void)fixture_account(shm, account + 1, t.granted[account]);
	}
	run(shm, &t, seconds);
	for (account = 0; account < ACCOUNTS; account++)
		if (fixture_available(shm, account) + t.charged[account] !=
		    t.granted[account])
			fail("available + charged",
			    (uint64_t)(fixture_available(shm, account) +
			    t.charged[account]), (uint64_t)t.granted[account]);
	if (hold_open_total(shm) != 0)
		fail("holds left over", hold_open_total(shm), 0);
	if (t.kills == 0 || t.records == 0)
		fail("nothing happened", t.records, 1);
	printf("hold_race: %llu kills, %llu holds reclaimed, %llu records "
	    "each once, %llu grants; granted = available + charged on %d "
	    "accounts\n", (unsigned long long)t.kills,
	    (unsigned long long)t.reclaimed, (unsigned long long)t.records,
	    (unsigned long long)t.grants, ACCOUNTS);
	free(t.lives);
	shm_close(&shm);
	return EXIT_SUCCESS;
}

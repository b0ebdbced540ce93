/*
 * bench_hold.c: what a hold with its settlement costs, alone and when two
 * processes hammer one account; and beside it, as the base line of this machine
 * in the same run, what the same two changes of a balance would cost if they
 * were plain atomic adds, of which nothing could be said after a crash.
 *
 * And what the limits of a call add to it: of a key, an account and a group,
 * none of which is set, or all of which are; and what their caps of spending add,
 * likewise.
 *
 *	bench_hold [rounds]
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "shm/budget.h"
#include "shm/limit.h"
#include "tests/unit/shm_fixture.h"

#define PROCESSES 2
#define ROUNDS 5		/* of both, in turns */

static const struct shm_sizes sizes = {
	.seats = PROCESSES + 2, .holds_per_seat = 64, .ring_records = 1024,
	.accounts = 4, .keys = 16, .channels = 1, .catalogue_bytes = 4096,
	.budgets = 8
};

struct shared {
	_Atomic uint64_t word;
	_Atomic uint32_t ready, go;
	double ns[PROCESSES];
};

static void
holds(struct shm *shm, uint32_t seat, uint64_t rounds)
{
	struct hold_book *book = hold_book_open(shm, seat);
	struct hold_terms terms = fixture_terms();
	struct call_record record = fixture_draft(1);
	uint32_t hold;
	uint64_t i;

	for (i = 0; i < rounds; i++) {
		if (hold_reserve(book, 0, 1000, &record, &terms, &hold) !=
		    HOLD_OK)
			abort();
		hold_settle(book, hold, 0, &record);
		if (i % 256 == 255)
			ring_release(shm, seat, ring_head(shm, seat));
	}
	hold_book_close(&book);
}

#define LEVELS 3
static const enum limit_level level[LEVELS] = { LIMIT_KEY, LIMIT_ACCOUNT,
	LIMIT_GROUP };

static uint32_t
slot_of(struct shm *shm, enum limit_level l)
{
	return l == LIMIT_KEY ? 3 : l == LIMIT_ACCOUNT ? 0 :
	    limit_group(shm, 1);
}

/* As worker/limits.c does for each call. */
static void
limits(struct shm *shm, uint64_t rounds)
{
	static const uint8_t address[16];
	uint64_t i, passed = 0;

	for (i = 0; i < rounds; i++) {
		uint32_t slot[LEVELS];

		for (int k = 0; k < LEVELS; k++)
			slot[k] = slot_of(shm, level[k]);
		for (int k = 0; k < LEVELS; k++) {
			struct limit_rates rates = limit_read(shm, level[k],
			    slot[k]);
			struct mono_time now = { (int64_t)i };

			if ((rates.requests | rates.concurrent |
			    rates.tokens) == 0)
				continue;
			if (limit_glance(shm, level[k], slot[k], &rates,
			    now).kind != LIMIT_PASSED ||
			    !limit_enter(shm, level[k], slot[k], &rates, 1,
			    address, now))
				abort();
			passed += limit_take(shm, level[k], slot[k], &rates,
			    100, now).kind == LIMIT_PASSED;
			limit_correct(shm, level[k], slot[k], &rates, 100, 50,
			    now);
			limit_give_back(shm, level[k], slot[k], &rates, 50);
			limit_leave(shm, level[k], slot[k]);
		}
	}
	if (passed != 0 && passed != LEVELS * rounds)
		abort();
}

/* As worker/spending.c does: a glance, the hold's, the fee's. */
static void
budgets(struct shm *shm, uint64_t rounds)
{
	const struct budget_sum taken = { 1000, 100 }, used = { 500, 50 };
	struct budget_time when;
	uint32_t slot[LEVELS];
	uint64_t i;

	for (int k = 0; k < LEVELS; k++)
		slot[k] = slot_of(shm, level[k]);
	for (i = 0; i < rounds; i++) {
		bool known = false;

		for (int k = 0; k < LEVELS; k++) {
			struct budget_caps caps = budget_read(shm, level[k],
			    slot[k]);

			if (!budget_has_caps(&caps))
				continue;
			if (!known)
				when = budget_time((int64_t)i);
			known = true;
			if (budget_glance(shm, level[k], slot[k], &caps,
			    &when) != BUDGET_PASSED || budget_take(shm,
			    level[k], slot[k], &caps, &when, &taken) !=
			    BUDGET_PASSED)
				abort();
			budget_correct(shm, level[k], slot[k], &when, &taken,
			    &used);
		}
	}
}

static void
adds(struct shared *shared, uint64_t rounds)
{
	uint64_t i;

	for (i = 0; i < rounds; i++) {
		atomic_fetch_sub(&shared->word, 1000);
		atomic_fetch_add(&shared->word, 1000);
	}
}

/* ns a round, the worst of `processes` that begin together; shm: NULL for the
 * base line. */
static double
measure(struct shm *shm, struct shared *shared, unsigned processes,
    uint64_t rounds)
{
	struct mono_time begin;
	double worst = 0;
	unsigned i;

	atomic_store(&shared->ready, 0);
	atomic_store(&shared->go, 0);
	for (i = 0; i < processes; i++) {
		if (fork() != 0)
			continue;
		atomic_fetch_add(&shared->ready, 1);
		while (atomic_load(&shared->go) == 0)
			continue;
		begin = clock_mono();
		if (shm == NULL)
			adds(shared, rounds);
		else
			holds(shm, 1 + i, rounds);
		shared->ns[i] = (double)(clock_mono().ns - begin.ns) /
		    (double)rounds;
		_exit(0);
	}
	while (atomic_load(&shared->ready) < processes)
		(void)usleep(100);
	atomic_store(&shared->go, 1);
	for (i = 0; i < processes; i++)
		(void)wait(NULL);
	for (i = 0; i < processes; i++)
		if (shared->ns[i] > worst)
			worst = shared->ns[i];
	return worst;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double
median(double *figure)
{
	qsort(figure, ROUNDS, sizeof(*figure), by_size);
	return figure[ROUNDS / 2];
}

static double
time_of(void (*what)(struct shm *, uint64_t), struct shm *shm,
    uint64_t rounds)
{
	struct mono_time begin = clock_mono();

	what(shm, rounds);
	return (double)(clock_mono().ns - begin.ns) / (double)rounds;
}

/* One process, beside a hold in turns. */
static void
measure_limits(struct shm *shm, uint64_t rounds)
{
	const struct limit_rates rates = { 1000000, 1000, 1000000000 };
	double hold[ROUNDS], without[ROUNDS], with[ROUNDS];
	struct mono_time begin;

	for (int i = 0; i < ROUNDS; i++) {
		begin = clock_mono();
		holds(shm, 1, rounds);
		hold[i] = (double)(clock_mono().ns - begin.ns) /
		    (double)rounds;
		without[i] = time_of(limits, shm, rounds);
	}
	limit_set(shm, LIMIT_KEY, 3, &rates);
	limit_set(shm, LIMIT_ACCOUNT, 0, &rates);
	limit_set(shm, LIMIT_GROUP, limit_group_put(shm, 1), &rates);
	for (int i = 0; i < ROUNDS; i++)
		with[i] = time_of(limits, shm, rounds);
	printf("\nlimits of a call, ns: none set %.1f, three levels set %.1f; "
	    "%.2f and %.2f of a hold's %.1f\n", median(without),
	    median(with), median(without) / median(hold),
	    median(with) / median(hold), median(hold));
}

/* After measure_limits(): the group has its slot. */
static void
measure_budgets(struct shm *shm, uint64_t rounds)
{
	const struct budget_caps caps = { .nano = { INT64_MAX, INT64_MAX } };
	const struct budget_use nothing = { .nano = { 0, 0 } };
	const struct budget_time when = budget_time(0);
	double without[ROUNDS], with[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		without[i] = time_of(budgets, shm, rounds);
	for (int k = 0; k < LEVELS; k++) {
		uint32_t slot = slot_of(shm, level[k]);

		if (!budget_begin(shm, level[k], slot, &when, &nothing))
			abort();
		budget_set(shm, level[k], slot, &caps);
	}
	for (int i = 0; i < ROUNDS; i++)
		with[i] = time_of(budgets, shm, rounds);
	printf("caps of a call, ns: none set %.1f, a day's and a month's at "
	    "three levels %.1f\n", median(without), median(with));
}

int
main(int argc, char **argv)
{
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 500000;
	struct shm *shm = fixture_segment(&sizes);
	struct shared *shared;
	double add[ROUNDS], hold[ROUNDS];
	unsigned n, i;

	(void)fixture_account(shm, 1, UNIT);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || rounds == 0)
		return EXIT_FAILURE;
	printf("%" PRIu64 " rounds, median of %d; ns a round; hold = reserve "
	    "+ settle + record\n%-10s %16s %8s %8s\n", rounds, ROUNDS,
	    "processes", "two plain adds", "hold", "ratio");
	for (n = 1; n <= PROCESSES; n++) {
		for (i = 0; i < ROUNDS; i++) {
			add[i] = measure(NULL, shared, n, rounds);
			hold[i] = measure(shm, shared, n, rounds);
		}
		printf("%-10u %16.1f %8.1f %8.2f\n", n, median(add),
		    median(hold), median(hold) / median(add));
	}
	measure_limits(shm, rounds);
	measure_budgets(shm, rounds);
	if (fixture_available(shm, 0) != UNIT)
		return EXIT_FAILURE;
	shm_close(&shm);
	return EXIT_SUCCESS;
}

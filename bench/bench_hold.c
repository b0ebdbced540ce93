/*
 * bench_hold.c: what a hold with its settlement costs, alone and when two
 * processes hammer one account; and beside it, as the base line of this machine
 * in the same run, what the same two changes of a balance would cost if they
 * were plain atomic adds, of which nothing could be said after a crash.
 *
 *	bench_hold [rounds]
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "tests/unit/shm_fixture.h"

#define PROCESSES 2
#define ROUNDS 5		/* of both, in turns */

static const struct shm_sizes sizes = {
	.seats = PROCESSES + 2, .holds_per_seat = 64, .ring_records = 1024,
	.accounts = 4, .keys = 16, .channels = 1, .catalogue_bytes = 4096
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
	if (fixture_available(shm, 0) != UNIT)
		return EXIT_FAILURE;
	shm_close(&shm);
	return EXIT_SUCCESS;
}

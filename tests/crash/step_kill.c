/*
 * step_kill.c: a process is single-stepped through the life of a hold and
 * killed at an instruction; then the reclaimer runs, and the total must be
 * exact to the nano and the record there at most once.
 *
 *	step_kill [--all | --kills N] [--seed N]
 *
 * Four acts, each killed at its every k-th instruction (every one with --all):
 *	call		reserve, extend, refused extend, progress, settle
 *	grant		the flusher gives money
 *	reclaim		the reclaimer itself, after a call killed anywhere
 *	refusal		a record without a hold
 * In every second round another worker uses the account between the death and
 * the reclaiming, so that the dead one's name is gone from the cell.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "shm/layout.h"
#include "tests/unit/shm_fixture.h"

#define GRANTED (5 * UNIT)
#define FEE_SEEN 220		/* of the progress that the call reports */
#define FEE_FINAL 420		/* what it settles with */
#define SEAT 1
#define OTHER_SEAT 2

static const struct shm_sizes sizes = {
	.seats = 3, .holds_per_seat = 4, .ring_records = 8, .accounts = 2,
	.keys = 1, .channels = 1, .catalogue_bytes = 4096
};

static struct shm *shm;
static uint8_t *pristine;
static uint64_t kills, checks;

struct act {
	const char *name;
	void (*prepare)(void);
	void (*perform)(void);
	void (*recover)(void);
	void (*check)(uint64_t at);
};

static _Noreturn void
fail(const char *what, uint64_t at, int64_t is)
{
	fprintf(stderr, "step_kill: killed at instruction %llu: %s: %lld\n",
	    (unsigned long long)at, what, (long long)is);
	exit(EXIT_FAILURE);
}

/* The record and the amounts of a call. */
static void
perform_call(void)
{
	static struct hold_progress progress;
	struct hold_book *book = hold_book_open(shm, SEAT);
	struct hold_terms terms = fixture_terms();
	struct call_record record = fixture_draft(7);
	uint32_t hold;

	if (book == NULL)
		_exit(99);
	(void)raise(SIGSTOP);
	if (hold_reserve(book, 0, 1000, &record, &terms, &hold) != HOLD_OK ||
	    hold_extend(book, hold, 500) != HOLD_OK ||
	    hold_extend(book, hold, 100 * UNIT) != HOLD_SHORT)
		_exit(98);
	progress.billable = true;
	progress.usage.count[USAGE_INPUT] = 200;
	progress.usage.count[USAGE_OUTPUT] = 10;
	hold_progress(book, hold, &progress);
	hold_settle(book, hold, FEE_FINAL, &record);
	_exit(0);
}

static void
perform_refusal(void)
{
	struct hold_book *book = hold_book_open(shm, SEAT);
	struct call_record record = fixture_draft(7);

	if (book == NULL)
		_exit(99);
	(void)raise(SIGSTOP);
	_exit(hold_publish_refusal(book, &record) ? 0 : 98);
}

static void
perform_grant(void)
{
	(void)raise(SIGSTOP);
	_exit(hold_grant(shm, 0, GRANTED + UNIT) == HOLD_OK ? 0 : 98);
}

static void
perform_reclaim(void)
{
	(void)raise(SIGSTOP);
	(void)hold_reclaim(shm, SEAT, NULL);
	_exit(0);
}

/* Another worker's whole call on the same account, at no fee. */
static void
somebody_else(void)
{
	struct hold_book *book = hold_book_open(shm, OTHER_SEAT);
	struct hold_terms terms = fixture_terms();
	struct call_record record = fixture_draft(8);
	uint32_t hold;

	if (book == NULL || hold_reserve(book, 0, 50, &record, &terms,
	    &hold) != HOLD_OK)
		fail("another worker's call", 0, 0);
	hold_settle(book, hold, 0, &record);
	hold_book_close(&book);
}

static void
recover_call(void)
{
	(void)hold_reclaim(shm, SEAT, NULL);
	(void)hold_reclaim(shm, SEAT, NULL);
}

static void
recover_grant(void)
{
	hold_grant_recover(shm);
	if (hold_grant(shm, 0, GRANTED + UNIT) != HOLD_OK)
		fail("grant after recovery", 0, 0);
}

static void
recover_nothing(void)
{
}

static void
check_call(uint64_t at)
{
	struct call_record seen[8];
	uint32_t n = ring_read(shm, SEAT, 0, seen, 8);
	int64_t fee = n == 0 ? 0 : seen[0].fee_nano;
	struct call_record want = fixture_draft(7);

	if (n > 1)
		fail("records of one call", at, n);
	if (n == 1 && memcmp(seen[0].request_id, want.request_id,
	    sizeof(want.request_id)) != 0)
		fail("another call's record", at, n);
	if (fee != 0 && fee != FEE_SEEN && fee != FEE_FINAL)
		fail("fee", at, fee);
	if (fixture_available(shm, 0) + fee != GRANTED)
		fail("available + charged", at,
		    fixture_available(shm, 0) + fee);
	if (hold_open_total(shm) != 0)
		fail("holds left over", at, hold_open_total(shm));
	checks++;
}

static void
check_grant(uint64_t at)
{
	if (fixture_available(shm, 0) != GRANTED + UNIT)
		fail("available after the grant", at,
		    fixture_available(shm, 0));
	checks++;
}

static void
check_refusal(uint64_t at)
{
	if (ring_head(shm, SEAT) > 1 || fixture_available(shm, 0) != GRANTED)
		fail("a refusal changed something", at,
		    (int64_t)ring_head(shm, SEAT));
	checks++;
}

static void
prepare_fresh(void)
{
	memcpy(shm->base, pristine, shm->bytes);
}

/*
 * Lets perform() run for `steps` instructions after its SIGSTOP and kills it.
 * Returns how many it really took: fewer when it was at its end.
 */
static uint64_t
run_for(void (*perform)(void), uint64_t steps)
{
	uint64_t taken;
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		fail("fork", 0, errno);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(97);
		perform();
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		fail("the traced process did not start, status", 0, status);
	for (taken = 0; taken < steps; taken++) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0)
			fail("PTRACE_SINGLESTEP", taken, errno);
		if (waitpid(pid, &status, 0) != pid)
			fail("waitpid", taken, errno);
		if (WIFEXITED(status)) {
			if (WEXITSTATUS(status) != 0)
				fail("the act failed by itself, status",
				    taken, WEXITSTATUS(status));
			return taken;
		}
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			fail("stopped by something else", taken, status);
	}
	if (kill(pid, SIGKILL) != 0 || waitpid(pid, &status, 0) != pid)
		fail("kill", taken, errno);
	kills++;
	return taken;
}

static void
one_kill(const struct act *act, uint64_t at, bool crowded)
{
	if (act->prepare != NULL)
		act->prepare();
	(void)run_for(act->perform, at);
	if (crowded)
		somebody_else();
	act->recover();
	act->check(at);
}

static uint64_t length_of_call;

/* A call killed somewhere, for the reclaimer to be killed at. */
static uint64_t call_killed_at;

static void
prepare_dead_call(void)
{
	prepare_fresh();
	(void)run_for(perform_call, call_killed_at);
}

static uint64_t
length_of(const struct act *act)
{
	if (act->prepare != NULL)
		act->prepare();
	return run_for(act->perform, UINT64_MAX);
}

/* Every stride-th instruction, from a seeded offset on. */
static void
run_act(const struct act *act, uint64_t want, uint64_t seed, bool quiet)
{
	uint64_t length = length_of(act), stride, at, before = kills;

	if (length == 0)
		fail("an act of no instructions", 0, 0);
	stride = want == 0 || length <= want ? 1 : length / want;
	for (at = stride == 1 ? 0 : seed % stride; at < length; at += stride) {
		one_kill(act, at, false);
		if (act->perform != perform_grant)
			one_kill(act, at, true);
	}
	if (!quiet)
		printf("step_kill: %-8s %6llu instructions, every %llu., "
		    "%llu kills\n", act->name, (unsigned long long)length,
		    (unsigned long long)stride,
		    (unsigned long long)(kills - before));
	(void)fflush(stdout);
	if (act->perform == perform_call)
		length_of_call = length;
}

/* Tracer and traced take turns; moving between processors only costs. */
static void
stay_on_one_processor(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : (unsigned)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

int
main(int argc, char **argv)
{
	static const struct act acts[] = {
		{ "call", prepare_fresh, perform_call, recover_call,
		    check_call },
		{ "grant", prepare_fresh, perform_grant, recover_grant,
		    check_grant },
		{ "refusal", prepare_fresh, perform_refusal, recover_nothing,
		    check_refusal }
	};
	static const struct act reclaim = { "reclaim", prepare_dead_call,
		perform_reclaim, recover_call, check_call };
	uint64_t seed, want = 80, i, points = 12, before;
	int a;

	bytes_random(&seed, sizeof(seed));
	for (a = 1; a < argc; a++)
		if (strcmp(argv[a], "--all") == 0)
			want = 0;
		else if (a + 1 < argc && strcmp(argv[a], "--kills") == 0)
			want = strtoull(argv[++a], NULL, 0);
		else if (a + 1 < argc && strcmp(argv[a], "--seed") == 0)
			seed = strtoull(argv[++a], NULL, 0);
		else
			return 2;
	stay_on_one_processor();
	printf("step_kill: seed %llu\n", (unsigned long long)seed);
	shm = fixture_segment(&sizes);
	(void)fixture_account(shm, 1, GRANTED);
	pristine = malloc(shm->bytes);
	if (pristine == NULL)
		return 99;
	memcpy(pristine, shm->base, shm->bytes);
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		run_act(&acts[i], want, seed, false);
	before = kills;
	if (want == 0)
		points = 64;
	for (i = 0; i < points; i++) {
		/* the later half of a call is where settling happens */
		call_killed_at = length_of_call - 1 -
		    (seed / 7 + i * length_of_call / points) % length_of_call;
		run_act(&reclaim, want / 16 + 1, seed + i, true);
	}
	printf("step_kill: reclaim after %llu dead calls, %llu kills\n",
	    (unsigned long long)points, (unsigned long long)(kills - before));
	printf("step_kill: %llu kills, %llu totals checked, 0 discrepancies\n",
	    (unsigned long long)kills, (unsigned long long)checks);
	free(pristine);
	shm_close(&shm);
	return EXIT_SUCCESS;
}

/*
 * test_shm_limit.c: rates by a clock that stands, calls at once by several
 * processes, some of which are killed.
 */
#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "shm/budget.h"
#include "shm/limit.h"
#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"

#define S INT64_C(1000000000)
#define T0 (1000 * S)
#define RACERS 4
#define DAY_US (INT64_C(86400) * 1000000)

static struct shm *shm;
static uint32_t account;

static void
set_up(void)
{
	shm = fixture_segment(&fixture_sizes);
	account = fixture_account(shm, 7, 100 * UNIT);
}

static void
tear_down(void)
{
	shm_close(&shm);
}

static struct mono_time
at(int64_t ns)
{
	return (struct mono_time){ T0 + ns };
}

static struct limit_verdict
take(const struct limit_rates *rates, uint64_t tokens, int64_t ns)
{
	return limit_take(shm, LIMIT_ACCOUNT, account, rates, tokens, at(ns));
}

START_TEST(test_a_minutes_requests_pass_at_once_and_not_one_more)
{
	static const uint32_t limits[] = { 1, 7, 60, 999, 244949, 1000003 };
	struct limit_verdict verdict;

	for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++) {
		struct limit_rates rates = { .requests = limits[k] };
		uint32_t slot = (uint32_t)k;

		for (uint32_t i = 0; i < limits[k]; i++)
			ck_assert_int_eq(limit_take(shm, LIMIT_ACCOUNT, slot,
			    &rates, 0, at(0)).kind, LIMIT_PASSED);
		verdict = limit_take(shm, LIMIT_ACCOUNT, slot, &rates, 0,
		    at(0));
		ck_assert_int_eq(verdict.kind, LIMIT_REQUESTS);
		ck_assert_uint_eq(verdict.limit, limits[k]);
		ck_assert_int_gt(verdict.wait_ns, 0);
		/* Not a nanosecond too early, nor too late. */
		ck_assert_int_eq(limit_take(shm, LIMIT_ACCOUNT, slot, &rates,
		    0, at(verdict.wait_ns - 1)).kind, LIMIT_REQUESTS);
		ck_assert_int_eq(limit_take(shm, LIMIT_ACCOUNT, slot, &rates,
		    0, at(verdict.wait_ns)).kind, LIMIT_PASSED);
		ck_assert_int_eq(limit_take(shm, LIMIT_ACCOUNT, slot, &rates,
		    0, at(verdict.wait_ns)).kind, LIMIT_REQUESTS);
	}
}
END_TEST

START_TEST(test_it_grows_back_evenly)
{
	struct limit_rates rates = { .requests = 60 };

	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(take(&rates, 0, 0).kind, LIMIT_PASSED);
	for (int s = 1; s <= 30; s++) {
		ck_assert_int_eq(take(&rates, 0, s * S).kind, LIMIT_PASSED);
		ck_assert_int_eq(take(&rates, 0, s * S).kind, LIMIT_REQUESTS);
	}
	/* However long nobody came, no more than a minute's worth. */
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(take(&rates, 0, 7200 * S).kind,
		    LIMIT_PASSED);
	ck_assert_int_eq(take(&rates, 0, 7200 * S).kind, LIMIT_REQUESTS);
}
END_TEST

START_TEST(test_tokens_are_corrected_both_ways)
{
	struct limit_rates rates = { .tokens = 6000 };
	struct limit_state requests, tokens;

	ck_assert_int_eq(take(&rates, 5000, 0).kind, LIMIT_PASSED);
	ck_assert_int_eq(take(&rates, 1001, 0).kind, LIMIT_TOKENS);
	limit_correct(shm, LIMIT_ACCOUNT, account, &rates, 5000, 1000, at(0));
	limit_state(shm, LIMIT_ACCOUNT, account, &rates, at(0), &requests,
	    &tokens);
	ck_assert_uint_eq(requests.limit, 0);
	ck_assert_uint_eq(tokens.limit, 6000);
	ck_assert_uint_eq(tokens.remaining, 5000);
	ck_assert_int_eq(tokens.reset_ns, 10 * S);
	ck_assert_int_eq(take(&rates, 5000, 0).kind, LIMIT_PASSED);
	/* It came to more than was there: that is owed. */
	limit_correct(shm, LIMIT_ACCOUNT, account, &rates, 5000, 8000, at(0));
	ck_assert_int_eq(take(&rates, 1, 0).wait_ns, 30 * S + 10000000);
	ck_assert_int_eq(take(&rates, 1, 30 * S).kind, LIMIT_TOKENS);
	ck_assert_int_eq(take(&rates, 1, 30 * S + 10000000).kind,
	    LIMIT_PASSED);
}
END_TEST

START_TEST(test_what_is_larger_than_a_minute_passes_when_all_is_there)
{
	struct limit_rates rates = { .tokens = 600, .requests = 10 };
	struct limit_state requests, tokens;

	ck_assert_int_eq(take(&rates, 100000, 0).kind, LIMIT_PASSED);
	/* The request that the tokens refused was given back. */
	ck_assert_int_eq(take(&rates, 100000, S).kind, LIMIT_TOKENS);
	limit_state(shm, LIMIT_ACCOUNT, account, &rates, at(0), &requests,
	    &tokens);
	ck_assert_uint_eq(requests.remaining, 9);
	ck_assert_uint_eq(tokens.remaining, 0);
	/* A debt is forgotten after an hour at most. */
	ck_assert_int_eq(take(&rates, 1, 3601 * S).kind, LIMIT_PASSED);
}
END_TEST

START_TEST(test_a_glance_says_the_same_and_changes_nothing)
{
	struct limit_rates rates = { .requests = 2, .tokens = 100 };

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(limit_glance(shm, LIMIT_ACCOUNT, account,
		    &rates, at(0)).kind, LIMIT_PASSED);
	ck_assert_int_eq(take(&rates, 50, 0).kind, LIMIT_PASSED);
	ck_assert_int_eq(take(&rates, 50, 0).kind, LIMIT_PASSED);
	ck_assert_int_eq(limit_glance(shm, LIMIT_ACCOUNT, account, &rates,
	    at(0)).kind, LIMIT_REQUESTS);
	limit_give_back(shm, LIMIT_ACCOUNT, account, &rates, 50);
	ck_assert_int_eq(limit_glance(shm, LIMIT_ACCOUNT, account, &rates,
	    at(0)).kind, LIMIT_PASSED);
}
END_TEST

START_TEST(test_nodes_share_a_limit)
{
	struct limit_rates rates = { 100, 10, 1000 }, part;

	limit_set(shm, LIMIT_ACCOUNT, account, &rates);
	shm_gauge_set(shm, SHM_GAUGE_NODES_UP, 4);
	part = limit_read(shm, LIMIT_ACCOUNT, account);
	ck_assert_uint_eq(part.requests, 25);
	ck_assert_uint_eq(part.concurrent, 2);
	ck_assert_uint_eq(part.tokens, 250);
	shm_gauge_set(shm, SHM_GAUGE_NODES_UP, 1000);
	ck_assert_uint_eq(limit_read(shm, LIMIT_ACCOUNT,
	    account).concurrent, 1);
}
END_TEST

START_TEST(test_groups_are_found_again)
{
	struct limit_rates rates = { .requests = 5 };
	uint32_t slot = limit_group_put(shm, 12);

	ck_assert_uint_ne(slot, LIMIT_NONE);
	ck_assert_uint_eq(limit_group_put(shm, 12), slot);
	limit_set(shm, LIMIT_GROUP, slot, &rates);
	ck_assert_uint_eq(limit_group(shm, 12), slot);
	ck_assert_uint_eq(limit_read(shm, LIMIT_GROUP, slot).requests, 5);
	ck_assert_uint_eq(limit_group(shm, 13), LIMIT_NONE);
	for (uint64_t i = 100; i < 100 + LIMIT_GROUPS - 1; i++)
		ck_assert_uint_ne(limit_group_put(shm, i), LIMIT_NONE);
	ck_assert_uint_eq(limit_group_put(shm, 99), LIMIT_NONE);
	ck_assert_uint_eq(limit_group(shm, 99), LIMIT_NONE);
	ck_assert_uint_eq(limit_group(shm, 12), slot);
}
END_TEST

START_TEST(test_addresses_are_told_apart_and_not_pushed_out)
{
	struct limit_rates rates = { .requests = 1 };
	uint8_t v4[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0,
		[14] = 2, [15] = 1 };
	uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8 }, other[16];
	struct budget_time day = budget_time(0), next = budget_time(DAY_US);
	struct budget_caps caps = { .nano = { 100 } };
	struct budget_sum some = { 60, 0 };
	uint32_t slot = limit_address(shm, v4, &day, at(0)), full = 0;

	ck_assert_uint_ne(slot, LIMIT_NONE);
	memcpy(other, v6, 16);
	other[15] = 9;
	ck_assert_uint_eq(limit_address(shm, v6, &day, at(0)),
	    limit_address(shm, other, &day, at(0)));
	other[7] = 9;
	ck_assert_uint_ne(limit_address(shm, v6, &day, at(0)),
	    limit_address(shm, other, &day, at(0)));
	ck_assert_int_eq(limit_take(shm, LIMIT_ADDRESS, slot, &rates, 0,
	    at(0)).kind, LIMIT_PASSED);
	/* Whoever has many addresses fills sets, and pushes nobody out. */
	for (uint32_t i = 0; i < 8 * LIMIT_ADDRESSES; i++) {
		uint32_t s;

		memcpy(other, v6, 16);
		memcpy(other + 4, &i, 4);
		s = limit_address(shm, other, &day, at(0));
		if (s == LIMIT_NONE)
			full++;
		else
			(void)limit_take(shm, LIMIT_ADDRESS, s, &rates, 0,
			    at(0));
	}
	ck_assert_uint_gt(full, 0);
	ck_assert_uint_eq(limit_address(shm, v4, &day, at(S)), slot);
	ck_assert_int_eq(limit_take(shm, LIMIT_ADDRESS, slot, &rates, 0,
	    at(S)).kind, LIMIT_REQUESTS);
	/* What has nothing left to forget makes room. */
	memset(other, 0x33, 16);
	ck_assert_uint_ne(limit_address(shm, other, &day, at(61 * S)),
	    LIMIT_NONE);
	/* Nor is what was spent forgotten before the day is over. */
	slot = limit_address(shm, v4, &day, at(200 * S));
	ck_assert_uint_ne(slot, LIMIT_NONE);
	ck_assert_int_eq(budget_take(shm, LIMIT_ADDRESS, slot, &caps, &day,
	    &some), BUDGET_PASSED);
	ck_assert(!budget_idle(shm, LIMIT_ADDRESS, slot, &day));
	ck_assert(budget_idle(shm, LIMIT_ADDRESS, slot, &next));
	for (uint32_t i = 0; i < 8 * LIMIT_ADDRESSES; i++) {
		memcpy(other, v6, 16);
		memcpy(other + 4, &i, 4);
		ck_assert_uint_ne(limit_address(shm, other, &day,
		    at(200 * S)), slot);
	}
	ck_assert_int_eq(budget_take(shm, LIMIT_ADDRESS, slot, &caps, &day,
	    &some), BUDGET_DAY_SPENT);
	ck_assert_int_eq(budget_take(shm, LIMIT_ADDRESS, slot, &caps, &next,
	    &some), BUDGET_PASSED);
}
END_TEST

static bool
open_call(struct hold_book *book, const struct limit_rates *rates,
    uint32_t *hold_r)
{
	struct call_record draft = { .account_id = 7 };
	struct hold_terms terms;
	uint8_t address[16] = { 0 };

	memset(&terms, 0, sizeof(terms));
	if (hold_reserve(book, account, 1, &draft, &terms, hold_r) != HOLD_OK)
		return false;
	if (limit_enter(shm, LIMIT_ACCOUNT, account, rates, 7, address,
	    clock_mono()))
		return true;
	hold_settle(book, *hold_r, 0, &draft);
	return false;
}

static void
close_call(struct hold_book *book, uint32_t hold)
{
	struct call_record record = { .account_id = 7 };

	limit_leave(shm, LIMIT_ACCOUNT, account);
	hold_settle(book, hold, 0, &record);
}

START_TEST(test_calls_of_a_killed_worker_free_themselves)
{
	struct limit_rates rates = { .concurrent = 3 };
	uint64_t generation;
	uint32_t seat = seat_assign(shm, &generation), hold;
	struct hold_book *book;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		book = hold_book_open(shm, seat);
		for (int i = 0; i < 3; i++)
			if (!open_call(book, &rates, &hold))
				_exit(1);
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_uint_eq(limit_open(shm, LIMIT_ACCOUNT, account), 3);
	book = hold_book_open(shm, seat_assign(shm, &generation));
	/* Its holds are there until they are reclaimed. */
	ck_assert(!open_call(book, &rates, &hold));
	seat_bury(shm, seat);
	ck_assert_uint_eq(hold_reclaim(shm, seat, NULL), 3);
	usleep(30000);
	for (int i = 0; i < 3; i++)
		ck_assert(open_call(book, &rates, &hold));
	ck_assert_uint_eq(limit_open(shm, LIMIT_ACCOUNT, account), 3);
	ck_assert(!open_call(book, &rates, &hold));
	hold_book_close(&book);
}
END_TEST

/* In memory of its own: how many are in, and the most that ever were. */
struct tally {
	_Atomic int in, most, passed;
};

static void
race(struct tally *tally, const struct limit_rates *rates, uint32_t seat)
{
	struct hold_book *book = hold_book_open(shm, seat);
	uint32_t hold;

	for (int i = 0; i < 20000; i++) {
		int in, most;

		if (ring_space(shm, seat) < 2)
			ring_release(shm, seat, ring_head(shm, seat));
		if (!open_call(book, rates, &hold))
			continue;
		in = atomic_fetch_add(&tally->in, 1) + 1;
		atomic_fetch_add(&tally->passed, 1);
		most = atomic_load(&tally->most);
		while (in > most && !atomic_compare_exchange_weak(
		    &tally->most, &most, in))
			continue;
		if (i % 64 == 0)
			usleep(1);
		atomic_fetch_sub(&tally->in, 1);
		close_call(book, hold);
	}
	_exit(0);
}

START_TEST(test_never_more_at_once_in_all_processes)
{
	struct limit_rates rates = { .concurrent = 2 };
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ |
	    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct shm_sizes sizes = fixture_sizes;
	uint64_t generation;
	int status;

	ck_assert_ptr_ne(tally, MAP_FAILED);
	shm_close(&shm);
	sizes.seats = RACERS + 1;
	shm = fixture_segment(&sizes);
	account = fixture_account(shm, 7, 1000000);
	for (int i = 0; i < RACERS; i++) {
		uint32_t seat = seat_assign(shm, &generation);

		if (fork() == 0)
			race(tally, &rates, seat);
	}
	for (int i = 0; i < RACERS; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(atomic_load(&tally->most), 2);
	ck_assert_int_gt(atomic_load(&tally->passed), 1000);
	munmap(tally, sizeof(*tally));
}
END_TEST

START_TEST(test_never_more_a_minute_in_all_processes)
{
	struct limit_rates rates = { .requests = 5000 };
	_Atomic int *passed = mmap(NULL, sizeof(*passed), PROT_READ |
	    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	ck_assert_ptr_ne(passed, MAP_FAILED);
	for (int i = 0; i < RACERS; i++)
		if (fork() == 0) {
			for (int k = 0; k < 5000; k++)
				if (take(&rates, 0, 0).kind == LIMIT_PASSED)
					atomic_fetch_add(passed, 1);
			_exit(0);
		}
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(atomic_load(passed), 5000);
	munmap(passed, sizeof(*passed));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("shm_limit");
	TCase *tc = tcase_create("limit");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc,
	    test_a_minutes_requests_pass_at_once_and_not_one_more);
	tcase_add_test(tc, test_it_grows_back_evenly);
	tcase_add_test(tc, test_tokens_are_corrected_both_ways);
	tcase_add_test(tc,
	    test_what_is_larger_than_a_minute_passes_when_all_is_there);
	tcase_add_test(tc, test_a_glance_says_the_same_and_changes_nothing);
	tcase_add_test(tc, test_nodes_share_a_limit);
	tcase_add_test(tc, test_groups_are_found_again);
	tcase_add_test(tc, test_addresses_are_told_apart_and_not_pushed_out);
	tcase_add_test(tc, test_calls_of_a_killed_worker_free_themselves);
	tcase_add_test(tc, test_never_more_at_once_in_all_processes);
	tcase_add_test(tc, test_never_more_a_minute_in_all_processes);
	suite_add_tcase(s, tc);
	return run_suite(s);
}

/*
 * test_shm_budget.c: caps of a day, a month and in all, also by several
 * processes, some of which are killed.
 */
#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "shm/budget.h"
#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"

#define DAY_US (INT64_C(86400) * 1000000)
/* 2026-11-27T00:00:00Z */
#define NOW_US (INT64_C(20784) * DAY_US)
#define RACERS 4

static struct shm *shm;
static uint32_t account;
static struct budget_time now;

static void
set_up(void)
{
	struct shm_sizes sizes = fixture_sizes;

	sizes.budgets = 2;
	shm = fixture_segment(&sizes);
	account = fixture_account(shm, 7, 100 * UNIT);
	now = budget_time(NOW_US);
}

static void
tear_down(void)
{
	shm_close(&shm);
}

static struct budget_caps
begin(struct budget_caps caps)
{
	struct budget_use nothing;

	memset(&nothing, 0, sizeof(nothing));
	ck_assert(budget_begin(shm, LIMIT_ACCOUNT, account, &now, &nothing));
	budget_set(shm, LIMIT_ACCOUNT, account, &caps);
	return budget_read(shm, LIMIT_ACCOUNT, account);
}

static enum budget_verdict
take(const struct budget_caps *caps, int64_t nano, uint64_t tokens)
{
	struct budget_sum sum = { nano, tokens };

	return budget_take(shm, LIMIT_ACCOUNT, account, caps, &now, &sum);
}

static void
correct(int64_t taken, int64_t used)
{
	struct budget_sum t = { taken, 0 }, u = { used, 0 };

	budget_correct(shm, LIMIT_ACCOUNT, account, &now, &t, &u);
}

START_TEST(test_days_and_months_are_the_calendars)
{
	static const struct {
		int64_t day;
		uint64_t month;
	} known[] = {
		{ 0, 0 },			/* 1970-01-01 */
		{ 30, 0 }, { 31, 1 },
		{ 11016, 361 },			/* 2000-02-29 */
		{ 11017, 362 },			/* 2000-03-01 */
		{ 20088, 659 },			/* 2024-12-31 */
		{ 20089, 660 }, { 20784, 682 },	/* 2026-11-27 */
		{ 47540, 1561 },		/* 2100-02-28, no leap year */
		{ 47541, 1562 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct budget_time first = budget_time(known[i].day * DAY_US);
		struct budget_time last = budget_time((known[i].day + 1) *
		    DAY_US - 1);

		ck_assert_uint_eq(first.period[BUDGET_DAY], known[i].day);
		ck_assert_uint_eq(first.period[BUDGET_MONTH], known[i].month);
		ck_assert_uint_eq(last.period[BUDGET_DAY], known[i].day);
		ck_assert_uint_eq(last.period[BUDGET_MONTH], known[i].month);
	}
	ck_assert_int_eq(budget_left_us(BUDGET_DAY, NOW_US + 1), DAY_US - 1);
	/* The 27th to the 30th. */
	ck_assert_int_eq(budget_left_us(BUDGET_MONTH, NOW_US), 4 * DAY_US);
}
END_TEST

START_TEST(test_a_cap_is_kept_to_the_nano)
{
	struct budget_caps caps = begin((struct budget_caps){
		.nano = { [BUDGET_DAY] = 100 } });

	ck_assert_int_eq(take(&caps, 60, 5), BUDGET_PASSED);
	ck_assert_int_eq(take(&caps, 41, 5), BUDGET_DAY_SPENT);
	ck_assert_int_eq(take(&caps, 40, 5), BUDGET_PASSED);
	ck_assert_int_eq(budget_glance(shm, LIMIT_ACCOUNT, account, &caps,
	    &now), BUDGET_DAY_SPENT);
	ck_assert_int_eq(take(&caps, 0, 5), BUDGET_PASSED);
	/* The second came to 10. */
	correct(40, 10);
	ck_assert_int_eq(take(&caps, 31, 0), BUDGET_DAY_SPENT);
	ck_assert_int_eq(take(&caps, 30, 0), BUDGET_PASSED);
	ck_assert_int_eq(take(&caps, INT64_MAX, 0), BUDGET_DAY_SPENT);
}
END_TEST

START_TEST(test_what_is_refused_takes_nothing_of_any_cap)
{
	struct budget_caps caps = begin((struct budget_caps){
		.nano = { 1000, 1000 }, .total_nano = 50,
		.total_tokens = 7 });
	struct budget_use use;

	ck_assert_int_eq(take(&caps, 51, 1), BUDGET_TOTAL_SPENT);
	ck_assert_int_eq(take(&caps, 50, 8), BUDGET_TOKENS_USED);
	use = budget_used(shm, LIMIT_ACCOUNT, account, &now);
	ck_assert_int_eq(use.nano[BUDGET_DAY], 0);
	ck_assert_int_eq(use.nano[BUDGET_MONTH], 0);
	ck_assert_int_eq(use.total.nano, 0);
	ck_assert_uint_eq(use.total.tokens, 0);
	ck_assert_int_eq(take(&caps, 50, 7), BUDGET_PASSED);
}
END_TEST

START_TEST(test_a_call_belongs_to_the_day_in_which_it_began)
{
	struct budget_caps caps = begin((struct budget_caps){
		.nano = { 100, 150 } });
	struct budget_time yesterday = now;
	struct budget_sum more = { 90, 0 }, none = { 0, 0 };

	ck_assert_int_eq(take(&caps, 100, 0), BUDGET_PASSED);
	now = budget_time(NOW_US + DAY_US);
	ck_assert_int_eq(take(&caps, 51, 0), BUDGET_MONTH_SPENT);
	ck_assert_int_eq(take(&caps, 50, 0), BUDGET_PASSED);
	/* It ends: the day is over, the month has it back. */
	budget_correct(shm, LIMIT_ACCOUNT, account, &yesterday,
	    &(struct budget_sum){ 100, 0 }, &none);
	ck_assert_int_eq(budget_used(shm, LIMIT_ACCOUNT, account,
	    &now).nano[BUDGET_DAY], 50);
	ck_assert_int_eq(budget_used(shm, LIMIT_ACCOUNT, account,
	    &now).nano[BUDGET_MONTH], 50);
	/* One of yesterday's goes on: no day counts that, the month does. */
	ck_assert_int_eq(budget_take(shm, LIMIT_ACCOUNT, account, &caps,
	    &yesterday, &more), BUDGET_PASSED);
	ck_assert_int_eq(budget_used(shm, LIMIT_ACCOUNT, account,
	    &now).nano[BUDGET_DAY], 50);
	ck_assert_int_eq(take(&caps, 11, 0), BUDGET_MONTH_SPENT);
	now = budget_time(NOW_US + 4 * DAY_US);
	ck_assert_int_eq(take(&caps, 100, 0), BUDGET_PASSED);
}
END_TEST

START_TEST(test_it_begins_with_what_was_used_before)
{
	struct budget_use use = { .nano = { 30, 70 },
		.total = { 200, 1000 } };
	struct budget_caps caps = { .nano = { 40 }, .total_tokens = 1001 };
	uint32_t other = fixture_account(shm, 8, UNIT);
	uint32_t third = fixture_account(shm, 9, UNIT);

	ck_assert(!budget_is_counted(shm, LIMIT_ACCOUNT, account));
	ck_assert(budget_begin(shm, LIMIT_ACCOUNT, account, &now, &use));
	budget_set(shm, LIMIT_ACCOUNT, account, &caps);
	ck_assert(budget_is_counted(shm, LIMIT_ACCOUNT, account));
	ck_assert_int_eq(take(&caps, 11, 1), BUDGET_DAY_SPENT);
	ck_assert_int_eq(take(&caps, 10, 2), BUDGET_TOKENS_USED);
	ck_assert_int_eq(take(&caps, 10, 1), BUDGET_PASSED);
	/* Without caps it is forgotten, and keeps its place. */
	caps = (struct budget_caps){ .total_nano = 0 };
	budget_set(shm, LIMIT_ACCOUNT, account, &caps);
	ck_assert(!budget_is_counted(shm, LIMIT_ACCOUNT, account));
	ck_assert(budget_begin(shm, LIMIT_ACCOUNT, account, &now, &use));
	ck_assert(budget_begin(shm, LIMIT_ACCOUNT, other, &now, &use));
	ck_assert(!budget_begin(shm, LIMIT_ACCOUNT, third, &now, &use));
	ck_assert(!budget_begin(shm, LIMIT_ACCOUNT, 4000, &now, &use));
}
END_TEST

START_TEST(test_tokens_may_come_to_more_than_was_taken)
{
	struct budget_caps caps = begin((struct budget_caps){
		.total_tokens = 100 });
	struct budget_sum taken = { 5, 10 }, used = { 3, 101 };

	ck_assert_int_eq(take(&caps, 5, 10), BUDGET_PASSED);
	budget_correct(shm, LIMIT_ACCOUNT, account, &now, &taken, &used);
	ck_assert_uint_eq(budget_used(shm, LIMIT_ACCOUNT, account,
	    &now).total.tokens, 101);
	ck_assert_int_eq(take(&caps, 0, 1), BUDGET_TOKENS_USED);
	ck_assert_int_eq(budget_glance(shm, LIMIT_ACCOUNT, account, &caps,
	    &now), BUDGET_TOKENS_USED);
}
END_TEST

START_TEST(test_nodes_share_a_cap)
{
	struct budget_caps caps = begin((struct budget_caps){
		.nano = { 101 } });

	ck_assert_int_eq(caps.nano[BUDGET_DAY], 101);
	shm_gauge_set(shm, SHM_GAUGE_NODES_UP, 2);
	ck_assert_int_eq(budget_read(shm, LIMIT_ACCOUNT,
	    account).nano[BUDGET_DAY], 50);
}
END_TEST

/* As a worker does it: taken, then held. */
static void
open_call(struct hold_book *book, const struct budget_caps *caps, int64_t nano,
    uint32_t *hold_r)
{
	struct call_record draft = fixture_draft(1);
	struct hold_terms terms = fixture_terms();

	draft.account_id = 7;
	for (int i = 0; i < LIMIT_LEVELS; i++)
		terms.budget[i] = LIMIT_NONE;
	terms.budget[LIMIT_ACCOUNT] = account;
	terms.when = now;
	terms.spending = (struct budget_sum){ nano, 10 };
	if (take(caps, nano, 10) != BUDGET_PASSED ||
	    hold_reserve(book, account, nano, &draft, &terms, hold_r) !=
	    HOLD_OK)
		_exit(1);
}

START_TEST(test_a_killed_workers_calls_give_back_what_they_did_not_use)
{
	struct budget_caps caps = begin((struct budget_caps){
		.nano = { 1000 }, .total_tokens = 1000 });
	struct budget_use use;
	uint64_t generation;
	uint32_t seat = seat_assign(shm, &generation), hold;
	int64_t fee;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct hold_book *book = hold_book_open(shm, seat);
		struct hold_progress progress;

		/* One with nothing delivered, one that is charged 4 + 2 × 3,
		 * one that was at its end. */
		open_call(book, &caps, 100, &hold);
		open_call(book, &caps, 100, &hold);
		memset(&progress, 0, sizeof(progress));
		progress.usage.count[USAGE_INPUT] = 4;
		progress.usage.count[USAGE_OUTPUT] = 3;
		progress.usage.marks = USAGE_SEEN;
		progress.billable = true;
		hold_progress(book, hold, &progress);
		open_call(book, &caps, 100, &hold);
		hold_spending(book, hold, &(struct budget_sum){ 0, 0 });
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	use = budget_used(shm, LIMIT_ACCOUNT, account, &now);
	ck_assert_int_eq(use.nano[BUDGET_DAY], 300);
	ck_assert_uint_eq(use.total.tokens, 30);
	seat_bury(shm, seat);
	ck_assert_uint_eq(hold_reclaim(shm, seat, &fee), 3);
	ck_assert_int_eq(fee, 10);
	/* Too much by the third, which may have corrected it or not. */
	use = budget_used(shm, LIMIT_ACCOUNT, account, &now);
	ck_assert_int_eq(use.nano[BUDGET_DAY], 110);
	ck_assert_uint_eq(use.total.tokens, 17);
	ck_assert_uint_eq(hold_reclaim(shm, seat, &fee), 0);
	ck_assert_int_eq(budget_used(shm, LIMIT_ACCOUNT, account,
	    &now).nano[BUDGET_DAY], 110);
}
END_TEST

START_TEST(test_never_above_the_cap_in_all_processes)
{
	/* The total refuses what the day has let through: that goes back. */
	struct budget_caps caps = begin((struct budget_caps){
		.nano = { 70000 }, .total_nano = 50000 });
	_Atomic int64_t *passed = mmap(NULL, sizeof(*passed), PROT_READ |
	    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	ck_assert_ptr_ne(passed, MAP_FAILED);
	for (int i = 0; i < RACERS; i++)
		if (fork() == 0) {
			for (int k = 0; k < 40000; k++) {
				if (take(&caps, 3, 1) != BUDGET_PASSED)
					continue;
				correct(3, 1);
				atomic_fetch_add(passed, 1);
			}
			_exit(0);
		}
	for (int i = 0; i < RACERS; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	/* One more at 3 would be above it. */
	ck_assert_int_ge(atomic_load(passed), 50000 - 2);
	ck_assert_int_le(atomic_load(passed), 50000);
	ck_assert_int_eq(budget_used(shm, LIMIT_ACCOUNT, account,
	    &now).total.nano, atomic_load(passed));
	ck_assert_int_eq(budget_used(shm, LIMIT_ACCOUNT, account,
	    &now).nano[BUDGET_DAY], atomic_load(passed));
	munmap(passed, sizeof(*passed));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("shm_budget");
	TCase *tc = tcase_create("budget");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_days_and_months_are_the_calendars);
	tcase_add_test(tc, test_a_cap_is_kept_to_the_nano);
	tcase_add_test(tc, test_what_is_refused_takes_nothing_of_any_cap);
	tcase_add_test(tc, test_a_call_belongs_to_the_day_in_which_it_began);
	tcase_add_test(tc, test_it_begins_with_what_was_used_before);
	tcase_add_test(tc, test_tokens_may_come_to_more_than_was_taken);
	tcase_add_test(tc, test_nodes_share_a_cap);
	tcase_add_test(tc,
	    test_a_killed_workers_calls_give_back_what_they_did_not_use);
	tcase_add_test(tc, test_never_above_the_cap_in_all_processes);
	suite_add_tcase(s, tc);
	return run_suite(s);
}

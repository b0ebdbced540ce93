/*
 * test_shm_refill.c: asking for money and being answered.
 */
#include <check.h>

#include "shm/refill.h"
#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"

static struct shm *shm;

static void
set_up(void)
{
	static struct shm_sizes sizes;

	sizes = fixture_sizes;
	sizes.accounts = 130;
	shm = fixture_segment(&sizes);
}

static void
tear_down(void)
{
	shm_close(&shm);
}

START_TEST(test_the_largest_need_is_taken_once)
{
	uint32_t account = 0;
	int64_t need;

	ck_assert(!refill_next(shm, &account, &need));
	ck_assert(refill_ask(shm, 5, 100));
	ck_assert(!refill_ask(shm, 5, 300));
	ck_assert(!refill_ask(shm, 5, 0));
	ck_assert(refill_next(shm, &account, &need));
	ck_assert_uint_eq(account, 5);
	ck_assert_int_eq(need, 300);
	account = 0;
	ck_assert(!refill_next(shm, &account, &need));
	/* Asked for again, it is told again. */
	ck_assert(refill_ask(shm, 5, 0));
	ck_assert(refill_next(shm, &account, &need));
	ck_assert_int_eq(need, 0);
}
END_TEST

START_TEST(test_accounts_come_in_their_order)
{
	static const uint32_t asked[] = { 0, 63, 64, 127, 129 };
	uint32_t account, i;
	int64_t need;

	for (i = 5; i-- > 0;)
		ck_assert(refill_ask(shm, asked[i], asked[i] + 1));
	for (i = 0, account = 0; refill_next(shm, &account, &need); i++) {
		ck_assert_uint_lt(i, 5);
		ck_assert_uint_eq(account, asked[i]);
		ck_assert_int_eq(need, asked[i] + 1);
		account++;
	}
	ck_assert_uint_eq(i, 5);
}
END_TEST

START_TEST(test_an_account_that_is_none_asks_for_nothing)
{
	struct refill_view view;
	uint32_t account = 0;
	int64_t need;

	ck_assert(!refill_ask(shm, 130, 1));
	ck_assert(!refill_ask(shm, ACCOUNT_NONE, 1));
	ck_assert(!refill_read(shm, ACCOUNT_NONE, &view));
	ck_assert(!refill_next(shm, &account, &need));
}
END_TEST

START_TEST(test_an_answer_is_seen_with_its_verdict)
{
	struct refill_view view;

	(void)fixture_account(shm, 1, UNIT);
	refill_know(shm, 0, 7, 3);
	refill_answer(shm, 0, REFILL_SHORT, false);
	ck_assert(refill_read(shm, 0, &view));
	ck_assert_uint_eq(view.answers, 0);
	ck_assert_int_eq(view.verdict, REFILL_SHORT);
	refill_know(shm, 0, 0, -1);
	refill_answer(shm, 0, REFILL_DONE, true);
	ck_assert(refill_read(shm, 0, &view));
	ck_assert_uint_eq(view.answers, 1);
	ck_assert_int_eq(view.verdict, REFILL_DONE);
	ck_assert_int_eq(view.available_nano, UNIT);
	ck_assert_int_eq(view.elsewhere_nano, 0);
	ck_assert_int_eq(view.low_nano, 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shm_refill");
	TCase *tc = tcase_create("refill");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_the_largest_need_is_taken_once);
	tcase_add_test(tc, test_accounts_come_in_their_order);
	tcase_add_test(tc, test_an_account_that_is_none_asks_for_nothing);
	tcase_add_test(tc, test_an_answer_is_seen_with_its_verdict);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

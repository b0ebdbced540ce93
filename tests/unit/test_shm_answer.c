/*
 * test_shm_answer.c: answers that are remembered, forgotten, and billed once.
 */
#include <check.h>

#include "shm/answer.h"
#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"

static struct shm *shm;

static void
digest_of(uint64_t n, uint8_t digest[ANSWER_DIGEST_BYTES])
{
	memset(digest, 0, ANSWER_DIGEST_BYTES);
	memcpy(digest, &n, sizeof(n));
	memcpy(digest + 8, &n, sizeof(n));
}

static void
put(uint64_t n, int64_t made_us, bool open)
{
	struct answer_view view = { .account_id = n + 1, .channel_id = 2,
		.model_id = 3, .made_us = made_us, .context_tokens = 4,
		.held_tokens = 5, .open = open };
	uint8_t digest[ANSWER_DIGEST_BYTES];

	digest_of(n, digest);
	ck_assert(answer_put(shm, digest, &view));
}

static bool
find(uint64_t n, struct answer_view *view_r)
{
	uint8_t digest[ANSWER_DIGEST_BYTES];

	digest_of(n, digest);
	return answer_find(shm, digest, view_r);
}

static bool
bill(uint64_t n)
{
	uint8_t digest[ANSWER_DIGEST_BYTES];

	digest_of(n, digest);
	return answer_bill(shm, digest);
}

START_TEST(test_answer_is_found_as_it_was_put)
{
	struct answer_view view;

	ck_assert(!find(7, &view));
	put(7, 100, false);
	ck_assert(find(7, &view));
	ck_assert_uint_eq(view.account_id, 8);
	ck_assert_uint_eq(view.channel_id, 2);
	ck_assert_uint_eq(view.model_id, 3);
	ck_assert_int_eq(view.made_us, 100);
	ck_assert_uint_eq(view.context_tokens, 4);
	ck_assert_uint_eq(view.held_tokens, 5);
	ck_assert(!view.open);
	ck_assert(!find(8, &view));
}
END_TEST

START_TEST(test_answer_is_billed_once)
{
	struct answer_view view;

	put(7, 100, true);
	ck_assert(find(7, &view) && view.open);
	ck_assert(bill(7));
	ck_assert(!bill(7));
	ck_assert(find(7, &view) && !view.open);
	/* Nor does putting it again open it. */
	put(7, 100, true);
	ck_assert(find(7, &view) && !view.open);
	ck_assert(!bill(7));
	ck_assert(!bill(8));
	put(9, 100, false);
	ck_assert(!bill(9));
}
END_TEST

START_TEST(test_answer_forgets_the_oldest_that_is_paid_for)
{
	/* All of one set: their first halves differ by the number of sets. */
	const uint64_t sets = (UINT64_C(1) << 16) / 8;
	struct answer_view view;

	put(0, 1, true);
	for (uint64_t i = 1; i < 8; i++)
		put(i * sets, (int64_t)(100 - i), false);
	put(8 * sets, 200, false);
	ck_assert(find(0, &view) && view.open);
	ck_assert(!find(7 * sets, &view));
	ck_assert(find(1 * sets, &view));
	ck_assert(find(8 * sets, &view));
}
END_TEST

static void
set_up(void)
{
	shm = fixture_segment(&fixture_sizes);
}

static void
tear_down(void)
{
	shm_close(&shm);
}

int
main(void)
{
	Suite *suite = suite_create("shm/answer");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test_answer_is_found_as_it_was_put);
	tcase_add_test(tcase, test_answer_is_billed_once);
	tcase_add_test(tcase, test_answer_forgets_the_oldest_that_is_paid_for);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

/*
 * test_shm_hold.c: reserve, extend, settle, void, grant, reclaim.
 */
#include <check.h>
#include <stdlib.h>

#include "shm/cell.h"
#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"

static struct shm *shm;
static struct hold_book *book;
static struct hold_terms terms;
static uint32_t account;

static void
set_up(void)
{
	shm = fixture_segment(&fixture_sizes);
	account = fixture_account(shm, 1, UNIT);
	book = hold_book_open(shm, 1);
	ck_assert_ptr_nonnull(book);
	terms = fixture_terms();
}

static void
tear_down(void)
{
	hold_book_close(&book);
	shm_close(&shm);
}

static uint32_t
reserve(int64_t nano, uint64_t number)
{
	struct call_record draft = fixture_draft(number);
	uint32_t hold = HOLD_NONE;

	ck_assert_int_eq(hold_reserve(book, account, nano, &draft, &terms,
	    &hold), HOLD_OK);
	return hold;
}

START_TEST(test_settle_charges_the_fee_and_gives_the_rest_back)
{
	struct call_record draft = fixture_draft(1), seen[2];
	uint32_t hold = reserve(UNIT / 2, 1);

	ck_assert_int_eq(fixture_available(shm, account), UNIT / 2);
	ck_assert_int_eq(hold_sum(shm, account), UNIT / 2);
	hold_settle(book, hold, 123, &draft);
	ck_assert_int_eq(fixture_available(shm, account), UNIT - 123);
	ck_assert_uint_eq(hold_open_total(shm), 0);
	ck_assert_uint_eq(ring_read(shm, 1, 0, seen, 2), 1);
	ck_assert_int_eq(seen[0].fee_nano, 123);
	ck_assert_int_eq(seen[0].held_nano, UNIT / 2);
}
END_TEST

START_TEST(test_settle_charges_all_that_is_held)
{
	struct call_record draft = fixture_draft(1);
	uint32_t hold = reserve(UNIT, 1);

	hold_settle(book, hold, UNIT, &draft);
	ck_assert_int_eq(fixture_available(shm, account), 0);
	ck_assert_uint_eq(hold_open_total(shm), 0);
}
END_TEST

START_TEST(test_hold_refuses_when_available_is_short)
{
	struct call_record draft = fixture_draft(1), seen;
	uint32_t hold;

	ck_assert_int_eq(hold_reserve(book, account, UNIT + 1, &draft, &terms,
	    &hold), HOLD_SHORT);
	ck_assert_int_eq(fixture_available(shm, account), UNIT);
	ck_assert_uint_eq(hold_book_open_count(book), 0);
	ck_assert_uint_eq(ring_read(shm, 1, 0, &seen, 1), 0);
}
END_TEST

START_TEST(test_extend_refused_leaves_the_hold_as_it_was)
{
	struct call_record draft = fixture_draft(1);
	uint32_t hold = reserve(UNIT / 2, 1);

	ck_assert_int_eq(hold_extend(book, hold, UNIT / 4), HOLD_OK);
	ck_assert_int_eq(hold_extend(book, hold, UNIT / 2), HOLD_SHORT);
	ck_assert_int_eq(hold_held(book, hold), UNIT / 4 * 3);
	ck_assert_int_eq(hold_sum(shm, account), UNIT / 4 * 3);
	ck_assert_int_eq(hold_extend(book, hold, UNIT / 4), HOLD_OK);
	ck_assert_int_eq(fixture_available(shm, account), 0);
	hold_settle(book, hold, 0, &draft);
	ck_assert_int_eq(fixture_available(shm, account), UNIT);
}
END_TEST

START_TEST(test_every_hold_has_room_for_its_record)
{
	struct call_record draft = fixture_draft(1);
	uint32_t hold[FIXTURE_HOLDS], extra, i;

	for (i = 0; i < FIXTURE_HOLDS; i++)
		hold[i] = reserve(1, i);
	ck_assert_int_eq(hold_reserve(book, account, 1, &draft, &terms,
	    &extra), HOLD_BUSY);
	for (i = 0; i < FIXTURE_RING - FIXTURE_HOLDS; i++)
		ck_assert(hold_publish_refusal(book, &draft));
	ck_assert(!hold_publish_refusal(book, &draft));
	for (i = 0; i < FIXTURE_HOLDS; i++)
		hold_settle(book, hold[i], 1, &draft);
	ck_assert_uint_eq(ring_space(shm, 1), 0);
	ck_assert_int_eq(hold_reserve(book, account, 1, &draft, &terms,
	    &extra), HOLD_BUSY);
	ring_release(shm, 1, 4);
	(void)reserve(1, 99);
	ck_assert_int_eq(fixture_available(shm, account),
	    UNIT - FIXTURE_HOLDS - 1);
}
END_TEST

START_TEST(test_grant_is_cumulative_and_idempotent)
{
	struct account_view view;

	ck_assert_int_eq(hold_grant(shm, account, 3 * UNIT), HOLD_OK);
	ck_assert_int_eq(hold_grant(shm, account, 3 * UNIT), HOLD_OK);
	ck_assert_int_eq(fixture_available(shm, account), 3 * UNIT);
	(void)reserve(2 * UNIT, 1);
	ck_assert_int_eq(hold_grant(shm, account, UNIT), HOLD_SHORT);
	ck_assert(account_read(shm, account, &view));
	ck_assert_int_eq(view.granted_nano, 3 * UNIT);
	ck_assert_int_eq(hold_grant(shm, account, 2 * UNIT), HOLD_OK);
	ck_assert_int_eq(fixture_available(shm, account), 0);
}
END_TEST

START_TEST(test_a_grant_killed_half_way_is_neither_lost_nor_doubled)
{
	struct step step = { .kind = INTENT_GRANT, .granted = 5 * UNIT,
		.delta = 4 * UNIT };
	struct step old;
	uint64_t sequence;

	/* dead after the intent */
	step.account = account;
	sequence = 1 + step_read(shm, SEAT_FLUSHER, 0, &old);
	step_publish(shm, SEAT_FLUSHER, 0, sequence, &step);
	hold_grant_recover(shm);
	ck_assert_int_eq(hold_grant(shm, account, 5 * UNIT), HOLD_OK);
	ck_assert_int_eq(fixture_available(shm, account), 5 * UNIT);
	/* dead after the swap */
	step.granted = 6 * UNIT;
	step.delta = UNIT;
	sequence = 1 + step_read(shm, SEAT_FLUSHER, 0, &old);
	step_publish(shm, SEAT_FLUSHER, 0, sequence, &step);
	ck_assert_int_eq(cell_add(shm, account, UNIT,
	    op_make(shm, SEAT_FLUSHER, 0, sequence)), CELL_APPLIED);
	(void)reserve(1, 1);	/* somebody replaces it in the cell */
	hold_grant_recover(shm);
	hold_grant_recover(shm);
	ck_assert_int_eq(hold_grant(shm, account, 6 * UNIT), HOLD_OK);
	ck_assert_int_eq(fixture_available(shm, account), 6 * UNIT - 1);
}
END_TEST

START_TEST(test_reclaim_voids_what_nobody_was_given)
{
	struct call_record seen[2];
	int64_t fee = -1;

	(void)reserve(UNIT / 2, 7);
	ck_assert_uint_eq(hold_reclaim(shm, 1, &fee), 1);
	ck_assert_int_eq(fee, 0);
	ck_assert_int_eq(fixture_available(shm, account), UNIT);
	ck_assert_uint_eq(ring_read(shm, 1, 0, seen, 2), 1);
	ck_assert_uint_eq(seen[0].flags, RECORD_RECLAIMED);
	ck_assert_uint_eq(hold_reclaim(shm, 1, &fee), 0);
	ck_assert_uint_eq(ring_read(shm, 1, 0, seen, 2), 1);
}
END_TEST

START_TEST(test_reclaim_charges_the_last_usage_seen)
{
	struct hold_progress progress;
	struct call_record seen[2];
	uint32_t hold = reserve(UNIT / 2, 7);
	int64_t fee = -1;

	memset(&progress, 0, sizeof(progress));
	progress.billable = true;
	progress.status = 200;
	progress.channel_id = 4;
	progress.usage.count[USAGE_INPUT] = 1;
	hold_progress(book, hold, &progress);
	progress.usage.count[USAGE_INPUT] = 100;
	progress.usage.count[USAGE_OUTPUT] = 10;
	hold_progress(book, hold, &progress);
	ck_assert_uint_eq(hold_reclaim(shm, 1, &fee), 1);
	ck_assert_int_eq(fee, 120);
	ck_assert_int_eq(fixture_available(shm, account), UNIT - 120);
	ck_assert_uint_eq(ring_read(shm, 1, 0, seen, 2), 1);
	ck_assert_int_eq(seen[0].fee_nano, 120);
	ck_assert_uint_eq(seen[0].status, 200);
	ck_assert_uint_eq(seen[0].channel_id, 4);
	ck_assert_uint_eq(seen[0].count[USAGE_OUTPUT], 10);
}
END_TEST

START_TEST(test_reclaim_never_charges_more_than_is_held)
{
	struct hold_progress progress;
	struct call_record seen[2];
	uint32_t hold = reserve(1000, 7);

	memset(&progress, 0, sizeof(progress));
	progress.billable = true;
	progress.usage.count[USAGE_OUTPUT] = UINT64_MAX;
	hold_progress(book, hold, &progress);
	ck_assert_uint_eq(hold_reclaim(shm, 1, NULL), 1);
	ck_assert_int_eq(fixture_available(shm, account), UNIT - 1000);
	ck_assert_uint_eq(ring_read(shm, 1, 0, seen, 2), 1);
	ck_assert_int_eq(seen[0].fee_nano, 1000);
	ck_assert_int_eq(seen[0].uncollected_nano,
	    2 * (int64_t)USAGE_COUNT_MAX - 1000);
}
END_TEST

/*
 * A settlement that stopped after `done` of its parts, beside another hold of
 * the same dead worker: each must end once, and both records be there.
 */
static void
settlement_stopped_after(int done)
{
	struct call_record seen[4], draft = fixture_draft(7);
	struct step step, old;
	uint32_t hold = reserve(1000, 7);
	uint64_t sequence;
	int round;

	(void)reserve(500, 8);
	*ring_next(shm, 1) = draft;
	ring_next(shm, 1)->fee_nano = 300;
	memset(&step, 0, sizeof(step));
	step.kind = INTENT_SETTLE;
	step.account = account;
	step.delta = 700;
	step.before = 1000;
	step.position = ring_head(shm, 1);
	sequence = 1 + step_read(shm, 1, hold, &old);
	step_publish(shm, 1, hold, sequence, &step);
	if (done >= 1)
		ck_assert_int_eq(cell_add(shm, account, 700,
		    op_make(shm, 1, hold, sequence)), CELL_APPLIED);
	if (done >= 2)
		ring_publish(shm, 1);
	if (done >= 3)	/* its name in the cell is replaced */
		ck_assert_int_eq(hold_grant(shm, account, 2 * UNIT), HOLD_OK);
	for (round = 0; round < 3; round++)
		(void)hold_reclaim(shm, 1, NULL);
	ck_assert_int_eq(fixture_available(shm, account),
	    (done >= 3 ? 2 : 1) * UNIT - 300);
	ck_assert_uint_eq(ring_read(shm, 1, 0, seen, 4), 2);
	ck_assert_int_eq(seen[0].fee_nano, 300);
	ck_assert_mem_eq(seen[0].request_id, draft.request_id, 16);
	ck_assert_uint_eq(seen[1].flags, RECORD_RECLAIMED);
	ck_assert_uint_eq(hold_open_total(shm), 0);
}

START_TEST(test_a_settlement_killed_half_way_ends_once)
{
	settlement_stopped_after(_i);
}
END_TEST

START_TEST(test_an_extension_killed_half_way_is_decided)
{
	struct call_record draft = fixture_draft(7);
	struct step step, old;
	uint32_t hold = reserve(1000, 7), other;
	uint64_t sequence;

	memset(&step, 0, sizeof(step));
	step.kind = INTENT_EXTEND;
	step.account = account;
	step.delta = -500;
	step.before = 1000;
	step.after = 1500;
	sequence = 1 + step_read(shm, 1, hold, &old);
	step_publish(shm, 1, hold, sequence, &step);
	ck_assert_int_eq(hold_sum(shm, account), 1000);
	if (_i >= 1) {
		ck_assert_int_eq(cell_add(shm, account, -500,
		    op_make(shm, 1, hold, sequence)), CELL_APPLIED);
		ck_assert_int_eq(hold_sum(shm, account), 1500);
	}
	if (_i >= 2) {
		ck_assert_int_eq(hold_reserve(book, account, 5, &draft,
		    &terms, &other), HOLD_OK);
		hold_settle(book, other, 0, &draft);
		ck_assert_int_eq(hold_sum(shm, account), 1500);
	}
	ck_assert_uint_eq(hold_reclaim(shm, 1, NULL), 1);
	ck_assert_int_eq(fixture_available(shm, account), UNIT);
}
END_TEST

START_TEST(test_reclaim_waits_for_room_in_the_ring)
{
	struct call_record draft = fixture_draft(1);
	uint32_t i;

	for (i = 0; i < FIXTURE_HOLDS; i++)
		(void)reserve(10, i);
	for (i = 0; i < FIXTURE_RING - FIXTURE_HOLDS; i++)
		ck_assert(hold_publish_refusal(book, &draft));
	/* somebody out of his mind used up the room that was kept */
	*ring_next(shm, 1) = draft;
	ring_publish(shm, 1);
	ck_assert_uint_eq(hold_reclaim(shm, 1, NULL), FIXTURE_HOLDS - 1);
	ring_release(shm, 1, 8);
	ck_assert_uint_eq(hold_reclaim(shm, 1, NULL), 1);
	ck_assert_int_eq(fixture_available(shm, account), UNIT);
}
END_TEST

START_TEST(test_a_hold_whose_sequence_is_used_up_begins_no_call)
{
	struct shm_hold *h = shm_hold(shm, 1, 0);
	struct call_record draft = fixture_draft(1);
	uint32_t hold, i;

	/* Two calls from the end of it: one is begun, and is ended. */
	atomic_store(&h->word, (OP_SEQUENCE_LAST - 1) << 8 | INTENT_FREE);
	hold_book_close(&book);
	book = hold_book_open(shm, 1);
	ck_assert_uint_eq(reserve(10, 1), 0);
	ck_assert_int_eq(hold_extend(book, 0, 5), HOLD_OK);
	hold_settle(book, 0, 3, &draft);
	ck_assert_int_eq(fixture_available(shm, account), UNIT - 3);
	for (i = 1; i < FIXTURE_HOLDS; i++)
		ck_assert_uint_eq(reserve(10, i), i);
	ck_assert_int_eq(hold_reserve(book, account, 10, &draft, &terms,
	    &hold), HOLD_BUSY);
	/* Nor for the seat's next worker. */
	for (i = 1; i < FIXTURE_HOLDS; i++)
		hold_settle(book, i, 0, &draft);
	hold_book_close(&book);
	book = hold_book_open(shm, 1);
	ck_assert_uint_eq(reserve(10, 1), 1);
	/* And no grant. */
	atomic_store(&shm_hold(shm, SEAT_FLUSHER, 0)->word,
	    OP_SEQUENCE_LAST << 8 | INTENT_FREE);
	ck_assert_int_eq(hold_grant(shm, account, 2 * UNIT), HOLD_BUSY);
}
END_TEST

START_TEST(test_a_seats_next_worker_goes_on_with_the_sequences)
{
	struct call_record draft = fixture_draft(1);
	uint32_t i;

	for (i = 0; i < 3; i++)
		(void)reserve(10, i);
	(void)hold_reclaim(shm, 1, NULL);
	hold_book_close(&book);
	book = hold_book_open(shm, 1);
	for (i = 0; i < FIXTURE_HOLDS; i++) {
		ring_release(shm, 1, ring_head(shm, 1));
		hold_settle(book, reserve(10, i), 5, &draft);
	}
	ck_assert_int_eq(fixture_available(shm, account),
	    UNIT - 5 * FIXTURE_HOLDS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("shm_hold");
	TCase *tc = tcase_create("hold");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc,
	    test_settle_charges_the_fee_and_gives_the_rest_back);
	tcase_add_test(tc, test_settle_charges_all_that_is_held);
	tcase_add_test(tc, test_hold_refuses_when_available_is_short);
	tcase_add_test(tc, test_extend_refused_leaves_the_hold_as_it_was);
	tcase_add_test(tc, test_every_hold_has_room_for_its_record);
	tcase_add_test(tc, test_grant_is_cumulative_and_idempotent);
	tcase_add_test(tc,
	    test_a_grant_killed_half_way_is_neither_lost_nor_doubled);
	tcase_add_test(tc, test_reclaim_voids_what_nobody_was_given);
	tcase_add_test(tc, test_reclaim_charges_the_last_usage_seen);
	tcase_add_test(tc, test_reclaim_never_charges_more_than_is_held);
	tcase_add_loop_test(tc, test_a_settlement_killed_half_way_ends_once,
	    0, 4);
	tcase_add_loop_test(tc, test_an_extension_killed_half_way_is_decided,
	    0, 3);
	tcase_add_test(tc, test_reclaim_waits_for_room_in_the_ring);
	tcase_add_test(tc,
	    test_a_hold_whose_sequence_is_used_up_begins_no_call);
	tcase_add_test(tc,
	    test_a_seats_next_worker_goes_on_with_the_sequences);
	suite_add_tcase(s, tc);
	return run_suite(s);
}

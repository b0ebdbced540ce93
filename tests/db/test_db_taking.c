/*
 * test_db_taking.c: money that is taken away, while calls hold and spend it:
 * the segment and the ledger agree to the nano, and nothing is below zero.
 */
#include "db/value.h"
#include "tests/db/flusher_fixture.h"
#include "tests/unit/run.h"

static int64_t
number(const char *sql)
{
	struct db_rows *rows;
	int64_t n;

	ck_assert_msg(db_query(admin, sql, NULL, 0, &rows) == DB_OK, "%s: %s",
	    sql, db_message(admin));
	n = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return n;
}

static int64_t
ask_adjust(const char *key, int64_t nano)
{
	struct adjustment a = { .key = key, .customer_id = customer_id,
		.amount_nano = nano, .actor = "x", .reason = "test" };
	struct adjustment_receipt receipt;

	ck_assert_msg(q_adjust(admin, &a, &receipt) == DB_OK, "%s",
	    db_message(admin));
	return receipt.taking_id;
}

static int64_t asked;
static struct taking_row answer;

static bool
answered(void)
{
	ck_assert_int_eq(q_taking(admin, asked, &answer), DB_OK);
	return answer.state != TAKING_ASKED;
}

static void
must_take(const char *key, int64_t nano, enum taking_state state)
{
	asked = ask_adjust(key, -nano);
	wait_for(answered, 5000, "a taking is answered");
	ck_assert_int_eq(answer.state, state);
}

static uint32_t
hold(int64_t nano)
{
	struct call_record r = draft();
	struct hold_terms t = terms();
	uint32_t it;

	ck_assert_int_eq(hold_reserve(book, account(), nano, &r, &t, &it),
	    HOLD_OK);
	return it;
}

static void
settle(uint32_t it, int64_t fee)
{
	struct call_record r = draft();

	hold_settle(book, it, fee, &r);
	expected_calls++;
	expected_fees += fee;
}

static void
expiring(const char *key, int64_t nano, int ms)
{
	struct credit c = { .key = key, .customer_id = customer_id,
		.amount_nano = nano, .source = "promotional", .actor = "x",
		.expires_us = clock_wall().us + (int64_t)ms * 1000 };
	struct credit_receipt receipt;

	ck_assert_msg(q_credit(admin, &c, &receipt) == DB_OK, "%s",
	    db_message(admin));
}

/* Sum of what was booked out as expired. */
static int64_t
expired(void)
{
	return number("SELECT coalesce(sum(p.amount_nano), 0)::bigint"
	    " FROM youyun.posting p JOIN youyun.ledger_account a"
	    " ON a.id = p.account_id WHERE a.kind = 'expired'");
}

static bool
expired_one(void)
{
	ck_assert_int_eq(q_expire_ask(admin), DB_OK);
	return expired() == UNIT;
}

START_TEST(test_an_adjustment_leaves_the_segment_before_it_is_booked)
{
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	must_take("a1", 4 * UNIT, TAKING_BOOKED);
	ck_assert_int_eq(available(), 6 * UNIT);
	ck_assert_int_eq(answer.balance_nano, 6 * UNIT);
	/* The same key again: booked already, nothing is asked. */
	ck_assert_int_eq(ask_adjust("a1", -4 * UNIT), 0);
	must_take("a2", 6 * UNIT + 1, TAKING_REFUSED);
	ck_assert_int_eq(answer.available_nano, 6 * UNIT);
	must_take("a3", 6 * UNIT, TAKING_BOOKED);
	must_be_exact(0);
}
END_TEST

START_TEST(test_money_that_is_held_is_not_taken)
{
	uint32_t it;

	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	it = hold(7 * UNIT);
	must_take("a1", 4 * UNIT, TAKING_REFUSED);
	ck_assert_int_eq(answer.available_nano, 3 * UNIT);
	ck_assert_int_eq(available(), 3 * UNIT);
	must_take("a2", 3 * UNIT, TAKING_BOOKED);
	ck_assert_int_eq(available(), 0);
	settle(it, 2 * UNIT);
	must_be_exact(7 * UNIT);
}
END_TEST

START_TEST(test_of_two_takings_each_sees_what_the_other_took)
{
	int64_t first;
	uint32_t it;

	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	it = hold(4 * UNIT);
	kill_flusher();
	first = ask_adjust("a1", -6 * UNIT);
	asked = ask_adjust("a2", -4 * UNIT);
	start_flusher();
	wait_for(answered, 10000, "a taking is answered");
	ck_assert_int_eq(answer.state, TAKING_REFUSED);
	ck_assert_int_eq(answer.available_nano, 0);
	asked = first;
	ck_assert(answered());
	ck_assert_int_eq(answer.state, TAKING_BOOKED);
	settle(it, 4 * UNIT);
	must_be_exact(4 * UNIT);
}
END_TEST

START_TEST(test_money_spent_but_not_booked_is_not_taken)
{
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	kill_flusher();
	call(8 * UNIT);
	expected_calls++;
	expected_fees += 8 * UNIT;
	/* The database still believes in ten. */
	ck_assert_int_eq(number("SELECT granted_nano - spent_nano"
	    " FROM youyun.lease"), 10 * UNIT);
	asked = ask_adjust("a1", -5 * UNIT);
	start_flusher();
	wait_for(answered, 10000, "a taking is answered");
	ck_assert_int_eq(answer.state, TAKING_REFUSED);
	ck_assert_int_eq(answer.available_nano, 2 * UNIT);
	must_be_exact(10 * UNIT);
}
END_TEST

START_TEST(test_what_nobody_waits_for_is_not_taken)
{
	enum taking_state state;

	asked = ask_adjust("a1", -5 * UNIT);
	ck_assert_int_eq(q_taking_give_up(admin, asked, &state), DB_OK);
	ck_assert_int_eq(state, TAKING_GIVEN_UP);
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	must_take("a2", UNIT, TAKING_BOOKED);
	must_be_exact(9 * UNIT);
}
END_TEST

START_TEST(test_expired_credit_is_gone_once)
{
	expiring("e1", UNIT, 400);
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	ck_assert_int_eq(available(), 11 * UNIT);
	wait_for(expired_one, 5000, "expired credit is booked out");
	must_be_exact(10 * UNIT);
	ck_assert_int_eq(q_expire_ask(admin), DB_OK);
	nap_ms(100);
	ck_assert_int_eq(expired(), UNIT);
}
END_TEST

START_TEST(test_calls_use_what_expires_first)
{
	expiring("e1", UNIT, 60000);
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	call(UNIT / 4);
	expected_calls++;
	expected_fees += UNIT / 4;
	must_be_exact(11 * UNIT);
	ck_assert_int_eq(number("SELECT left_nano FROM youyun.pot"
	    " WHERE expires_at < 'infinity'"), UNIT * 3 / 4);
}
END_TEST

static bool
rest_expired(void)
{
	ck_assert_int_eq(q_expire_ask(admin), DB_OK);
	return expired() == UNIT * 8 / 10;
}

START_TEST(test_of_expired_credit_what_calls_hold_stays_for_them)
{
	uint32_t it;

	expiring("e1", UNIT, 300);
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	it = hold(10 * UNIT + UNIT / 2);
	nap_ms(400);
	ck_assert_int_eq(q_expire_ask(admin), DB_OK);
	nap_ms(200);
	ck_assert_int_eq(expired(), 0);
	ck_assert_int_eq(available(), UNIT / 2);
	settle(it, UNIT / 5);
	wait_for(rest_expired, 5000, "the rest is booked out");
	must_be_exact(11 * UNIT - UNIT * 8 / 10);
	ck_assert_int_eq(available(), 10 * UNIT);
}
END_TEST

static uint64_t random_state;

static uint32_t
dice(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(random_state >> 33) % n;
}

static bool
all_answered(void)
{
	return number("SELECT count(*) FROM youyun.taking WHERE state = 0") ==
	    0;
}

static bool
nothing_left_expired(void)
{
	ck_assert_int_eq(q_expire_ask(admin), DB_OK);
	return number("SELECT count(*) FROM youyun.expired_left(NULL)") == 0;
}

/* Calls, credits, takings, expiries and kills of the flusher, all at once. */
START_TEST(test_a_storm_of_bookings_stays_exact)
{
	char key[32];
	int i;

	random_state = (uint64_t)clock_wall().us;
	fprintf(stderr, "seed %" PRIu64 "\n", random_state);
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	for (i = 0; i < 400; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		switch (dice(8)) {
		case 0:
			credit(key, 1000 + dice(1000));
			break;
		case 1:
			(void)ask_adjust(key, -(int64_t)(1 + dice(UNIT / 10)));
			break;
		case 2:
			expiring(key, 1 + dice(UNIT / 4), 20 + (int)dice(300));
			break;
		case 3:
			(void)ask_adjust(key, 1 + dice(1000));
			break;
		case 4:
			if (dice(10) == 0) {
				kill_flusher();
				start_flusher();
			}
			ck_assert_int_eq(q_expire_ask(admin), DB_OK);
			break;
		default:
			if (available() > UNIT) {
				int64_t fee = 1 + dice(UNIT / 200);

				call(fee);
				expected_calls++;
				expected_fees += fee;
			}
		}
		ck_assert_int_ge(available(), 0);
		nap_ms((int)dice(4));
	}
	wait_for(all_answered, 20000, "takings are answered");
	wait_for(all_booked, 20000, "all calls are in the database");
	nap_ms(350);
	wait_for(nothing_left_expired, 20000, "all is booked out");
	ck_assert_int_gt(expired(), 0);
	must_be_exact(number("SELECT granted_nano FROM youyun.lease"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_taking");
	TCase *tc = tcase_create("taking");
	int status;

	server = pg_server_start();
	if (server == NULL)
		return PG_SKIP;
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc,
	    test_an_adjustment_leaves_the_segment_before_it_is_booked);
	tcase_add_test(tc, test_money_that_is_held_is_not_taken);
	tcase_add_test(tc,
	    test_of_two_takings_each_sees_what_the_other_took);
	tcase_add_test(tc, test_money_spent_but_not_booked_is_not_taken);
	tcase_add_test(tc, test_what_nobody_waits_for_is_not_taken);
	tcase_add_test(tc, test_expired_credit_is_gone_once);
	tcase_add_test(tc, test_calls_use_what_expires_first);
	tcase_add_test(tc,
	    test_of_expired_credit_what_calls_hold_stays_for_them);
	tcase_add_test(tc, test_a_storm_of_bookings_stays_exact);
	suite_add_tcase(suite, tc);
	status = run_suite(suite);
	pg_server_stop(&server);
	return status;
}

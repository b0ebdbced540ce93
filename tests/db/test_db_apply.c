/*
 * test_db_apply.c: a batch is booked exactly once, whatever happens to it.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/queries.h"
#include "db/queries_verify.h"
#include "db/transaction.h"
#include "db/value.h"
#include "flusher/batch.h"
#include "tests/db/pg_fixture.h"
#include "tests/unit/run.h"

#define DATABASE "apply_test"
#define JOURNAL UINT64_C(0x1234567812345678)
#define CUSTOMERS 3
#define GRANTED INT64_C(1000000000000)

static struct pg_server *server;
static struct db *admin, *flusher;

static void
set_up(void)
{
	struct credit_receipt receipt;
	char name[8];
	int64_t id;
	int i;

	pg_fresh_database(server, DATABASE);
	admin = pg_connect(server, "youyun_admin", DATABASE);
	flusher = pg_connect(server, "youyun_flusher", DATABASE);
	for (i = 0; i < CUSTOMERS; i++) {
		struct credit c = { .key = name, .amount_nano = GRANTED,
			.source = "external", .actor = "x" };

		snprintf(name, sizeof(name), "c%d", i);
		ck_assert_int_eq(q_customer_add(admin, name, NULL, NULL, NULL,
		    &id), DB_OK);
		ck_assert_int_eq(id, i + 1);
		c.customer_id = id;
		ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
	}
}

static void
tear_down(void)
{
	db_close(&admin);
	db_close(&flusher);
}

/* Call number n: customer by turns, fee n, something uncollected at times. */
static struct journal_frame
frame(uint64_t seq, uint64_t incarnation)
{
	struct journal_frame f;
	struct call_record *r = &f.record;

	memset(&f, 0, sizeof(f));
	f.seq = seq;
	f.incarnation = incarnation;
	memcpy(r->request_id, &seq, sizeof(seq));
	r->started_us = clock_wall().us;
	r->account_id = seq % CUSTOMERS + 1;
	r->key_id = 5;
	r->fee_nano = (int64_t)seq;
	r->uncollected_nano = seq % 10 == 0 ? 7 : 0;
	r->held_nano = (int64_t)seq + 1;
	r->count[USAGE_INPUT] = 11;
	r->count[USAGE_CACHE_WRITE_1H] = 55;
	r->status = 200;
	r->node = 1;
	r->multiplier_ppm = 1000000;
	r->address[10] = r->address[11] = 0xff;
	r->address[12] = 127;
	r->address[15] = 1;
	memcpy(r->agent, "curl/8", 6);
	return f;
}

static struct journal_frame frames[3000];

static void
make(uint64_t first, uint32_t n, uint64_t incarnation)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		frames[i] = frame(first + i, incarnation);
}

static struct batch
batch_of(uint32_t from, uint32_t n)
{
	return (struct batch) { .node = 1, .journal_id = JOURNAL,
		.frame = frames + from, .frames = n };
}

static void
apply(uint32_t from, uint32_t n, uint64_t mark_expected)
{
	struct batch b = batch_of(from, n);
	uint64_t mark = 0;

	ck_assert_msg(batch_apply(flusher, &b, &mark) == DB_OK, "%s",
	    db_message(flusher));
	ck_assert_uint_eq(mark, mark_expected);
}

static bool
breach(const struct breach_row *row, void *arg)
{
	(void)arg;
	ck_abort_msg("%s: %s has %lld, not %lld", row->rule, row->object,
	    (long long)row->found_nano, (long long)row->expected_nano);
	return true;
}

/* Calls 1 to n, all of them, once. */
static void
must_be_exact(int64_t n)
{
	struct totals t;

	ck_assert_int_eq(q_totals(admin, &t), DB_OK);
	ck_assert_int_eq(t.calls, n);
	ck_assert_int_eq(t.fee_nano, n * (n + 1) / 2);
	ck_assert_int_eq(t.spent_nano, n * (n + 1) / 2);
	ck_assert_int_eq(t.uncollected_nano, n / 10 * 7);
	ck_assert_msg(q_verify_each(admin, breach, NULL) == DB_OK, "%s",
	    db_message(admin));
}

START_TEST(test_a_batch_is_booked_and_its_replay_changes_nothing)
{
	make(1, 1000, 7);
	apply(0, 1000, 1000);
	must_be_exact(1000);
	apply(0, 1000, 1000);
	apply(500, 100, 1000);
	must_be_exact(1000);
}
END_TEST

START_TEST(test_of_an_overlapping_batch_the_new_part_is_booked)
{
	make(1, 1000, 7);
	apply(0, 300, 300);
	apply(100, 500, 600);
	apply(0, 1000, 1000);
	must_be_exact(1000);
}
END_TEST

START_TEST(test_a_gap_is_refused)
{
	struct batch b;
	uint64_t mark;

	make(1, 1000, 7);
	apply(0, 300, 300);
	b = batch_of(301, 10);
	ck_assert_int_eq(batch_apply(flusher, &b, &mark), DB_ERROR);
	must_be_exact(300);
}
END_TEST

static bool
check_call(const struct call_row *row, void *arg)
{
	struct call_record was = *(struct call_record *)arg;

	ck_assert_int_eq(memcmp(&row->record, &was, sizeof(was)), 0);
	ck_assert_uint_eq(row->journal_id, JOURNAL);
	ck_assert_uint_eq(row->journal_seq, 1);
	ck_assert_int_gt(row->transaction_id, 0);
	ck_assert_str_eq(row->customer, "c1");
	return true;
}

START_TEST(test_a_record_comes_back_as_it_was)
{
	struct call_filter filter = { .limit = 10 };

	make(1, 1, 7);
	frames[0].record.reasoning = 3;
	frames[0].record.flags = 0x8000000f;
	frames[0].record.error = 65535;
	frames[0].record.first_byte_ms = UINT32_MAX;
	for (int i = 0; i < USAGE_DIMS; i++)
		frames[0].record.count[i] = 1000 + (uint64_t)i;
	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		frames[0].record.other_count[i] = 2000 + (uint32_t)i;
	frames[0].record.other_model_id = 31;
	frames[0].record.other_price_version = 32;
	frames[0].record.image_width = 33;
	frames[0].record.image_height = 65535;
	frames[0].record.tier = 35;
	frames[0].record.speed = 36;
	frames[0].record.region = 37;
	frames[0].record.image_quality = 255;
	apply(0, 1, 1);
	ck_assert_int_eq(q_call_each(admin, &filter, check_call,
	    &frames[0].record), DB_OK);
	filter.request_id = frames[0].record.request_id;
	ck_assert_int_eq(q_call_each(admin, &filter, check_call,
	    &frames[0].record), DB_OK);
}
END_TEST

START_TEST(test_a_mad_record_holds_nothing_up)
{
	struct totals t;

	make(1, 10, 7);
	memset(&frames[4].record, 0xff, sizeof(frames[4].record));
	frames[5].record.started_us = INT64_MIN;
	frames[6].record.account_id = 0;
	frames[7].record.fee_nano = -5;
	memset(frames[8].record.agent, 0x80, RECORD_AGENT_BYTES);
	apply(0, 10, 10);
	ck_assert_int_eq(q_totals(admin, &t), DB_OK);
	ck_assert_int_eq(t.calls, 10);
	ck_assert_int_eq(t.fee_nano, 55 - 5 - 7 - 8);
	ck_assert_int_eq(q_verify_each(admin, breach, NULL), DB_OK);
}
END_TEST

START_TEST(test_a_customer_cannot_be_overdrawn_by_records)
{
	struct batch b = batch_of(0, 10);
	uint64_t mark;

	make(1, 10, 7);
	frames[9].record.fee_nano = GRANTED + 1;
	ck_assert_int_eq(batch_apply(flusher, &b, &mark), DB_ERROR);
	must_be_exact(0);
}
END_TEST

static int64_t
number(const char *sql)
{
	struct db_rows *rows;
	int64_t n;

	ck_assert_int_eq(db_query(admin, sql, NULL, 0, &rows), DB_OK);
	n = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return n;
}

START_TEST(test_a_segments_base_is_fixed_by_its_first_fee)
{
	static const char base[] = "SELECT CASE WHEN incarnation = 8 THEN"
	    " spent_before_nano ELSE spent_nano END FROM youyun.lease"
	    " WHERE customer_id = 2";
	int64_t before;
	uint32_t i;

	make(1, 100, 7);
	apply(0, 100, 100);
	before = number("SELECT spent_nano FROM youyun.lease"
	    " WHERE customer_id = 2");
	ck_assert_int_eq(number(base), before);
	/* One batch with the end of one segment and the beginning of the
	 * next; then more of it. */
	make(1, 300, 8);
	for (i = 0; i < 120; i++)
		frames[i].incarnation = 7;
	for (i = 100; i < 120; i++)
		if (frames[i].record.account_id == 2)
			before += frames[i].record.fee_nano;
	apply(100, 60, 160);
	ck_assert_int_eq(number(base), before);
	apply(160, 140, 300);
	ck_assert_int_eq(number(base), before);
	must_be_exact(300);
}
END_TEST

START_TEST(test_calls_of_a_fenced_node_are_booked_as_far_as_it_goes)
{
	struct db *owner = pg_connect(server, "youyun_owner", DATABASE);
	struct totals t;
	int64_t came;

	ck_assert_int_eq(db_script(flusher, "SELECT youyun.node_attach("
	    "'node1', 9, 7)"), DB_OK);
	make(1, 300, 7);
	apply(0, 30, 30);
	ck_assert_int_eq(q_node_fence(admin, 1, "x", "", &came), DB_OK);
	/* Of the second customer's money all but 1000 is gone by now. */
	ck_assert_int_eq(db_script(owner, "SELECT youyun.money_moves(2,"
	    " 1000 - home_nano) FROM youyun.purse WHERE customer_id = 2"),
	    DB_OK);
	apply(30, 270, 300);
	ck_assert_int_eq(q_totals(admin, &t), DB_OK);
	ck_assert_int_eq(t.calls, 300);
	ck_assert_int_eq(t.fee_nano + t.uncollected_nano,
	    300 * 301 / 2 + 300 / 10 * 7);
	ck_assert_int_eq(t.fee_nano, t.spent_nano);
	ck_assert_int_eq(number("SELECT home_nano FROM youyun.purse"
	    " WHERE customer_id = 2"), 0);
	ck_assert_int_eq(number("SELECT sum(fee_nano)::bigint"
	    " FROM youyun.call WHERE customer_id = 2 AND journal_seq > 30"),
	    1000);
	ck_assert_int_eq(number("SELECT count(*) FROM youyun.call"
	    " WHERE flags & 65536 <> 0"), 270);
	db_close(&owner);
}
END_TEST

/* Applies all of the frames in small batches until it is killed. */
static void
apply_until_killed(void)
{
	struct db *db = pg_connect(server, "youyun_flusher", DATABASE);
	struct batch b;
	uint64_t mark;
	uint32_t at;

	for (at = 0; at < 3000; at += 30) {
		b = batch_of(at, 30);
		if (batch_apply(db, &b, &mark) != DB_OK)
			_exit(1);
	}
	_exit(0);
}

START_TEST(test_killed_at_any_moment_it_is_booked_once)
{
	struct timespec t = { 0, 0 };
	int status, kills = 0, tries;
	pid_t pid;

	make(1, 3000, 7);
	for (tries = 0; ; tries++) {
		ck_assert_int_lt(tries, 500);
		pid = fork();
		if (pid == 0)
			apply_until_killed();
		t.tv_nsec = 20000000 + tries % 7 * 13000000;
		nanosleep(&t, NULL);
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		kills++;
		if (kills == 15) {
			/* Enough: let it finish. */
			pid = fork();
			if (pid == 0)
				apply_until_killed();
			waitpid(pid, &status, 0);
			break;
		}
	}
	ck_assert_int_eq(status, 0);
	ck_assert_int_gt(kills, 0);
	must_be_exact(3000);
}
END_TEST

static enum db_result
cut_our_own_line(struct db *db, void *arg)
{
	int *cuts = arg;

	(*cuts)++;
	ck_assert_int_eq(db_script(db, "SELECT youyun.lease_spend(1, 7,"
	    " '{1}', '{0}', '{99}')"), DB_OK);
	ck_assert_int_ne(db_script(db,
	    "SELECT pg_terminate_backend(pg_backend_pid())"), DB_OK);
	return db_script(db, "SELECT 1");
}

START_TEST(test_a_lost_connection_before_commit_changed_nothing)
{
	int cuts = 0;

	ck_assert_int_eq(db_transaction(flusher, DB_READ_COMMITTED,
	    cut_our_own_line, &cuts), DB_AWAY);
	ck_assert_int_eq(cuts, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM youyun.lease"
	    " WHERE seq = 99"), 0);
	ck_assert_int_eq(db_connect(flusher, 5), DB_OK);
	make(1, 10, 7);
	apply(0, 10, 10);
	must_be_exact(10);
}
END_TEST

/* Fails as a deadlock does, the first time. */
static enum db_result
collide_once(struct db *db, void *arg)
{
	int *runs = arg;

	if ((*runs)++ != 0)
		return db_script(db, "SELECT 1");
	return db_script(db, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE ="
	    " 'deadlock_detected'; END $$");
}

START_TEST(test_a_deadlock_is_tried_again)
{
	int runs = 0;

	ck_assert_int_eq(db_transaction(flusher, DB_READ_COMMITTED,
	    collide_once, &runs), DB_OK);
	ck_assert_int_eq(runs, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_apply");
	TCase *tc = tcase_create("apply");
	int status;

	server = pg_server_start();
	if (server == NULL)
		return PG_SKIP;
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc,
	    test_a_batch_is_booked_and_its_replay_changes_nothing);
	tcase_add_test(tc,
	    test_of_an_overlapping_batch_the_new_part_is_booked);
	tcase_add_test(tc, test_a_gap_is_refused);
	tcase_add_test(tc, test_a_record_comes_back_as_it_was);
	tcase_add_test(tc, test_a_mad_record_holds_nothing_up);
	tcase_add_test(tc, test_a_customer_cannot_be_overdrawn_by_records);
	tcase_add_test(tc, test_a_segments_base_is_fixed_by_its_first_fee);
	tcase_add_test(tc, test_killed_at_any_moment_it_is_booked_once);
	tcase_add_test(tc,
	    test_a_lost_connection_before_commit_changed_nothing);
	tcase_add_test(tc,
	    test_calls_of_a_fenced_node_are_booked_as_far_as_it_goes);
	tcase_add_test(tc, test_a_deadlock_is_tried_again);
	suite_add_tcase(suite, tc);
	status = run_suite(suite);
	pg_server_stop(&server);
	return status;
}

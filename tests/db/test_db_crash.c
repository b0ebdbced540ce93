/*
 * test_db_crash.c: flusher, worker, master or database killed: nothing is lost
 * and nothing doubled.
 */
#include <sys/resource.h>

#include "tests/db/flusher_fixture.h"
#include "tests/unit/run.h"

/* A server of the test's own, which it may kill. */
static void
set_up_own_server(void)
{
	server = pg_server_start();
	ck_assert_ptr_nonnull(server);
	set_up();
}

static void
tear_down_own_server(void)
{
	tear_down();
	pg_server_stop(&server);
}

START_TEST(test_killed_flushers_lose_and_double_nothing)
{
	int round;

	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	for (round = 0; round < 12; round++) {
		calls(400);
		nap_ms(round * 7 % 40);
		kill_flusher();
		calls_unattended(100);
		start_flusher();
		calls(100);
	}
	must_be_exact(10 * UNIT);
	ck_assert_int_eq(stop_flusher(), 0);
}
END_TEST

START_TEST(test_calls_go_on_while_the_database_is_away)
{
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	calls(500);
	pg_server_kill(server);
	calls(3000);
	kill_flusher();
	calls_unattended(300);
	start_flusher();
	calls(300);
	nap_ms(300);
	ck_assert_uint_eq(shm_gauge(shm, SHM_GAUGE_DATABASE_UP), 0);
	pg_server_restart(server);
	must_be_exact(10 * UNIT);
	/* And it hears of changes again. */
	credit("later", UNIT);
	wait_for(credited, 100 + 5000, "a credit after the crash");
	ck_assert_int_eq(stop_flusher(), 0);
}
END_TEST

static bool
fresh_grant(void)
{
	return available() == 10 * UNIT - expected_fees;
}

START_TEST(test_a_fresh_segment_is_granted_what_is_left)
{
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	calls(200);
	wait_for(all_booked, 5000, "calls are booked");
	/* With calls of the old segment left in the journal only. */
	pg_server_kill(server);
	calls(300);
	nap_ms(200);
	ck_assert_int_eq(stop_flusher(), 0);
	hold_book_close(&book);
	shm_close(&shm);
	make_segment();
	start_flusher();
	nap_ms(300);
	ck_assert(!loaded());
	pg_server_restart(server);
	wait_for(loaded, 10000, "the directory is loaded");
	wait_for(fresh_grant, 1, "exactly the rest was granted");
	calls(100);
	must_be_exact(10 * UNIT);
	/* The same segment, asked again: nothing more, nothing less. */
	kill_flusher();
	calls_unattended(50);
	start_flusher();
	calls(50);
	must_be_exact(10 * UNIT);
	ck_assert_int_eq(stop_flusher(), 0);
}
END_TEST

static uint32_t dead_seat;

static bool
seat_is_free(void)
{
	return seat_state(shm, dead_seat) == SEAT_FREE;
}

START_TEST(test_a_dead_workers_calls_are_settled)
{
	struct hold_progress progress;
	struct hold_terms t = terms();
	struct hold_book *other;
	struct call_record r;
	uint64_t generation;
	uint32_t hold;
	pid_t pid;
	int status, i;

	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	dead_seat = seat_assign(shm, &generation);
	call_number += 1000;
	pid = fork();
	if (pid == 0) {
		other = hold_book_open(shm, dead_seat);
		for (i = 0; i < 20; i++) {
			r = draft();
			if (hold_reserve(other, account(), UNIT / 100, &r, &t,
			    &hold) != HOLD_OK)
				_exit(1);
			/* Every other one had answered something: 30 nano. */
			memset(&progress, 0, sizeof(progress));
			progress.usage.count[USAGE_OUTPUT] = 30;
			progress.billable = i % 2 == 0;
			hold_progress(other, hold, &progress);
		}
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, &status, 0);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(available(), 10 * UNIT - 20 * UNIT / 100);
	seat_bury(shm, dead_seat);
	wait_for(seat_is_free, 2000, "the seat is free");
	expected_calls = 20;
	expected_fees = 10 * 30;
	must_be_exact(10 * UNIT);
	ck_assert_uint_eq(shm_gauge(shm, SHM_GAUGE_RECLAIMED), 20);
	ck_assert_uint_eq(hold_open_total(shm), 0);
}
END_TEST

static bool
journal_stopped(void)
{
	return (shm_stops(shm) & SHM_STOP_JOURNAL) != 0;
}

START_TEST(test_a_failed_write_stops_new_calls_and_loses_nothing)
{
	struct rlimit none = { 0, RLIM_INFINITY };

	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	calls(100);
	wait_for(all_booked, 5000, "calls are booked");
	ck_assert_int_eq(prlimit(flusher, RLIMIT_FSIZE, &none, NULL), 0);
	calls(100);
	wait_for(journal_stopped, 2000, "new calls are stopped");
	/* What was promised before is there, and no attempt is repeated. */
	nap_ms(200);
	ck_assert_uint_eq(shm_gauge(shm, SHM_GAUGE_JOURNAL_SEQ), 100);
	ck_assert(stop_flusher() != 0);
	start_flusher();
	must_be_exact(10 * UNIT);
	ck_assert(!journal_stopped());
}
END_TEST

START_TEST(test_without_a_master_it_ends_with_the_last_worker)
{
	int pipe_fd[2], status;
	struct heritage h = { .settings = &settings, .shm = shm };

	/* Nobody sits there: a pid that isn't. */
	ck_assert_int_eq(pipe(pipe_fd), 0);
	h.parent_fd = pipe_fd[0];
	flusher = fork();
	if (flusher == 0) {
		close(pipe_fd[1]);
		exit(flusher_main(&h));
	}
	close(pipe_fd[0]);
	wait_for(loaded, 5000, "the directory is loaded");
	calls(50);
	close(pipe_fd[1]);
	nap_ms(300);
	/* This worker, we, lives still. */
	ck_assert_int_eq(waitpid(flusher, &status, WNOHANG), 0);
	calls(50);
	seat_bury(shm, seat);
	ck_assert_int_eq(waitpid(flusher, &status, 0), flusher);
	flusher = 0;
	ck_assert_int_eq(status, 0);
	must_be_exact(10 * UNIT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_crash");
	TCase *tc = tcase_create("flusher"), *own = tcase_create("database");
	struct pg_server *shared = pg_server_start();
	int status;

	if (shared == NULL)
		return PG_SKIP;
	server = shared;
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_killed_flushers_lose_and_double_nothing);
	tcase_add_test(tc, test_a_dead_workers_calls_are_settled);
	tcase_add_test(tc,
	    test_a_failed_write_stops_new_calls_and_loses_nothing);
	tcase_add_test(tc,
	    test_without_a_master_it_ends_with_the_last_worker);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(own, 120);
	tcase_add_checked_fixture(own, set_up_own_server,
	    tear_down_own_server);
	tcase_add_test(own, test_calls_go_on_while_the_database_is_away);
	tcase_add_test(own, test_a_fresh_segment_is_granted_what_is_left);
	suite_add_tcase(suite, own);
	status = run_suite(suite);
	pg_server_stop(&shared);
	return status;
}

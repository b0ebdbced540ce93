/*
 * test_db_outage.c: the database away until the journal is at its budget, and
 * connections that break around a COMMIT.
 */
#include "flusher/frame.h"
#include "tests/db/commit_proxy.h"
#include "tests/db/flusher_fixture.h"
#include "tests/unit/run.h"

#define SEGMENT (UINT64_C(1) << 20)
#define BUDGET (3 * SEGMENT)

static void
set_up_own_server(void)
{
	server = pg_server_start();
	ck_assert_ptr_nonnull(server);
	set_up();
	settings.journal_segment_bytes = SEGMENT;
	settings.journal_budget_bytes = BUDGET;
}

static void
tear_down_own_server(void)
{
	tear_down();
	pg_server_stop(&server);
}

static bool
over_budget(void)
{
	return (shm_stops(shm) & SHM_STOP_BUDGET) != 0;
}

static bool
within_budget(void)
{
	return !over_budget();
}

static bool
is_known_to_be_away(void)
{
	return shm_gauge(shm, SHM_GAUGE_DATABASE_UP) == 0;
}

static long
flusher_kib(void)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)flusher);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

/* As long as a worker would take them, and not for ever. */
static void
calls_until_refused(void)
{
	int i;

	for (i = 0; i < 20000 && !over_budget(); i++)
		calls(1);
	ck_assert(over_budget());
}

static bool
log_says(const char *what)
{
	char path[100], line[1200];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/flusher.log", dir);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = strstr(line, what) != NULL;
	fclose(file);
	return found;
}

START_TEST(test_the_budget_is_reached_and_left_and_nothing_is_lost)
{
	int64_t began = clock_wall().us;
	uint64_t waiting;
	long kib;

	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	calls(500);
	wait_for(all_booked, 10000, "calls are booked");
	pg_server_kill(server);
	calls(600);
	wait_for(is_known_to_be_away, 5000, "the database's absence is known");
	kib = flusher_kib();
	calls_until_refused();
	/* It was used, was kept, and memory is no part of it. */
	waiting = shm_gauge(shm, SHM_GAUGE_JOURNAL_SEQ) -
	    shm_gauge(shm, SHM_GAUGE_APPLIED_SEQ);
	ck_assert_uint_ge(waiting, (BUDGET - 2 * SEGMENT) / FRAME_BYTES);
	/* Beyond it is what came before the calls were refused. */
	ck_assert_uint_le(shm_gauge(shm, SHM_GAUGE_JOURNAL_DISK),
	    BUDGET + 2 * SEGMENT);
	ck_assert_int_lt(flusher_kib() - kib, 16 * 1024);
	ck_assert_int_ge((int64_t)shm_gauge(shm, SHM_GAUGE_OLDEST_US), began);
	/* A new flusher knows as much, and still takes what is on its way. */
	kill_flusher();
	start_flusher();
	calls(50);
	nap_ms(500);
	ck_assert(over_budget());
	ck_assert_uint_ge(shm_gauge(shm, SHM_GAUGE_JOURNAL_SEQ) -
	    shm_gauge(shm, SHM_GAUGE_APPLIED_SEQ), waiting);
	pg_server_restart(server);
	wait_for(within_budget, 20000, "calls are taken again");
	calls(100);
	must_be_exact(10 * UNIT);
	ck_assert(log_says("at its budget or the disk is full"));
	ck_assert(log_says("the journal is being applied: applied="));
	ck_assert(log_says("the journal has been applied: records="));
	ck_assert(log_says("the journal has room again"));
	ck_assert_int_eq(stop_flusher(), 0);
	ck_assert_uint_eq(shm_gauge(shm, SHM_GAUGE_OLDEST_US), 0);
}
END_TEST

START_TEST(test_a_commit_without_an_answer_books_once)
{
	char through[PG_CONNINFO_BYTES], host[128];
	unsigned seed = getenv("YOUYUN_SEED") != NULL ?
	    (unsigned)strtoul(getenv("YOUYUN_SEED"), NULL, 10) :
	    (unsigned)time(NULL);
	struct proxy proxy;
	int i;

	printf("YOUYUN_SEED=%u\n", seed);
	fflush(stdout);
	ck_assert_int_eq(sscanf(settings.database, "host=%127s", host), 1);
	proxy = proxy_start(dir, host, seed);
	snprintf(through, sizeof(through), "host=%s%s", dir,
	    settings.database + strlen("host=") + strlen(host));
	snprintf(settings.database, sizeof(settings.database), "%s", through);
	settings.apply_batch = 20;
	start_flusher();
	wait_for(loaded, 20000, "the directory is loaded");
	for (i = 0; i < 400 && (i < 40 || proxy.counts->lost_answers < 3 ||
	    proxy.counts->lost_commits < 3); i++) {
		calls(20);
		nap_ms(20);
	}
	must_be_exact(10 * UNIT);
	ck_assert_uint_ge(proxy.counts->lost_answers, 3);
	ck_assert_uint_ge(proxy.counts->lost_commits, 3);
	ck_assert_uint_ge(proxy.counts->passed, 3);
	kill_flusher();
	proxy_stop(&proxy);
}
END_TEST

static bool
journal_stopped(void)
{
	return (shm_stops(shm) & SHM_STOP_JOURNAL) != 0;
}

START_TEST(test_a_journal_behind_the_database_takes_no_calls)
{
	char command[300];

	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	calls(50);
	wait_for(all_booked, 10000, "calls are booked");
	snprintf(command, sizeof(command), "mkdir %s/copy && cp %s/*.yyj "
	    "%s/copy", dir, dir, dir);
	ck_assert_int_eq(system(command), 0);
	calls(50);
	wait_for(all_booked, 10000, "calls are booked");
	ck_assert_int_eq(stop_flusher(), 0);
	/* The backup is put back, and the segment is another one. */
	snprintf(command, sizeof(command), "rm %s/*.yyj && mv %s/copy/*.yyj "
	    "%s", dir, dir, dir);
	ck_assert_int_eq(system(command), 0);
	hold_book_close(&book);
	shm_close(&shm);
	make_segment();
	start_flusher();
	wait_for(journal_stopped, 10000, "calls are refused");
	ck_assert(log_says("journal repair --up-to 100"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_outage");
	TCase *own = tcase_create("database");
	struct pg_server *probe = pg_server_start();

	if (probe == NULL)
		return PG_SKIP;
	pg_server_stop(&probe);
	tcase_set_timeout(own, 120);
	tcase_add_checked_fixture(own, set_up_own_server,
	    tear_down_own_server);
	tcase_add_test(own,
	    test_the_budget_is_reached_and_left_and_nothing_is_lost);
	tcase_add_test(own, test_a_commit_without_an_answer_books_once);
	tcase_add_test(own,
	    test_a_journal_behind_the_database_takes_no_calls);
	suite_add_tcase(suite, own);
	return run_suite(suite);
}

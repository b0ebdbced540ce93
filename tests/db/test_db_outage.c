/*
 * test_db_outage.c: the database away until the journal is at its budget,
 * connections that break around a COMMIT, and a disk that is full or fails.
 */
#include <errno.h>
#include <sys/mman.h>

#include "flusher/file.h"
#include "flusher/frame.h"
#include "flusher/journal_check.h"
#include "tests/db/commit_proxy.h"
#include "tests/db/flusher_fixture.h"
#include "tests/unit/run.h"

#define SEGMENT (UINT64_C(1) << 20)
#define BUDGET (3 * SEGMENT)

static void
set_up_small(void)
{
	set_up();
	settings.journal_segment_bytes = SEGMENT;
	settings.journal_budget_bytes = BUDGET;
}

/* A server of the test's own, which it may kill. */
static void
set_up_own_server(void)
{
	server = pg_server_start();
	ck_assert_ptr_nonnull(server);
	set_up_small();
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

static bool
oldest_is_known(void)
{
	return shm_gauge(shm, SHM_GAUGE_OLDEST_US) != 0;
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
	wait_for(oldest_is_known, 10000, "since when something waits");
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

static uint64_t durable_wanted;

static bool
is_durable(void)
{
	return shm_gauge(shm, SHM_GAUGE_JOURNAL_SEQ) >= durable_wanted;
}

/* Journalled, while the database is away, in commits of their own. */
static void
journalled_calls(int n)
{
	calls(n);
	durable_wanted += (uint64_t)n;
	wait_for(is_durable, 5000, "calls are in the journal");
}

static void
damage(uint64_t seq)
{
	char path[100];
	int fd;

	ck_assert(journal_path(dir, 1, path, sizeof(path)));
	fd = open(path, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "damage", 6, (off_t)(header_size(
	    seat_count(shm)) + (seq - 1) * FRAME_BYTES + 200)), 6);
	close(fd);
}

START_TEST(test_a_repaired_journal_is_applied_but_for_what_was_lost)
{
	char why[JOURNAL_WHY_BYTES];
	struct journal_survey survey;

	durable_wanted = 0;
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	pg_server_kill(server);
	journalled_calls(60);
	journalled_calls(40);
	kill_flusher();
	damage(50);
	start_flusher();
	nap_ms(300);
	ck_assert(log_says("could not use the journal; youyunctl journal"));
	kill_flusher();
	ck_assert_int_eq(journal_survey(&file_ops_real, dir, &survey, why),
	    JOURNAL_CORRUPT);
	ck_assert_uint_eq(survey.lost, 1);
	ck_assert_int_eq(journal_repair(&file_ops_real, dir, &survey, why),
	    JOURNAL_OK);
	journal_survey_free(&survey);
	start_flusher();
	pg_server_restart(server);
	/* Its fee was 50 nano. */
	expected_calls -= 1;
	expected_fees -= 50;
	wait_for(all_booked, 20000, "the others are in the database");
	calls(100);
	wait_for(all_booked, 20000, "and so are new ones");
	ck_assert_int_eq(q_verify_each(admin, breach, NULL), DB_OK);
	ck_assert(log_says("gave up are left out: first=50 calls=1"));
	/* The segment knows that the money was taken. */
	ck_assert_int_eq(available(), 10 * UNIT - expected_fees - 50);
}
END_TEST

/* The disk under the journal, as this test wants it to be meanwhile. */
struct disk {
	_Atomic bool full, syncs_fail, writes_fail;
	_Atomic uint32_t syncs;		/* tried while they fail */
};
static struct disk *disk;

static int
disk_allocate(int fd, off_t bytes)
{
	if (!disk->full)
		return file_ops_real.allocate(fd, bytes);
	errno = ENOSPC;
	return -1;
}

static int
disk_datasync(int fd)
{
	if (!disk->syncs_fail)
		return file_ops_real.datasync(fd);
	disk->syncs++;
	errno = EIO;
	return -1;
}

static ssize_t
disk_pwrite(int fd, const void *p, size_t n, off_t offset)
{
	if (!disk->writes_fail)
		return file_ops_real.pwrite(fd, p, n, offset);
	errno = EIO;
	return -1;
}

static void
put_disk_under_the_journal(void)
{
	static struct file_ops ops;

	disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANONYMOUS, -1, 0);
	ck_assert(disk != MAP_FAILED);
	ops = file_ops_real;
	ops.allocate = disk_allocate;
	ops.datasync = disk_datasync;
	ops.pwrite = disk_pwrite;
	flusher_file_ops = &ops;
}

START_TEST(test_a_full_disk_refuses_calls_until_there_is_room)
{
	put_disk_under_the_journal();
	settings.journal_budget_bytes = 100 * SEGMENT;
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	calls(100);
	ck_assert(!over_budget());
	disk->full = true;
	calls_until_refused();
	/* What was on its way is taken, by the file or by the rings. */
	calls(100);
	nap_ms(300);
	ck_assert(over_budget());
	ck_assert(log_says("the disk is full"));
	disk->full = false;
	wait_for(within_budget, 5000, "calls are taken again");
	calls(100);
	must_be_exact(10 * UNIT);
	/* Also one that begins on a full disk. */
	kill_flusher();
	disk->full = true;
	start_flusher();
	nap_ms(300);
	disk->full = false;
	calls(10);
	must_be_exact(10 * UNIT);
}
END_TEST

START_TEST(test_a_failed_sync_is_not_tried_again)
{
	put_disk_under_the_journal();
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	calls(100);
	wait_for(all_booked, 10000, "calls are booked");
	disk->syncs_fail = true;
	calls(50);
	wait_for(journal_stopped, 2000, "calls are refused");
	calls(50);
	nap_ms(300);
	ck_assert_uint_eq(disk->syncs, 1);
	ck_assert_uint_eq(shm_gauge(shm, SHM_GAUGE_JOURNAL_SEQ), 100);
	ck_assert(log_says("could not sync the journal"));
	ck_assert(log_says("new calls are refused: the journal failed"));
	/* A new start on a disk that is well has everything. */
	ck_assert_int_ne(stop_flusher(), 0);
	disk->syncs_fail = false;
	disk->writes_fail = true;
	start_flusher();
	nap_ms(300);
	ck_assert(journal_stopped());
	kill_flusher();
	disk->writes_fail = false;
	start_flusher();
	must_be_exact(10 * UNIT);
	ck_assert(!journal_stopped());
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_outage");
	TCase *tc = tcase_create("flusher"), *own = tcase_create("database");
	struct pg_server *shared = pg_server_start();
	int status;

	if (shared == NULL)
		return PG_SKIP;
	server = shared;
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up_small, tear_down);
	tcase_add_test(tc, test_a_commit_without_an_answer_books_once);
	tcase_add_test(tc,
	    test_a_journal_behind_the_database_takes_no_calls);
	tcase_add_test(tc,
	    test_a_full_disk_refuses_calls_until_there_is_room);
	tcase_add_test(tc, test_a_failed_sync_is_not_tried_again);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(own, 120);
	tcase_add_checked_fixture(own, set_up_own_server,
	    tear_down_own_server);
	tcase_add_test(own,
	    test_the_budget_is_reached_and_left_and_nothing_is_lost);
	tcase_add_test(own,
	    test_a_repaired_journal_is_applied_but_for_what_was_lost);
	suite_add_tcase(suite, own);
	status = run_suite(suite);
	pg_server_stop(&shared);
	return status;
}

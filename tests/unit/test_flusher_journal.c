/*
 * test_flusher_journal.c: group commit, restarts, torn tails, damage, budget.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flusher/frame.h"
#include "flusher/journal.h"
#include "flusher/journal_read.h"
#include "tests/unit/run.h"

#define SEATS 4
#define INCARNATION 77
/* The least a segment can have: the header and one batch. */
#define SEGMENT (4096 + 4096 * FRAME_BYTES)

static char dir[64];
static struct file_ops ops;
static struct journal_config config;
static struct journal *journal;
static char why[JOURNAL_WHY_BYTES];

/* What the layer under the journal does wrong. */
static int syncs, fail_sync_from, no_space;

static int
counting_datasync(int fd)
{
	if (++syncs >= fail_sync_from && fail_sync_from != 0) {
		errno = EIO;
		return -1;
	}
	return file_ops_real.datasync(fd);
}

static int
scarce_allocate(int fd, off_t bytes)
{
	if (no_space) {
		errno = ENOSPC;
		return -1;
	}
	return file_ops_real.allocate(fd, bytes);
}

static void
set_up(void)
{
	snprintf(dir, sizeof(dir), "/tmp/youyun-journal-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ops = file_ops_real;
	ops.datasync = counting_datasync;
	ops.allocate = scarce_allocate;
	config = (struct journal_config) { .dir = dir, .seats = SEATS,
		.segment_bytes = SEGMENT, .budget_bytes = 100 * SEGMENT,
		.incarnation = INCARNATION, .node = 1, .ops = &ops };
}

static void
tear_down(void)
{
	char command[100];

	journal_close(&journal);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void
open_journal(void)
{
	ck_assert_msg(journal_open(&config, &journal, why) == JOURNAL_OK,
	    "%s", why);
	ck_assert_int_eq(journal_begin(journal), JOURNAL_OK);
}

static void
reopen(void)
{
	journal_close(&journal);
	open_journal();
}

static struct call_record
record(uint64_t n)
{
	struct call_record r;

	memset(&r, 0, sizeof(r));
	r.answer_bytes = n;
	return r;
}

/* Appends n records to a seat's ring position, numbered from `number`. */
static void
append(uint32_t seat, uint64_t position, uint64_t number, uint32_t n)
{
	struct call_record r;
	uint32_t i;

	for (i = 0; i < n; i++) {
		r = record(number + i);
		journal_append(journal, seat, position + i, &r, 1);
	}
}

static void
commit(void)
{
	ck_assert_int_eq(journal_commit(journal), JOURNAL_OK);
}

/* Everything from `first` on must be there, in order, numbered like seq. */
static void
must_read(uint64_t first, uint64_t last)
{
	struct journal_reader *reader = journal_reader_open(dir, &ops);
	static struct journal_frame frame[100];
	uint64_t seq = first;
	uint32_t n, i;

	while (seq <= last) {
		n = journal_read(reader, seq, last, frame, 100);
		ck_assert_msg(n != 0, "record %" PRIu64 " can't be read", seq);
		for (i = 0; i < n; i++, seq++) {
			ck_assert_uint_eq(frame[i].seq, seq);
			ck_assert_uint_eq(frame[i].record.answer_bytes, seq);
		}
	}
	journal_reader_close(&reader);
}

static void
path_of(uint64_t first, char *path)
{
	ck_assert(journal_path(dir, first, path, 100));
}

static bool
exists(uint64_t first)
{
	char path[100];

	path_of(first, path);
	return access(path, F_OK) == 0;
}

static off_t
offset_of(uint64_t first, uint64_t seq)
{
	return (off_t)(header_size(SEATS) + (seq - first) * FRAME_BYTES);
}

static void
damage(uint64_t first, off_t offset)
{
	char path[100];
	uint8_t byte;
	int fd;

	path_of(first, path);
	fd = open(path, O_RDWR);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &byte, 1, offset), 1);
	byte ^= 0x40;
	ck_assert_int_eq(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

START_TEST(test_many_records_of_many_seats_are_one_sync)
{
	open_journal();
	syncs = 0;
	append(1, 0, 1, 500);
	append(2, 0, 501, 500);
	append(3, 0, 1001, 500);
	commit();
	ck_assert_int_eq(syncs, 1);
	ck_assert_uint_eq(journal_durable_seq(journal), 1500);
	must_read(1, 1500);
	commit();
	ck_assert_int_eq(syncs, 1);	/* nothing to do: no sync */
}
END_TEST

START_TEST(test_restart_goes_on_where_the_rings_were_read_to)
{
	open_journal();
	append(1, 10, 1, 5);
	append(3, 0, 6, 2);
	commit();
	reopen();
	/* The rings weren't released: their tails are behind. */
	ck_assert_uint_eq(journal_position(journal, 1, 10), 15);
	ck_assert_uint_eq(journal_position(journal, 3, 0), 2);
	ck_assert_uint_eq(journal_position(journal, 2, 4), 4);
	ck_assert_uint_eq(journal_durable_seq(journal), 7);
	append(1, 15, 8, 1);
	commit();
	reopen();
	ck_assert_uint_eq(journal_position(journal, 1, 10), 16);
	ck_assert_uint_eq(journal_position(journal, 3, 0), 2);
	must_read(1, 8);
}
END_TEST

START_TEST(test_positions_outlive_the_files_they_came_from)
{
	open_journal();
	append(2, 100, 1, 50);
	commit();
	append(1, 7, 51, 1);
	commit();
	/* The last commit isn't proven by a later one: it is carried over. */
	reopen();
	journal_tend(journal, 51);
	ck_assert(!exists(1));
	ck_assert(exists(51));
	reopen();
	ck_assert_uint_eq(journal_position(journal, 2, 0), 150);
	ck_assert_uint_eq(journal_position(journal, 1, 0), 8);
	ck_assert_uint_eq(journal_durable_seq(journal), 51);
}
END_TEST

START_TEST(test_identity_and_numbers_outlive_everything_applied)
{
	uint64_t id;

	open_journal();
	id = journal_id(journal);
	append(1, 0, 1, 3);
	commit();
	reopen();
	journal_tend(journal, 3);
	reopen();
	ck_assert_uint_eq(journal_id(journal), id);
	append(1, 3, 4, 1);
	commit();
	ck_assert_uint_eq(journal_durable_seq(journal), 4);
	must_read(4, 4);
}
END_TEST

START_TEST(test_another_segment_begins_its_rings_anew)
{
	open_journal();
	append(1, 1000, 1, 5);
	commit();
	config.incarnation = INCARNATION + 1;
	reopen();
	ck_assert_uint_eq(journal_position(journal, 1, 0), 0);
	ck_assert_uint_eq(journal_foreign_seq(journal), 5);
	append(1, 0, 6, 2);
	commit();
	reopen();
	ck_assert_uint_eq(journal_position(journal, 1, 0), 2);
	ck_assert_uint_eq(journal_foreign_seq(journal), 5);
}
END_TEST

START_TEST(test_torn_tail_is_cut)
{
	open_journal();
	append(1, 0, 1, 10);
	commit();
	append(1, 10, 11, 4);
	commit();
	/* Of the last batch the second was never written whole. */
	damage(1, offset_of(1, 12) + 100);
	reopen();
	ck_assert_uint_eq(journal_durable_seq(journal), 11);
	ck_assert_uint_eq(journal_position(journal, 1, 0), 11);
	/* The ring has it still. */
	append(1, 11, 12, 3);
	commit();
	must_read(1, 14);
	reopen();
	ck_assert_uint_eq(journal_durable_seq(journal), 14);
	must_read(1, 14);
}
END_TEST

START_TEST(test_frames_behind_a_torn_one_do_not_come_back)
{
	struct journal_reader *reader;
	struct journal_frame frame[8];

	open_journal();
	append(1, 0, 1, 5);
	commit();
	/* 2 is torn, 3 to 5 are whole and were never promised. */
	damage(1, offset_of(1, 2) + 100);
	reopen();
	ck_assert_uint_eq(journal_durable_seq(journal), 1);
	append(1, 1, 2, 1);
	commit();
	reopen();
	ck_assert_uint_eq(journal_durable_seq(journal), 2);
	reader = journal_reader_open(dir, &ops);
	ck_assert_uint_eq(journal_read(reader, 1, 5, frame, 1), 1);
	ck_assert_uint_eq(journal_read(reader, 2, 5, frame, 8), 1);
	ck_assert_uint_eq(journal_read(reader, 3, 5, frame, 8), 0);
	journal_reader_close(&reader);
}
END_TEST

START_TEST(test_damage_before_a_durable_record_is_refused)
{
	open_journal();
	append(1, 0, 1, 10);
	commit();
	append(1, 10, 11, 1);
	commit();
	journal_close(&journal);
	damage(1, offset_of(1, 5) + 100);
	ck_assert_int_eq(journal_open(&config, &journal, why),
	    JOURNAL_CORRUPT);
	ck_assert_ptr_nonnull(strstr(why, "0000000000000001.yyj"));
	snprintf(why + 400, 100, "offset=%ld ", (long)offset_of(1, 5));
	ck_assert_ptr_nonnull(strstr(why, why + 400));
	ck_assert_ptr_nonnull(strstr(why, "record 5 is damaged"));
}
END_TEST

START_TEST(test_damage_in_an_earlier_file_is_refused)
{
	open_journal();
	append(1, 0, 1, 10);
	commit();
	reopen();
	append(1, 10, 11, 1);
	commit();
	journal_close(&journal);
	damage(1, offset_of(1, 9) + 8);
	ck_assert_int_eq(journal_open(&config, &journal, why),
	    JOURNAL_CORRUPT);
	ck_assert_ptr_nonnull(strstr(why, "0000000000000001.yyj"));
}
END_TEST

START_TEST(test_a_damaged_header_and_a_missing_file_are_refused)
{
	char path[100];

	open_journal();
	append(1, 0, 1, 10);
	commit();
	append(1, 10, 11, 1);
	commit();
	reopen();
	append(1, 11, 12, 1);
	commit();
	append(1, 12, 13, 1);
	commit();
	journal_close(&journal);
	ck_assert(exists(11));
	damage(11, 40);
	ck_assert_int_eq(journal_open(&config, &journal, why),
	    JOURNAL_CORRUPT);
	ck_assert_ptr_nonnull(strstr(why, "header"));
	damage(11, 40);
	open_journal();
	append(1, 13, 14, 1);
	commit();
	journal_close(&journal);
	path_of(11, path);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(journal_open(&config, &journal, why),
	    JOURNAL_CORRUPT);
}
END_TEST

START_TEST(test_files_end_and_new_ones_begin)
{
	uint64_t n = 0;

	open_journal();
	while (n < 10000) {
		append(1, n, n + 1, 1000);
		commit();
		n += 1000;
	}
	ck_assert(exists(4097));
	ck_assert(exists(8193));
	must_read(1, 10000);
	reopen();
	must_read(1, 10000);
	/* Applied files go, the one with the next record stays. */
	journal_tend(journal, 5000);
	ck_assert(!exists(1));
	ck_assert(exists(4097));
	must_read(5001, 10000);
}
END_TEST

START_TEST(test_unproven_records_are_written_again)
{
	open_journal();
	append(1, 0, 1, 3);
	commit();
	/* The sync fails; the file has the frames, the disk may not. */
	fail_sync_from = syncs + 1;
	append(1, 3, 4, 2);
	ck_assert_int_eq(journal_commit(journal), JOURNAL_FAILED);
	ck_assert_uint_eq(journal_durable_seq(journal), 3);
	ck_assert_uint_eq(journal_position(journal, 1, 0), 3);
	/* Never again by this one, even if it would work now. */
	fail_sync_from = 0;
	ck_assert_int_eq(journal_commit(journal), JOURNAL_FAILED);
	ck_assert_uint_eq(journal_room(journal), 0);
	reopen();
	ck_assert_uint_eq(journal_durable_seq(journal), 5);
	ck_assert(exists(4));
	must_read(1, 5);
}
END_TEST

START_TEST(test_budget_stops_and_room_lets_go_on)
{
	config.budget_bytes = 2 * SEGMENT;
	open_journal();
	append(1, 0, 1, 3000);
	commit();
	journal_tend(journal, 0);
	ck_assert(!journal_over_budget(journal));	/* the spare fits */
	append(1, 3000, 3001, 3000);
	commit();
	append(1, 6000, 6001, 1000);
	commit();
	journal_tend(journal, 0);
	ck_assert(journal_over_budget(journal));
	/* What is on its way is still taken. */
	append(1, 7000, 7001, 3000);
	commit();
	must_read(1, 10000);
	journal_tend(journal, 9000);
	ck_assert(!journal_over_budget(journal));
}
END_TEST

START_TEST(test_a_full_disk_loses_nothing)
{
	open_journal();
	append(1, 0, 1, 4000);
	commit();
	no_space = 1;
	journal_tend(journal, 0);
	ck_assert(journal_over_budget(journal));
	append(1, 4000, 4001, 200);
	ck_assert_int_eq(journal_commit(journal), JOURNAL_FULL);
	ck_assert_uint_eq(journal_durable_seq(journal), 4096);
	ck_assert_uint_eq(journal_position(journal, 1, 0), 4096);
	ck_assert_int_eq(journal_commit(journal), JOURNAL_FULL);
	no_space = 0;
	commit();
	ck_assert_uint_eq(journal_durable_seq(journal), 4200);
	journal_tend(journal, 4200);
	ck_assert(!journal_over_budget(journal));
	must_read(4200, 4200);
}
END_TEST

START_TEST(test_a_start_on_a_full_disk_can_be_tried_again)
{
	open_journal();
	append(1, 0, 1, 3);
	commit();
	journal_close(&journal);
	no_space = 1;
	ck_assert_int_eq(journal_open(&config, &journal, why), JOURNAL_OK);
	ck_assert_int_eq(journal_begin(journal), JOURNAL_FULL);
	ck_assert_uint_eq(journal_room(journal), 0);
	ck_assert(journal_over_budget(journal));
	no_space = 0;
	ck_assert_int_eq(journal_begin(journal), JOURNAL_OK);
	ck_assert(!journal_over_budget(journal));
	append(1, 3, 4, 1);
	commit();
	must_read(1, 4);
}
END_TEST

START_TEST(test_another_nodes_journal_is_refused)
{
	open_journal();
	journal_close(&journal);
	config.node = 2;
	ck_assert_int_eq(journal_open(&config, &journal, why),
	    JOURNAL_CORRUPT);
	ck_assert_ptr_nonnull(strstr(why, "node 1"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("flusher_journal");
	TCase *tc = tcase_create("journal");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_many_records_of_many_seats_are_one_sync);
	tcase_add_test(tc, test_restart_goes_on_where_the_rings_were_read_to);
	tcase_add_test(tc, test_positions_outlive_the_files_they_came_from);
	tcase_add_test(tc,
	    test_identity_and_numbers_outlive_everything_applied);
	tcase_add_test(tc, test_another_segment_begins_its_rings_anew);
	tcase_add_test(tc, test_torn_tail_is_cut);
	tcase_add_test(tc, test_frames_behind_a_torn_one_do_not_come_back);
	tcase_add_test(tc, test_damage_before_a_durable_record_is_refused);
	tcase_add_test(tc, test_damage_in_an_earlier_file_is_refused);
	tcase_add_test(tc,
	    test_a_damaged_header_and_a_missing_file_are_refused);
	tcase_add_test(tc, test_files_end_and_new_ones_begin);
	tcase_add_test(tc, test_unproven_records_are_written_again);
	tcase_add_test(tc, test_budget_stops_and_room_lets_go_on);
	tcase_add_test(tc, test_a_full_disk_loses_nothing);
	tcase_add_test(tc, test_a_start_on_a_full_disk_can_be_tried_again);
	tcase_add_test(tc, test_another_nodes_journal_is_refused);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

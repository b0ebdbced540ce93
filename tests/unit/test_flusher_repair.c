/*
 * test_flusher_repair.c: what a damaged journal is worth, and that a repair
 * keeps all of that, whatever happens to it on the way.
 *
 * YOUYUN_SEED=N	the random damage of an earlier run
 */
#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "flusher/journal.h"
#include "flusher/journal_check.h"
#include "flusher/journal_read.h"
#include "tests/unit/disk_model.h"
#include "tests/unit/run.h"

#define DIR "/j"
#define SEATS 2
#define FILE_FRAMES 10
#define RECORDS 37		/* in files of 1, 11, 21 and 31 on */
#define HEADER 4096
#define INCARNATION 5

static struct journal_config config = { .dir = DIR, .seats = SEATS,
	.segment_bytes = HEADER + FILE_FRAMES * FRAME_BYTES,
	.budget_bytes = UINT64_C(1) << 30, .incarnation = INCARNATION,
	.node = 1, .ops = &disk_ops };
static struct journal *journal;
static struct journal_survey survey;
static char why[JOURNAL_WHY_BYTES];
static uint64_t seed;

static void
append(uint64_t first, uint64_t last)
{
	struct call_record r;
	uint64_t n;

	memset(&r, 0, sizeof(r));
	for (n = first; n <= last; n++) {
		r.answer_bytes = n;
		journal_append(journal, 1, n - 1, &r, 1);
		if (n % 3 == 0 || n == last)
			ck_assert_int_eq(journal_commit(journal), JOURNAL_OK);
	}
}

/* Records 1 to RECORDS, of one seat; the last commit isn't proven. */
static void
set_up(void)
{
	disk_reset();
	ck_assert_int_eq(journal_open(&config, &journal, why), JOURNAL_OK);
	ck_assert_int_eq(journal_begin(journal), JOURNAL_OK);
	append(1, RECORDS);
	journal_close(&journal);
}

static void
tear_down(void)
{
	journal_survey_free(&survey);
	journal_close(&journal);
}

static void
name(uint64_t first, char path[64])
{
	ck_assert(journal_path(DIR, first, path, 64));
}

static void
scribble(uint64_t file, off_t offset, const void *p, size_t n)
{
	char path[64];
	int fd;

	name(file, path);
	fd = disk_ops.open(path, O_RDWR, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert(file_write_all(&disk_ops, fd, p, n, offset));
	ck_assert_int_eq(disk_ops.sync(fd), 0);
	disk_ops.close(fd);
}

static off_t
offset_of(uint64_t file, uint64_t seq)
{
	return (off_t)(HEADER + (seq - file) * FRAME_BYTES);
}

static void
look(enum journal_result expected)
{
	journal_survey_free(&survey);
	ck_assert_int_eq(journal_survey(&disk_ops, DIR, &survey, why),
	    expected);
}

static void
repair(void)
{
	ck_assert_msg(journal_repair(&disk_ops, DIR, &survey, why) ==
	    JOURNAL_OK, "%s", why);
}

/* The start takes it, and numbers go on after `last`. */
static void
must_open(uint64_t last)
{
	ck_assert_msg(journal_open(&config, &journal, why) == JOURNAL_OK,
	    "%s", why);
	ck_assert_int_eq(journal_begin(journal), JOURNAL_OK);
	ck_assert_uint_eq(journal_durable_seq(journal), last);
}

/* Record seq is there, or marked as lost. */
static bool
is_there(uint64_t seq)
{
	struct journal_reader *reader = journal_reader_open(DIR, &disk_ops);
	struct journal_frame f;

	ck_assert_uint_eq(journal_read(reader, seq, seq, &f, 1), 1);
	journal_reader_close(&reader);
	ck_assert_uint_eq(f.seq, seq);
	if (f.type == FRAME_LOST)
		return false;
	ck_assert_uint_eq(f.record.answer_bytes, seq);
	return true;
}

static void
must_have_all_but(uint64_t first, uint64_t last)
{
	uint64_t seq;

	for (seq = 1; seq <= RECORDS; seq++)
		ck_assert_int_eq(is_there(seq), seq < first || seq > last);
}

static int damaged_files;

static void
count_damaged(const char *entry, void *arg)
{
	const char *dot = strrchr(entry, '.');

	(void)arg;
	damaged_files += dot != NULL && strcmp(dot, ".damaged") == 0;
}

static int
kept_aside(void)
{
	damaged_files = 0;
	ck_assert_int_eq(disk_ops.list(DIR, count_damaged, NULL), 0);
	return damaged_files;
}

START_TEST(test_a_whole_journal_has_no_flaw)
{
	look(JOURNAL_OK);
	ck_assert_uint_eq(survey.files, 4);
	ck_assert_uint_eq(survey.first_seq, 1);
	ck_assert_uint_eq(survey.last_seq, RECORDS);
	ck_assert_uint_eq(survey.durable_seq, RECORDS - 1);
	ck_assert_uint_eq(survey.whole, RECORDS);
	ck_assert_uint_eq(survey.lost, 0);
}
END_TEST

START_TEST(test_a_torn_tail_is_no_flaw)
{
	/* Of the last commit, the one record. */
	scribble(31, offset_of(31, RECORDS) + 100, "x", 1);
	look(JOURNAL_OK);
	ck_assert_uint_eq(survey.last_seq, RECORDS - 1);
	ck_assert_uint_eq(survey.whole, RECORDS - 1);
}
END_TEST

START_TEST(test_damaged_records_are_named_and_given_up_alone)
{
	scribble(11, offset_of(11, 14) + 30, "x", 1);
	scribble(11, offset_of(11, 15) + 3, "xyz", 3);
	ck_assert_int_eq(journal_open(&config, &journal, why),
	    JOURNAL_CORRUPT);
	look(JOURNAL_CORRUPT);
	ck_assert_uint_eq(survey.flaws, 1);
	ck_assert_int_eq(survey.flaw[0].kind, FLAW_FRAMES);
	ck_assert_uint_eq(survey.flaw[0].file, 11);
	ck_assert_uint_eq(survey.flaw[0].offset,
	    (uint64_t)offset_of(11, 14));
	ck_assert_uint_eq(survey.flaw[0].first_seq, 14);
	ck_assert_uint_eq(survey.flaw[0].records, 2);
	ck_assert_uint_eq(survey.lost, 2);
	repair();
	ck_assert_int_eq(kept_aside(), 1);
	must_open(RECORDS);
	must_have_all_but(14, 15);
	look(JOURNAL_OK);
	ck_assert_uint_eq(survey.lost_before, 2);
}
END_TEST

START_TEST(test_damage_in_the_last_file_is_mended_as_well)
{
	scribble(31, offset_of(31, 32), "x", 1);
	look(JOURNAL_CORRUPT);
	ck_assert_uint_eq(survey.lost, 1);
	repair();
	must_open(RECORDS);
	must_have_all_but(32, 32);
	append(RECORDS + 1, RECORDS + 9);
	ck_assert(is_there(RECORDS + 9));
}
END_TEST

START_TEST(test_a_damaged_header_costs_no_record)
{
	static const uint64_t file[] = { 1, 11, 31 };
	size_t i;

	for (i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		set_up();
		scribble(file[i], 40, "damage", 6);
		look(JOURNAL_CORRUPT);
		ck_assert_int_eq(survey.flaw[0].kind, FLAW_HEADER);
		ck_assert_uint_eq(survey.lost, 0);
		repair();
		must_open(RECORDS);
		must_have_all_but(0, 0);
		/* The ring is read on where it had been read to. */
		ck_assert_uint_eq(journal_position(journal, 1, 0), RECORDS);
		journal_close(&journal);
	}
}
END_TEST

START_TEST(test_a_missing_file_is_a_gap_of_lost_records)
{
	char path[64];

	name(21, path);
	ck_assert_int_eq(disk_ops.unlink(path), 0);
	look(JOURNAL_CORRUPT);
	ck_assert_uint_eq(survey.flaws, 1);
	ck_assert_int_eq(survey.flaw[0].kind, FLAW_MISSING);
	ck_assert_uint_eq(survey.flaw[0].first_seq, 21);
	ck_assert_uint_eq(survey.flaw[0].records, 10);
	repair();
	must_open(RECORDS);
	must_have_all_but(21, 30);
}
END_TEST

START_TEST(test_another_journals_file_is_set_aside)
{
	uint64_t id = 77;
	uint8_t block[HEADER];
	struct journal_header h = { .magic = JOURNAL_MAGIC,
		.version = JOURNAL_VERSION, .header_bytes = HEADER,
		.frame_bytes = FRAME_BYTES, .seats = SEATS, .journal_id = id,
		.first_seq = 100, .node = 1 };
	uint64_t position[SEATS] = { 0, 0 };
	char path[64];

	header_encode(&h, position, block);
	name(100, path);
	disk_ops.close(disk_ops.open(path, O_RDWR | O_CREAT, 0600));
	scribble(100, 0, block, sizeof(block));
	look(JOURNAL_CORRUPT);
	ck_assert_uint_eq(survey.flaws, 1);
	ck_assert_int_eq(survey.flaw[0].kind, FLAW_STRANGE);
	ck_assert_uint_eq(survey.lost, 0);
	repair();
	ck_assert_int_eq(kept_aside(), 1);
	must_open(RECORDS);
	must_have_all_but(0, 0);
}
END_TEST

START_TEST(test_numbers_the_database_has_are_used_up)
{
	look(JOURNAL_OK);
	ck_assert(journal_survey_extend(&survey, RECORDS + 5));
	ck_assert_uint_eq(survey.flaws, 1);
	ck_assert_uint_eq(survey.flaw[0].records, 5);
	repair();
	must_open(RECORDS + 5);
	must_have_all_but(0, 0);
	ck_assert(!journal_survey_extend(&survey, UINT64_MAX / 2));
}
END_TEST

START_TEST(test_another_version_is_left_alone)
{
	uint32_t other = JOURNAL_VERSION + 1;

	scribble(11, offsetof(struct journal_header, version), &other,
	    sizeof(other));
	look(JOURNAL_IO);
	ck_assert_ptr_nonnull(strstr(why, "another version"));
}
END_TEST

/* Scribbles here and there; true in whole_r: the record was not touched. */
static void
damage_at_random(bool whole_r[RECORDS + 1])
{
	unsigned n = 1 + (unsigned)(random_next(&seed) % 4);
	uint8_t junk[600];
	uint64_t file, seq;
	size_t len, i;
	off_t at;

	memset(whole_r, true, RECORDS + 1);
	while (n-- != 0) {
		file = 1 + 10 * (random_next(&seed) % 3);
		at = (off_t)(random_next(&seed) % (HEADER + FILE_FRAMES *
		    FRAME_BYTES - sizeof(junk)));
		len = 1 + random_next(&seed) % sizeof(junk);
		for (i = 0; i < len; i++)
			junk[i] = (uint8_t)random_next(&seed) | 1;
		if (at < 16 && at + (off_t)len > 8)
			continue;	/* that is another version, or none */
		scribble(file, at, junk, len);
		for (seq = file; seq < file + FILE_FRAMES; seq++)
			if (at < offset_of(file, seq + 1) &&
			    at + (off_t)len > offset_of(file, seq))
				whole_r[seq] = false;
	}
}

START_TEST(test_a_damaged_header_and_beginning_cost_the_beginning)
{
	scribble(11, 40, "damage", 6);
	for (uint64_t seq = 11; seq <= 18; seq++)
		scribble(11, offset_of(11, seq) + 9, "x", 1);
	look(JOURNAL_CORRUPT);
	ck_assert_uint_eq(survey.lost, 8);
	repair();
	must_open(RECORDS);
	must_have_all_but(11, 18);
}
END_TEST

START_TEST(test_random_damage_costs_what_it_hit)
{
	bool whole[RECORDS + 1];
	uint64_t seq;
	int round;

	for (round = 0; round < 200; round++) {
		set_up();
		damage_at_random(whole);
		journal_survey_free(&survey);
		switch (journal_survey(&disk_ops, DIR, &survey, why)) {
		case JOURNAL_CORRUPT:
			repair();
			break;
		case JOURNAL_OK:
			break;
		case JOURNAL_IO:
		case JOURNAL_FULL:
		case JOURNAL_FAILED:
			ck_abort_msg("%s", why);
		}
		must_open(RECORDS);
		for (seq = 1; seq <= RECORDS; seq++)
			ck_assert_msg(is_there(seq) || !whole[seq],
			    "record %" PRIu64 " is gone, round %d", seq,
			    round);
		journal_close(&journal);
	}
}
END_TEST

static void
damage_three(void)
{
	set_up();
	scribble(1, offset_of(1, 4), "x", 1);
	scribble(11, 40, "damage", 6);
	scribble(31, offset_of(31, 33), "x", 1);
}

START_TEST(test_a_repair_cut_off_anywhere_is_done_again)
{
	static const enum disk_fault fault[] = { DISK_ERROR, DISK_NO_SPACE,
		DISK_HALF_ERROR, DISK_CUT };
	unsigned n, at;
	size_t i;

	damage_three();
	look(JOURNAL_CORRUPT);
	disk_plan(0, 0, DISK_GOOD);
	repair();
	n = disk_count();
	ck_assert_uint_ge(n, 30);
	for (at = 0; at < n; at++)
		for (i = 0; i < sizeof(fault) / sizeof(fault[0]); i++) {
			damage_three();
			look(JOURNAL_CORRUPT);
			disk_plan(at, 1, fault[i]);
			(void)!journal_repair(&disk_ops, DIR, &survey, why);
			if (fault[i] == DISK_CUT)
				disk_power_cut(&seed);
			disk_plan(0, 0, DISK_GOOD);
			journal_survey_free(&survey);
			if (journal_survey(&disk_ops, DIR, &survey, why) ==
			    JOURNAL_CORRUPT)
				repair();
			must_open(RECORDS);
			/* An unreadable sector is a lost record. */
			ck_assert(disk_struck() == DISK_READ || is_there(5));
			if (disk_struck() != DISK_READ)
				for (uint64_t seq = 1; seq <= RECORDS; seq++)
					ck_assert_int_eq(is_there(seq),
					    seq != 4 && seq != 33);
			journal_close(&journal);
		}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("flusher_repair");
	TCase *tc = tcase_create("repair");
	const char *text = getenv("YOUYUN_SEED");

	seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
	printf("YOUYUN_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	log_set_fd(open("/dev/null", O_WRONLY));
	log_open("test", LOG_TARGET_FILE, LOG_LEVEL_ERROR);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_a_whole_journal_has_no_flaw);
	tcase_add_test(tc, test_a_torn_tail_is_no_flaw);
	tcase_add_test(tc,
	    test_damaged_records_are_named_and_given_up_alone);
	tcase_add_test(tc, test_damage_in_the_last_file_is_mended_as_well);
	tcase_add_test(tc, test_a_damaged_header_costs_no_record);
	tcase_add_test(tc, test_a_missing_file_is_a_gap_of_lost_records);
	tcase_add_test(tc, test_another_journals_file_is_set_aside);
	tcase_add_test(tc, test_numbers_the_database_has_are_used_up);
	tcase_add_test(tc, test_another_version_is_left_alone);
	tcase_add_test(tc,
	    test_a_damaged_header_and_beginning_cost_the_beginning);
	tcase_add_test(tc, test_random_damage_costs_what_it_hit);
	tcase_add_test(tc, test_a_repair_cut_off_anywhere_is_done_again);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

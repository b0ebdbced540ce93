/* What reaches the operator, line by line. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/run.h"

static int ends[2];
static char line[4096];

static void
set_up(void)
{
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	log_open("tester", LOG_TARGET_FILE, LOG_LEVEL_NOTICE);
	log_set_fd(ends[1]);
	clock_test_set((struct mono_time){ 0 },
	    (struct wall_time){ INT64_C(1795453200123456) });
}

static void
tear_down(void)
{
	clock_test_release();
	close(ends[0]);
	close(ends[1]);
}

/* What was written since; "" when nothing was. */
static const char *
written(void)
{
	ssize_t n = read(ends[0], line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

START_TEST(test_line_has_time_program_pid_and_level)
{
	char expected[256];

	log_error("could not open file: path=%s", "/x");
	snprintf(expected, sizeof(expected),
	    "2026-11-23T17:00:00.123456Z tester[%d] error: "
	    "could not open file: path=/x\n", (int)getpid());
	ck_assert_str_eq(written(), expected);
}
END_TEST

START_TEST(test_levels_below_the_set_one_are_silent)
{
	log_info("not now");
	ck_assert_str_eq(written(), "");
	log_notice("now");
	ck_assert_ptr_nonnull(strstr(written(), "notice: now\n"));
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("and this");
	ck_assert_ptr_nonnull(strstr(written(), "debug: and this\n"));
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("not this");
	ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(test_control_characters_cannot_start_a_line)
{
	log_error("a%sb", "\n2026 forged\r\x1b[31m");
	ck_assert_ptr_nonnull(strstr(written(), "a?2026 forged??[31mb\n"));
}
END_TEST

START_TEST(test_long_lines_are_cut_to_one_kib)
{
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
	ck_assert_uint_eq(strlen(written()), 1024);
	ck_assert_int_eq(line[1023], '\n');
}
END_TEST

START_TEST(test_errno_is_kept)
{
	errno = EXDEV;
	log_error("a line");
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(test_full_pipe_drops_lines_and_does_not_wait)
{
	for (int i = 0; i < 5000; i++)
		log_error("a line that nobody reads, number %d", i);
	ck_assert_ptr_nonnull(strstr(written(), "number 0\n"));
}
END_TEST

START_TEST(test_level_names)
{
	ck_assert_int_eq(log_level_parse("error"), LOG_LEVEL_ERROR);
	ck_assert_int_eq(log_level_parse("debug"), LOG_LEVEL_DEBUG);
	ck_assert_int_eq(log_level_parse("loud"), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/log");
	TCase *t = tcase_create("log");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_line_has_time_program_pid_and_level);
	tcase_add_test(t, test_levels_below_the_set_one_are_silent);
	tcase_add_test(t, test_control_characters_cannot_start_a_line);
	tcase_add_test(t, test_long_lines_are_cut_to_one_kib);
	tcase_add_test(t, test_errno_is_kept);
	tcase_add_test(t, test_full_pipe_drops_lines_and_does_not_wait);
	tcase_add_test(t, test_level_names);
	suite_add_tcase(s, t);
	return run_suite(s);
}

/* Times and their texts. */
#include "base/clock.h"

#include <string.h>

#include "tests/unit/run.h"

START_TEST(test_wall_time_is_written_in_utc_with_microseconds)
{
	char text[WALL_TEXT_BYTES];

	wall_format((struct wall_time){ .us = 0 }, text);
	ck_assert_str_eq(text, "1970-01-01T00:00:00.000000Z");
	wall_format((struct wall_time){ .us = INT64_C(1795453200123456) },
	    text);
	ck_assert_str_eq(text, "2026-11-23T17:00:00.123456Z");
	wall_format((struct wall_time){ .us = INT64_C(951782400000001) },
	    text);
	ck_assert_str_eq(text, "2000-02-29T00:00:00.000001Z");
	wall_format((struct wall_time){ .us = -1 }, text);
	ck_assert_str_eq(text, "1969-12-31T23:59:59.999999Z");
}
END_TEST

START_TEST(test_wall_time_out_of_range_stays_in_its_buffer)
{
	char text[WALL_TEXT_BYTES];

	wall_format((struct wall_time){ .us = INT64_MAX }, text);
	ck_assert_uint_lt(strlen(text), sizeof(text));
	wall_format((struct wall_time){ .us = INT64_MIN }, text);
	ck_assert_uint_lt(strlen(text), sizeof(text));
}
END_TEST

START_TEST(test_deadline_beyond_the_end_of_time_is_its_end)
{
	struct mono_time t = { .ns = 5 };

	ck_assert_int_eq(mono_add_ms(t, 3).ns, 3000005);
	ck_assert_int_eq(mono_add_ms(t, INT64_MAX).ns, INT64_MAX);
	ck_assert_int_eq(mono_add_ms((struct mono_time){ INT64_MAX }, 1).ns,
	    INT64_MAX);
}
END_TEST

START_TEST(test_differences_are_in_their_unit)
{
	struct mono_time a = { .ns = 1000000 }, b = { .ns = 5999999 };

	ck_assert_int_eq(mono_diff_ms(b, a), 4);
	ck_assert_int_eq(mono_diff_us(b, a), 4999);
	ck_assert_int_eq(mono_diff_ms(a, b), -4);
}
END_TEST

START_TEST(test_clock_stands_while_a_test_holds_it)
{
	struct mono_time before = clock_mono();

	clock_test_set((struct mono_time){ 42 }, (struct wall_time){ 43 });
	ck_assert_int_eq(clock_mono().ns, 42);
	ck_assert_int_eq(clock_wall().us, 43);
	clock_test_release();
	ck_assert_int_ge(clock_mono().ns, before.ns);
	ck_assert_int_gt(clock_wall().us, INT64_C(1600000000000000));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/clock");
	TCase *t = tcase_create("clock");

	tcase_add_test(t, test_wall_time_is_written_in_utc_with_microseconds);
	tcase_add_test(t, test_wall_time_out_of_range_stays_in_its_buffer);
	tcase_add_test(t, test_deadline_beyond_the_end_of_time_is_its_end);
	tcase_add_test(t, test_differences_are_in_their_unit);
	tcase_add_test(t, test_clock_stands_while_a_test_holds_it);
	suite_add_tcase(s, t);
	return run_suite(s);
}

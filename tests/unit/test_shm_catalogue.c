/*
 * test_shm_catalogue.c: the snapshot of models, prices and channels.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "shm/catalogue.h"
#include "shm/layout.h"
#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"

static struct shm *shm;

static void
set_up(void)
{
	shm = fixture_segment(&fixture_sizes);
}

static void
tear_down(void)
{
	shm_close(&shm);
}

/* n models, all of price n, and n routes to one channel. */
static enum catalogue_result
publish(uint32_t n)
{
	struct catalogue c;
	enum catalogue_result result;
	uint32_t i;

	memset(&c, 0, sizeof(c));
	c.models = c.routes = n;
	c.groups = c.channels = 1;
	c.model = calloc(n, sizeof(*c.model));
	c.route = calloc(n, sizeof(*c.route));
	c.group = calloc(1, sizeof(*c.group));
	c.channel = calloc(1, sizeof(*c.channel));
	ck_assert(c.model && c.route && c.group && c.channel);
	for (i = 0; i < n; i++) {
		c.model[i].model_id = n;
		c.model[i].price.nano[0] = n;
		c.route[i].model = i;
	}
	c.group->multiplier_ppm = n;
	c.channel->channel_id = n;
	result = catalogue_publish(shm, &c);
	catalogue_free(&c);
	return result;
}

START_TEST(test_nothing_was_published_yet)
{
	struct catalogue c;

	ck_assert_uint_eq(catalogue_current(shm), 0);
	ck_assert_int_eq(catalogue_copy(shm, &c), CATALOGUE_NONE);
}
END_TEST

START_TEST(test_the_copy_is_what_was_published)
{
	struct catalogue c;
	uint32_t n;

	for (n = 1; n < 40; n++) {
		ck_assert_int_eq(publish(n), CATALOGUE_OK);
		ck_assert_uint_eq(catalogue_current(shm), n);
		ck_assert_int_eq(catalogue_copy(shm, &c), CATALOGUE_OK);
		ck_assert_uint_eq(c.number, n);
		ck_assert_uint_eq(c.models, n);
		ck_assert_uint_eq(c.routes, n);
		ck_assert_uint_eq(c.model[n - 1].model_id, n);
		ck_assert_uint_eq(c.group[0].multiplier_ppm, n);
		ck_assert_uint_eq(c.channel[0].channel_id, n);
		catalogue_free(&c);
		ck_assert_ptr_null(c.model);
	}
}
END_TEST

START_TEST(test_what_does_not_fit_changes_nothing)
{
	struct catalogue c;

	ck_assert_int_eq(publish(2), CATALOGUE_OK);
	ck_assert_int_eq(publish(100000), CATALOGUE_FULL);
	ck_assert_int_eq(catalogue_copy(shm, &c), CATALOGUE_OK);
	ck_assert_uint_eq(c.models, 2);
	catalogue_free(&c);
}
END_TEST

START_TEST(test_a_publisher_killed_half_way_has_changed_nothing)
{
	struct catalogue c;

	ck_assert_int_eq(publish(3), CATALOGUE_OK);
	/* the other bank half written */
	memset(shm_bank(shm, 2), 0xa5, 100000);
	ck_assert_int_eq(catalogue_copy(shm, &c), CATALOGUE_OK);
	ck_assert_uint_eq(c.models, 3);
	catalogue_free(&c);
	ck_assert_int_eq(publish(4), CATALOGUE_OK);
	ck_assert_int_eq(catalogue_copy(shm, &c), CATALOGUE_OK);
	ck_assert_uint_eq(c.models, 4);
	catalogue_free(&c);
}
END_TEST

START_TEST(test_a_reader_never_sees_a_mixture)
{
	struct catalogue c;
	unsigned good = 0, torn = 0;
	uint32_t i, n;
	pid_t pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		for (i = 0;; i++)
			(void)publish(1 + i % 200);
	while (good < 2000) {
		switch (catalogue_copy(shm, &c)) {
		case CATALOGUE_OK:
			n = c.models;
			for (i = 0; i < n; i++)
				ck_assert_uint_eq(c.model[i].model_id, n);
			ck_assert_uint_eq(c.group[0].multiplier_ppm, n);
			catalogue_free(&c);
			good++;
			break;
		case CATALOGUE_TORN:
			torn++;
			break;
		default:
			break;
		}
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	printf("%u copies whole, %u overtaken\n", good, torn);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("shm_catalogue");
	TCase *tc = tcase_create("catalogue");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_nothing_was_published_yet);
	tcase_add_test(tc, test_the_copy_is_what_was_published);
	tcase_add_test(tc, test_what_does_not_fit_changes_nothing);
	tcase_add_test(tc,
	    test_a_publisher_killed_half_way_has_changed_nothing);
	tcase_add_test(tc, test_a_reader_never_sees_a_mixture);
	suite_add_tcase(s, tc);
	return run_suite(s);
}

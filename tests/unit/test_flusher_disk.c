/*
 * test_flusher_disk.c: the journal on a disk that fails at every operation in
 * turn, and on one whose power is cut there.
 *
 * YOUYUN_SEED=N		the random choices of an earlier run
 * YOUYUN_DISK_ROUNDS=N		so many random scenarios [20]
 */
#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "tests/unit/disk_model.h"
#include "tests/unit/journal_rig.h"
#include "tests/unit/run.h"

#define TURNS 24
#define SCENARIO 4711		/* of the exhaustive tests; any will do */
#define CUTS_EACH 6		/* different outcomes of one power cut */

static uint64_t base_seed;
static unsigned rounds = 20;

static int
dumb_sync(int fd)
{
	(void)fd;
	return 0;
}

static const char *
after(const char *step, const char *why)
{
	static char text[400];

	if (why == NULL)
		return NULL;
	snprintf(text, sizeof(text), "%s: %s", step, why);
	return text;
}

/* Nothing fails any more: the journal goes on, and all is there. */
static const char *
recovers(const char *step)
{
	const char *why;

	if (!rig_start())
		return after(step, "the next start is refused");
	why = rig_verify(false);
	if (why == NULL && (!rig_work(TURNS / 2) || !rig_drain()))
		why = "it can't go on";
	if (why == NULL && !rig_start())
		why = "a start after that is refused";
	if (why == NULL)
		why = rig_verify(true);
	return after(step, why);
}

/* One fault, or several in a row; then a new flusher, then a power cut; or
 * that cut at once. */
static const char *
fault_then(bool cut, const struct file_ops *ops, uint64_t scenario,
    unsigned at, unsigned times, enum disk_fault fault)
{
	uint64_t seed = scenario + at;
	const char *why;

	rig_reset(ops, scenario);
	disk_plan(at, times, fault);
	if (rig_start())
		(void)rig_work(TURNS);
	rig_end();
	disk_plan(0, 0, DISK_GOOD);
	if (!cut) {
		why = recovers("after the fault");
		if (why != NULL)
			return why;
	}
	rig_power_cut(&seed);
	return recovers(cut ? "after the fault and a power cut" :
	    "after a power cut later");
}

static const char *
survive_fault(const struct file_ops *ops, uint64_t scenario, unsigned at,
    unsigned times, enum disk_fault fault)
{
	const char *why = fault_then(false, ops, scenario, at, times, fault);

	return why != NULL ? why :
	    fault_then(true, ops, scenario, at, times, fault);
}

/* A power cut, and another one while it recovers or soon afterwards. */
static const char *
survive_cut(const struct file_ops *ops, uint64_t scenario, unsigned at,
    uint64_t seed)
{
	const char *why = NULL;

	rig_reset(ops, scenario);
	disk_plan(at, 1, DISK_CUT);
	if (rig_start())
		(void)rig_work(TURNS);
	rig_power_cut(&seed);
	disk_plan((unsigned)(random_next(&seed) % 60), 1, DISK_CUT);
	if (rig_start()) {
		why = rig_verify(false);
		if (disk_is_dead())
			why = NULL;	/* it couldn't see it any more */
		(void)rig_work(TURNS / 2);
	}
	if (why != NULL)
		return after("after the first cut", why);
	rig_power_cut(&seed);
	return recovers("after the second cut");
}

static unsigned
operations(uint64_t scenario)
{
	rig_reset(&disk_ops, scenario);
	ck_assert(rig_start() && rig_work(TURNS));
	return disk_count();
}

START_TEST(test_the_scenario_has_everything)
{
	struct rig_tally tally;
	unsigned n = operations(SCENARIO);

	ck_assert_uint_ge(n, 150);
	ck_assert_ptr_null(rig_verify(false));
	tally = rig_tally();
	ck_assert_uint_ge(tally.records, 60);	/* ten a file */
	ck_assert_uint_ge(tally.deleted, 30);
	ck_assert_uint_ge(tally.starts, 3);
}
END_TEST

START_TEST(test_a_fault_at_any_operation_loses_and_doubles_nothing)
{
	static const enum disk_fault fault[] = { DISK_ERROR, DISK_NO_SPACE,
		DISK_SHORT, DISK_INTERRUPTED, DISK_HALF_ERROR };
	unsigned n = operations(SCENARIO), at;
	const char *why;
	size_t i;

	for (at = 0; at < n; at++)
		for (i = 0; i < sizeof(fault) / sizeof(fault[0]); i++) {
			why = survive_fault(&disk_ops, SCENARIO, at, 1,
			    fault[i]);
			ck_assert_msg(why == NULL, "%s at operation %u (%s): "
			    "%s", disk_fault_name(fault[i]), at,
			    disk_op_name(disk_struck()), why);
		}
}
END_TEST

START_TEST(test_a_disk_that_stays_full_or_broken_loses_nothing)
{
	unsigned n = operations(SCENARIO), at;
	const char *why;

	for (at = 0; at < n; at++) {
		why = survive_fault(&disk_ops, SCENARIO, at, 30,
		    DISK_NO_SPACE);
		ck_assert_msg(why == NULL, "full from %u on: %s", at, why);
		why = survive_fault(&disk_ops, SCENARIO, at, 1000,
		    DISK_ERROR);
		ck_assert_msg(why == NULL, "broken from %u on: %s", at, why);
	}
}
END_TEST

START_TEST(test_a_power_cut_at_any_operation_loses_nothing_promised)
{
	unsigned n = operations(SCENARIO), at, i;
	const char *why;

	for (at = 0; at < n; at++)
		for (i = 0; i < CUTS_EACH; i++) {
			why = survive_cut(&disk_ops, SCENARIO, at,
			    base_seed + i);
			ck_assert_msg(why == NULL, "cut at operation %u (%s), "
			    "YOUYUN_SEED=%" PRIu64 ": %s", at,
			    disk_op_name(disk_struck()), base_seed, why);
		}
}
END_TEST

START_TEST(test_random_scenarios_survive)
{
	static const enum disk_fault fault[] = { DISK_ERROR, DISK_NO_SPACE,
		DISK_HALF_ERROR };
	uint64_t seed = base_seed, scenario;
	const char *why;
	unsigned i, k, n, at;

	for (i = 0; i < rounds; i++) {
		scenario = random_next(&seed);
		n = operations(scenario);
		for (k = 0; k < 20; k++) {
			at = (unsigned)(random_next(&seed) % n);
			why = survive_cut(&disk_ops, scenario, at,
			    random_next(&seed));
			ck_assert_msg(why == NULL, "round %u, cut at %u, "
			    "YOUYUN_SEED=%" PRIu64 ": %s", i, at, base_seed,
			    why);
			why = survive_fault(&disk_ops, scenario, at,
			    1 + (unsigned)(random_next(&seed) % 5),
			    fault[random_next(&seed) % 3]);
			ck_assert_msg(why == NULL, "round %u, fault at %u, "
			    "YOUYUN_SEED=%" PRIu64 ": %s", i, at, base_seed,
			    why);
		}
	}
}
END_TEST

/* True when the tests above would find this journal out. */
static bool
is_found_out(const struct file_ops *ops)
{
	unsigned n = operations(SCENARIO), at;

	for (at = 0; at < n; at++)
		if (survive_cut(ops, SCENARIO, at, at) != NULL)
			return true;
	return false;
}

START_TEST(test_a_journal_that_does_not_sync_is_found_out)
{
	struct file_ops ops = disk_ops;

	ops.datasync = dumb_sync;
	ck_assert(is_found_out(&ops));
	ops = disk_ops;
	ops.sync = dumb_sync;
	ck_assert(is_found_out(&ops));
	ck_assert(!is_found_out(&disk_ops));
}
END_TEST

static void
read_environment(void)
{
	const char *text = getenv("YOUYUN_SEED");

	base_seed = text != NULL ? strtoull(text, NULL, 10) :
	    (uint64_t)time(NULL);
	printf("YOUYUN_SEED=%" PRIu64 "\n", base_seed);
	text = getenv("YOUYUN_DISK_ROUNDS");
	if (text != NULL)
		rounds = (unsigned)strtoul(text, NULL, 10);
	fflush(stdout);
}

int
main(void)
{
	Suite *suite = suite_create("flusher_disk");
	TCase *tc = tcase_create("disk");

	read_environment();
	/* Each of thousands of failures says so. */
	log_set_fd(open("/dev/null", O_WRONLY));
	log_open("test", LOG_TARGET_FILE, LOG_LEVEL_ERROR);
	tcase_set_timeout(tc, 60 + rounds / 5);
	tcase_add_test(tc, test_the_scenario_has_everything);
	tcase_add_test(tc,
	    test_a_fault_at_any_operation_loses_and_doubles_nothing);
	tcase_add_test(tc,
	    test_a_disk_that_stays_full_or_broken_loses_nothing);
	tcase_add_test(tc,
	    test_a_power_cut_at_any_operation_loses_nothing_promised);
	tcase_add_test(tc, test_random_scenarios_survive);
	tcase_add_test(tc, test_a_journal_that_does_not_sync_is_found_out);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

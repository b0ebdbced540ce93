/*
 * test_shm_channel.c: breakers, limits, latencies, and forgetting them.
 */
#include <check.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "shm/breaker.h"
#include "shm/catalogue.h"
#include "shm/channel.h"
#include "shm/channel_headers.h"
#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"

#define SLOT 3
#define OPEN_MS 500
#define PROBE_MS 1000
#define RACERS 4
#define ROUNDS 2000

static const struct channel_policy policy = { .failures = 3, .percent = 50,
	.open_ms = OPEN_MS, .refused_ms = 60000 };
static struct channel_credential_key key = { SLOT, 2, 77 };
static struct shm *shm;
static struct channel_view view;

static void
sync_with(uint64_t channel_id, uint32_t resets, uint64_t edition)
{
	struct catalogue c = { .channels = 1, .credentials = 1 };

	c.channel = calloc(1, sizeof(*c.channel));
	c.credential = calloc(1, sizeof(*c.credential));
	c.channel->channel_id = channel_id;
	c.channel->slot = SLOT;
	c.channel->resets = resets;
	c.credential->slot = 2;
	c.credential->edition = edition;
	channel_sync(shm, &c);
	catalogue_free(&c);
}

static void
set_up(void)
{
	uint64_t generation;

	shm = fixture_segment(&fixture_sizes);
	ck_assert_uint_eq(seat_assign(shm, &generation), 1);
	ck_assert_uint_eq(seat_assign(shm, &generation), 2);
	sync_with(5, 0, 77);
}

static void
tear_down(void)
{
	shm_close(&shm);
}

static bool
fail_at(int64_t now_ms, uint64_t probe)
{
	return channel_failed(shm, SLOT, probe, now_ms, &policy,
	    CHANNEL_FAULT_STATUS, 503);
}

static enum breaker_state
state(void)
{
	ck_assert(channel_read(shm, SLOT, 0, &view));
	return view.breaker.state;
}

START_TEST(test_failures_in_a_row_take_a_channel_out)
{
	ck_assert(!fail_at(100, 0));
	ck_assert(!fail_at(100, 0));
	channel_answered(shm, SLOT, 0, 100, 5);
	ck_assert(!fail_at(100, 0));
	ck_assert(!fail_at(100, 0));
	ck_assert(channel_passes(shm, SLOT, 100));
	ck_assert(fail_at(100, 0));
	ck_assert_int_eq(state(), BREAKER_OPEN);
	ck_assert_int_eq(view.fault, CHANNEL_FAULT_STATUS);
	ck_assert_int_eq(view.status, 503);
	ck_assert_uint_eq(view.faults, 5);
	ck_assert_uint_eq(view.opened, 1);
	ck_assert(!channel_passes(shm, SLOT, 100 + OPEN_MS - 1));
	ck_assert(channel_passes(shm, SLOT, 100 + OPEN_MS));
	/* What was on its way already changes nothing. */
	ck_assert(!fail_at(200, 0));
	channel_answered(shm, SLOT, 0, 200, 5);
	ck_assert_int_eq(state(), BREAKER_OPEN);
}
END_TEST

START_TEST(test_a_part_of_many_calls_takes_a_channel_out)
{
	bool opened = false;
	int i;

	for (i = 0; i < CHANNEL_WINDOW_CALLS && !opened; i++) {
		channel_answered(shm, SLOT, 0, 20000, 1);
		opened = fail_at(20000, 0);
	}
	ck_assert(opened);
	ck_assert_int_eq(i, CHANNEL_WINDOW_CALLS / 2);
	ck_assert(channel_read(shm, SLOT, 20000, &view));
	ck_assert_uint_eq(view.window_calls, CHANNEL_WINDOW_CALLS);
	ck_assert_uint_eq(view.window_failures, CHANNEL_WINDOW_CALLS / 2);
	ck_assert(channel_read(shm, SLOT, 20000 + CHANNEL_WINDOW_MS, &view));
	ck_assert_uint_eq(view.window_calls, 0);
}
END_TEST

START_TEST(test_one_call_at_a_time_probes_a_channel_that_is_out)
{
	uint64_t probe, other;

	for (int i = 0; i < 3; i++)
		fail_at(0, 0);
	ck_assert_int_eq(channel_enter(shm, SLOT, OPEN_MS - 1, PROBE_MS,
	    &probe), BREAKER_OUT);
	ck_assert_int_eq(channel_enter(shm, SLOT, OPEN_MS, PROBE_MS, &probe),
	    BREAKER_PROBE);
	ck_assert_int_eq(state(), BREAKER_PROBING);
	ck_assert_int_eq(channel_enter(shm, SLOT, OPEN_MS, PROBE_MS, &other),
	    BREAKER_OUT);
	/* Failed: out again, for twice as long. */
	ck_assert(fail_at(600, probe));
	ck_assert_int_eq(state(), BREAKER_OPEN);
	ck_assert_int_eq(view.breaker.until_ms, 600 + 2 * OPEN_MS);
	ck_assert_int_eq(channel_enter(shm, SLOT, 600 + 2 * OPEN_MS, PROBE_MS,
	    &probe), BREAKER_PROBE);
	channel_answered(shm, SLOT, probe, 2000, 7);
	ck_assert_int_eq(state(), BREAKER_CLOSED);
	ck_assert_int_eq(channel_enter(shm, SLOT, 2000, PROBE_MS, &probe),
	    BREAKER_PASS);
	ck_assert_uint_eq(probe, 0);
}
END_TEST

START_TEST(test_a_lost_probe_is_followed_by_another)
{
	uint64_t lost, next;

	for (int i = 0; i < 3; i++)
		fail_at(0, 0);
	ck_assert_int_eq(channel_enter(shm, SLOT, OPEN_MS, PROBE_MS, &lost),
	    BREAKER_PROBE);
	ck_assert_int_eq(channel_enter(shm, SLOT, OPEN_MS + PROBE_MS, PROBE_MS,
	    &next), BREAKER_PROBE);
	/* The first one was only slow: its failure is of no account any more,
	 * but if it works, it works. */
	ck_assert(!fail_at(1600, lost));
	ck_assert_int_eq(state(), BREAKER_PROBING);
	channel_answered(shm, SLOT, lost, 1600, 3);
	ck_assert_int_eq(state(), BREAKER_CLOSED);
	ck_assert(!fail_at(1700, next));
	ck_assert_int_eq(state(), BREAKER_CLOSED);
}
END_TEST

START_TEST(test_a_probe_that_is_given_up_is_taken_up_at_once)
{
	uint64_t probe;

	for (int i = 0; i < 3; i++)
		fail_at(0, 0);
	ck_assert_int_eq(channel_enter(shm, SLOT, OPEN_MS, PROBE_MS, &probe),
	    BREAKER_PROBE);
	channel_given_up(shm, SLOT, probe, 550);
	ck_assert_int_eq(channel_enter(shm, SLOT, 550, PROBE_MS, &probe),
	    BREAKER_PROBE);
}
END_TEST

START_TEST(test_probes_of_many_processes_pass_one_by_one)
{
	int pipe_fd[2], won = 0;
	char byte;

	for (int i = 0; i < 3; i++)
		fail_at(0, 0);
	ck_assert_int_eq(pipe(pipe_fd), 0);
	for (int i = 0; i < RACERS; i++)
		if (fork() == 0) {
			uint64_t probe;

			/* Each round's time is later than the last probe's. */
			for (int64_t t = 1; t <= ROUNDS; t++)
				if (channel_enter(shm, SLOT, t * OPEN_MS,
				    OPEN_MS, &probe) == BREAKER_PROBE &&
				    write(pipe_fd[1], "x", 1) != 1)
					_exit(1);
			_exit(0);
		}
	close(pipe_fd[1]);
	while (read(pipe_fd[0], &byte, 1) == 1)
		won++;
	while (wait(NULL) > 0)
		continue;
	close(pipe_fd[0]);
	ck_assert_int_ge(won, 1);
	ck_assert_int_le(won, ROUNDS);
}
END_TEST

START_TEST(test_no_breaker_without_a_threshold)
{
	struct channel_policy none = { .failures = 0, .percent = 1,
		.open_ms = 1 };

	for (int i = 0; i < 100; i++)
		ck_assert(!channel_failed(shm, SLOT, 0, 0, &none,
		    CHANNEL_FAULT_CUT, 0));
	ck_assert_int_eq(state(), BREAKER_CLOSED);
	ck_assert_uint_eq(view.faults, 100);
}
END_TEST

START_TEST(test_calls_at_once_are_limited_over_all_seats)
{
	struct mono_time now = { 1 };

	ck_assert_int_eq(channel_take(shm, 1, SLOT, 3, 0, now), CHANNEL_TAKEN);
	ck_assert_int_eq(channel_take(shm, 2, SLOT, 3, 0, now), CHANNEL_TAKEN);
	ck_assert_int_eq(channel_take(shm, 2, SLOT, 3, 0, now), CHANNEL_TAKEN);
	ck_assert_int_eq(channel_take(shm, 1, SLOT, 3, 0, now),
	    CHANNEL_CROWDED);
	ck_assert_uint_eq(channel_open(shm, SLOT), 3);
	ck_assert_uint_eq(channel_open(shm, SLOT - 1), 0);
	channel_leave(shm, 2, SLOT);
	ck_assert_int_eq(channel_take(shm, 1, SLOT, 3, 0, now), CHANNEL_TAKEN);
}
END_TEST

START_TEST(test_a_dead_seats_calls_are_free_again)
{
	struct mono_time now = { 1 };
	uint64_t generation;

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(channel_take(shm, 1, SLOT, 0, 0, now),
		    CHANNEL_TAKEN);
	ck_assert_int_eq(channel_take(shm, 2, SLOT, 0, 0, now), CHANNEL_TAKEN);
	seat_bury(shm, 1);
	ck_assert_uint_eq(channel_open(shm, SLOT), 1);
	seat_free(shm, 1);
	ck_assert_uint_eq(seat_assign(shm, &generation), 1);
	ck_assert_uint_eq(channel_open(shm, SLOT), 1);
}
END_TEST

START_TEST(test_many_processes_never_pass_the_limit_together)
{
	struct mono_time now = { 1 };
	struct {
		_Atomic int inside, most, refused;
	} *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(seen != MAP_FAILED);
	for (uint32_t seat = 1; seat <= 2; seat++)
		if (fork() == 0) {
			for (int i = 0; i < 200000; i++) {
				if (channel_take(shm, seat, SLOT, 1, 0, now) !=
				    CHANNEL_TAKEN) {
					seen->refused++;
					continue;
				}
				if (++seen->inside > 1)
					seen->most = 2;
				seen->inside--;
				channel_leave(shm, seat, SLOT);
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		continue;
	ck_assert_int_eq(seen->most, 0);
	ck_assert_uint_eq(channel_open(shm, SLOT), 0);
	munmap(seen, 4096);
}
END_TEST

START_TEST(test_calls_a_minute_are_limited_over_all_seats)
{
	struct mono_time now = { INT64_C(1000000000000) };
	int taken = 0;

	/* 60 a minute: six at once, then one a second. */
	for (int i = 0; i < 20; i++)
		taken += channel_take(shm, 1 + (uint32_t)i % 2, SLOT, 0, 60,
		    now) == CHANNEL_TAKEN;
	ck_assert_int_eq(taken, 6);
	ck_assert_int_eq(channel_rate_wait_ms(shm, SLOT, 60, now), 1000);
	now.ns += 999 * INT64_C(1000000);
	ck_assert_int_eq(channel_take(shm, 1, SLOT, 0, 60, now),
	    CHANNEL_HURRIED);
	now.ns += INT64_C(1000000);
	ck_assert_int_eq(channel_take(shm, 1, SLOT, 0, 60, now),
	    CHANNEL_TAKEN);
	ck_assert_int_eq(channel_take(shm, 2, SLOT, 0, 60, now),
	    CHANNEL_HURRIED);
	/* Over an hour it is the rate. */
	taken = 0;
	for (int i = 0; i < 36000; i++) {
		now.ns += 100 * INT64_C(1000000);
		if (channel_take(shm, 1, SLOT, 0, 60, now) == CHANNEL_TAKEN) {
			taken++;
			channel_leave(shm, 1, SLOT);
		}
	}
	ck_assert_int_ge(taken, 3600 - 1);
	ck_assert_int_le(taken, 3600 + 6);
	/* What was refused is not counted as open. */
	ck_assert_uint_eq(channel_open(shm, SLOT), 7);
}
END_TEST

START_TEST(test_a_limit_is_shared_by_the_nodes_that_are_up)
{
	static const struct {
		uint64_t nodes;
		uint32_t limit, share;
	} cases[] = { { 0, 60, 60 }, { 1, 60, 60 }, { 3, 60, 20 },
		{ 7, 60, 8 }, { 3, 2, 1 }, { 2, 2, 1 }, { 3, 0, 0 } };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		shm_gauge_set(shm, SHM_GAUGE_NODES_UP, cases[i].nodes);
		ck_assert_uint_eq(channel_share(shm, cases[i].limit),
		    cases[i].share);
	}
}
END_TEST

START_TEST(test_a_refused_credential_is_out_and_probed_later)
{
	int64_t until_ms;
	uint64_t probe;
	bool refused;

	ck_assert(channel_credential_refused(shm, &key, 0, 10, &policy, 401));
	ck_assert(!channel_credential_passes(shm, &key, 10, &until_ms,
	    &refused));
	ck_assert(refused);
	ck_assert_int_eq(until_ms, 10 + 60000);
	ck_assert_int_eq(channel_credential_enter(shm, &key, 60010, PROBE_MS,
	    &probe), BREAKER_PROBE);
	channel_credential_used(shm, &key, probe);
	ck_assert(channel_credential_passes(shm, &key, 60011, &until_ms,
	    &refused));
}
END_TEST

START_TEST(test_a_403_alone_may_be_about_the_request)
{
	for (int i = 1; i < CHANNEL_FORBIDDEN_MAX; i++)
		ck_assert(!channel_credential_refused(shm, &key, 0, 10,
		    &policy, 403));
	channel_credential_used(shm, &key, 0);
	for (int i = 1; i < CHANNEL_FORBIDDEN_MAX; i++)
		ck_assert(!channel_credential_refused(shm, &key, 0, 10,
		    &policy, 403));
	ck_assert(channel_credential_refused(shm, &key, 0, 10, &policy, 403));
}
END_TEST

START_TEST(test_the_longest_rest_counts)
{
	int64_t until_ms;
	bool refused;

	channel_credential_rest(shm, &key, 5000, 429);
	channel_credential_rest(shm, &key, 3000, 429);
	ck_assert(!channel_credential_passes(shm, &key, 4999, &until_ms,
	    &refused));
	ck_assert(!refused);
	ck_assert_int_eq(until_ms, 5000);
	ck_assert(channel_credential_passes(shm, &key, 5000, &until_ms,
	    &refused));
}
END_TEST

START_TEST(test_what_is_about_a_replaced_credential_is_dropped)
{
	struct channel_credential_key newer = key;
	struct channel_credential_view v;
	int64_t until_ms;
	bool refused;

	channel_credential_refused(shm, &key, 0, 10, &policy, 401);
	newer.edition = 78;
	/* A worker may know the new one before the flusher's word is here. */
	ck_assert(channel_credential_passes(shm, &newer, 10, &until_ms,
	    &refused));
	sync_with(5, 0, 78);
	ck_assert(channel_credential_passes(shm, &newer, 10, &until_ms,
	    &refused));
	ck_assert(!channel_credential_refused(shm, &key, 0, 10, &policy, 401));
	ck_assert(channel_credential_read(shm, SLOT, 2, &v));
	ck_assert_uint_eq(v.edition, 78);
	ck_assert_uint_eq(v.refusals, 0);
}
END_TEST

START_TEST(test_a_removed_credential_leaves_nothing)
{
	struct catalogue c = { .channels = 1 };
	struct channel_credential_view v;

	channel_credential_refused(shm, &key, 0, 10, &policy, 401);
	c.channel = calloc(1, sizeof(*c.channel));
	c.channel->channel_id = 5;
	c.channel->slot = SLOT;
	channel_sync(shm, &c);
	ck_assert(channel_credential_read(shm, SLOT, 2, &v));
	ck_assert_uint_eq(v.edition, 0);
	ck_assert_int_eq(v.breaker.state, BREAKER_CLOSED);
	c.channel->slot = fixture_sizes.channels;
	channel_sync(shm, &c);	/* out of bounds: passed over */
	catalogue_free(&c);
}
END_TEST

START_TEST(test_a_reset_forgets_what_is_held_against_a_channel)
{
	int64_t until_ms;
	bool refused;

	for (int i = 0; i < 3; i++)
		fail_at(0, 0);
	channel_credential_refused(shm, &key, 0, 0, &policy, 402);
	channel_answered(shm, SLOT, 0, 0, 40);
	sync_with(5, 0, 77);
	ck_assert_int_eq(state(), BREAKER_OPEN);
	sync_with(5, 1, 77);
	ck_assert_int_eq(state(), BREAKER_CLOSED);
	ck_assert(channel_credential_passes(shm, &key, 0, &until_ms,
	    &refused));
	/* Counts go on. */
	ck_assert_uint_eq(view.answers, 1);
	ck_assert_uint_eq(view.faults, 3);
}
END_TEST

START_TEST(test_percentiles_of_the_first_byte)
{
	ck_assert(channel_read(shm, SLOT, 0, &view));
	ck_assert_int_eq(channel_latency_percentile_ms(view.latency, 50), -1);
	for (int i = 0; i < 90; i++)
		channel_answered(shm, SLOT, 0, 0, 15);
	for (int i = 0; i < 10; i++)
		channel_answered(shm, SLOT, 0, 0, 1500);
	channel_answered(shm, SLOT, 0, 0, -1);
	ck_assert(channel_read(shm, SLOT, 0, &view));
	ck_assert_uint_eq(view.answers, 100);
	ck_assert_int_gt(channel_latency_percentile_ms(view.latency, 50), 10);
	ck_assert_int_le(channel_latency_percentile_ms(view.latency, 90), 20);
	ck_assert_int_gt(channel_latency_percentile_ms(view.latency, 91),
	    1000);
	ck_assert_int_le(channel_latency_percentile_ms(view.latency, 100),
	    2000);
	channel_answered(shm, SLOT, 0, 0, INT64_C(1) << 40);
	ck_assert(channel_read(shm, SLOT, 0, &view));
	ck_assert_int_eq(channel_latency_percentile_ms(view.latency, 100),
	    1000000);
}
END_TEST

static const char *
check(const char *name, const char *value)
{
	return channel_header_check((struct span){ name, strlen(name) },
	    (struct span){ value, strlen(value) });
}

START_TEST(test_headers_that_are_the_gateways_are_refused)
{
	ck_assert_ptr_null(check("OpenAI-Organization", "org-1"));
	ck_assert_ptr_null(check("x-title", "a b"));
	ck_assert_ptr_nonnull(check("host", "x"));
	ck_assert_ptr_nonnull(check("Content-Length", "1"));
	ck_assert_ptr_nonnull(check("TRANSFER-ENCODING", "chunked"));
	ck_assert_ptr_nonnull(check("authorization", "Bearer x"));
	ck_assert_ptr_nonnull(check("x-api-key", "x"));
	ck_assert_ptr_nonnull(check("", "x"));
	ck_assert_ptr_nonnull(check("a b", "x"));
	ck_assert_ptr_nonnull(check("x", ""));
	ck_assert_ptr_nonnull(check("x", "a\r\nHost: b"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shm channel");
	TCase *t = tcase_create("channel");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_failures_in_a_row_take_a_channel_out);
	tcase_add_test(t, test_a_part_of_many_calls_takes_a_channel_out);
	tcase_add_test(t,
	    test_one_call_at_a_time_probes_a_channel_that_is_out);
	tcase_add_test(t, test_a_lost_probe_is_followed_by_another);
	tcase_add_test(t,
	    test_a_probe_that_is_given_up_is_taken_up_at_once);
	tcase_add_test(t, test_probes_of_many_processes_pass_one_by_one);
	tcase_add_test(t, test_no_breaker_without_a_threshold);
	tcase_add_test(t, test_calls_at_once_are_limited_over_all_seats);
	tcase_add_test(t, test_a_dead_seats_calls_are_free_again);
	tcase_add_test(t,
	    test_many_processes_never_pass_the_limit_together);
	tcase_add_test(t, test_calls_a_minute_are_limited_over_all_seats);
	tcase_add_test(t,
	    test_a_limit_is_shared_by_the_nodes_that_are_up);
	tcase_add_test(t, test_a_refused_credential_is_out_and_probed_later);
	tcase_add_test(t, test_a_403_alone_may_be_about_the_request);
	tcase_add_test(t, test_the_longest_rest_counts);
	tcase_add_test(t,
	    test_what_is_about_a_replaced_credential_is_dropped);
	tcase_add_test(t, test_a_removed_credential_leaves_nothing);
	tcase_add_test(t,
	    test_a_reset_forgets_what_is_held_against_a_channel);
	tcase_add_test(t, test_percentiles_of_the_first_byte);
	tcase_add_test(t, test_headers_that_are_the_gateways_are_refused);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}

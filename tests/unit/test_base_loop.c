/* Timers in order, events safely delivered. */
#include "base/loop.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/run.h"

#define TIMERS 500

struct probe {
	struct loop_timer timer;
	struct loop_watch watch;
	int fired;
	int order;
	struct probe *other;	/* to be unwatched by this one */
};

static struct loop *loop;
static int fires;

static void
set_up(void)
{
	loop = loop_open();
	ck_assert_ptr_nonnull(loop);
	fires = 0;
}

static void
tear_down(void)
{
	loop_close(&loop);
	ck_assert_ptr_null(loop);
}

static void
on_timer(struct loop_timer *t)
{
	struct probe *p = (struct probe *)((char *)t -
	    offsetof(struct probe, timer));

	p->fired++;
	p->order = fires++;
}

static void
on_timer_again(struct loop_timer *t)
{
	on_timer(t);
	loop_arm(loop, t, loop_now(loop));
}

static void
on_event(struct loop_watch *w, uint32_t events)
{
	struct probe *p = (struct probe *)((char *)w -
	    offsetof(struct probe, watch));

	ck_assert_uint_ne(events & EPOLLIN, 0);
	p->fired++;
	if (p->other != NULL) {
		loop_unwatch(loop, &p->other->watch);
		close(p->other->watch.fd);
		memset(p->other, 0xee, sizeof(*p->other));
		free(p->other);
		p->other = NULL;
	}
}

static struct mono_time
in_ms(int64_t ms)
{
	return mono_add_ms(clock_mono(), ms);
}

START_TEST(test_timers_fire_in_order_of_time)
{
	static struct probe probe[TIMERS];
	unsigned seed = 7;

	for (int i = 0; i < TIMERS; i++) {
		memset(&probe[i], 0, sizeof(probe[i]));
		probe[i].timer.fire = on_timer;
		seed = seed * 1103515245 + 12345;
		loop_arm(loop, &probe[i].timer,
		    (struct mono_time){ 1 + (seed >> 8) % 100000 });
	}
	/* Changed and disarmed in between, from all places of the heap. */
	for (int i = 0; i < TIMERS; i += 3)
		loop_arm(loop, &probe[i].timer,
		    (struct mono_time){ 200000 - i });
	for (int i = 0; i < TIMERS; i += 7)
		loop_disarm(loop, &probe[i].timer);
	loop_turn(loop, 0);
	for (int i = 0; i < TIMERS; i++) {
		ck_assert_int_eq(probe[i].fired, i % 7 == 0 ? 0 : 1);
		ck_assert(!loop_armed(&probe[i].timer));
		for (int j = 0; j < i; j++)
			if (probe[i].fired && probe[j].fired &&
			    probe[i].timer.due.ns < probe[j].timer.due.ns)
				ck_assert_int_lt(probe[i].order,
				    probe[j].order);
	}
}
END_TEST

START_TEST(test_timer_is_not_early)
{
	struct probe p = { .timer = { .fire = on_timer } };
	struct mono_time due = in_ms(20);

	loop_arm(loop, &p.timer, due);
	loop_turn(loop, 0);
	ck_assert_int_eq(p.fired, 0);
	while (p.fired == 0)
		loop_turn(loop, -1);
	ck_assert_int_ge(clock_mono().ns, due.ns);
}
END_TEST

START_TEST(test_timer_that_arms_itself_for_now_waits_for_the_next_turn)
{
	struct probe p = { .timer = { .fire = on_timer_again } };

	loop_arm(loop, &p.timer, in_ms(-1));
	loop_turn(loop, 0);
	ck_assert_int_eq(p.fired, 1);
	loop_turn(loop, 0);
	ck_assert_int_eq(p.fired, 2);
	loop_disarm(loop, &p.timer);
	loop_turn(loop, 0);
	ck_assert_int_eq(p.fired, 2);
}
END_TEST

START_TEST(test_turn_waits_no_longer_than_told)
{
	struct mono_time before = clock_mono();

	loop_turn(loop, 10);
	ck_assert_int_ge(mono_diff_ms(clock_mono(), before), 9);
	ck_assert_int_lt(mono_diff_ms(clock_mono(), before), 5000);
}
END_TEST

static struct probe *
watched_probe(void)
{
	struct probe *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->watch.fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	p->watch.ready = on_event;
	ck_assert(loop_watch(loop, &p->watch, EPOLLIN));
	return p;
}

START_TEST(test_events_reach_their_watch_until_it_is_taken_away)
{
	struct probe *p = watched_probe();

	loop_turn(loop, 0);
	ck_assert_int_eq(p->fired, 1);
	ck_assert(loop_change(loop, &p->watch, 0));
	loop_turn(loop, 0);
	ck_assert_int_eq(p->fired, 1);
	ck_assert(loop_change(loop, &p->watch, EPOLLIN));
	loop_turn(loop, 0);
	ck_assert_int_eq(p->fired, 2);
	loop_unwatch(loop, &p->watch);
	loop_unwatch(loop, &p->watch);
	loop_turn(loop, 0);
	ck_assert_int_eq(p->fired, 2);
	close(p->watch.fd);
	free(p);
}
END_TEST

START_TEST(test_watch_freed_in_the_same_turn_gets_nothing)
{
	struct probe *a = watched_probe(), *b = watched_probe();

	/* Whichever comes first frees the other, whose event is pending. */
	a->other = b;
	loop_turn(loop, 0);
	if (a->other == NULL)
		ck_assert_int_eq(a->fired, 1);
	loop_unwatch(loop, &a->watch);
	close(a->watch.fd);
	free(a);
}
END_TEST

START_TEST(test_watch_of_a_closed_descriptor_is_refused)
{
	struct probe p = { .watch = { .fd = 9999, .ready = on_event } };

	ck_assert(!loop_watch(loop, &p.watch, EPOLLIN));
	ck_assert(!p.watch.active);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/loop");
	TCase *t = tcase_create("loop");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_timers_fire_in_order_of_time);
	tcase_add_test(t, test_timer_is_not_early);
	tcase_add_test(t,
	    test_timer_that_arms_itself_for_now_waits_for_the_next_turn);
	tcase_add_test(t, test_turn_waits_no_longer_than_told);
	tcase_add_test(t,
	    test_events_reach_their_watch_until_it_is_taken_away);
	tcase_add_test(t, test_watch_freed_in_the_same_turn_gets_nothing);
	tcase_add_test(t, test_watch_of_a_closed_descriptor_is_refused);
	suite_add_tcase(s, t);
	return run_suite(s);
}

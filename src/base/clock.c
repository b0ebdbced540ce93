#include "base/clock.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static bool test_clock;
static struct mono_time test_mono;
static struct wall_time test_wall;

struct mono_time
clock_mono(void)
{
	struct timespec ts;

	if (test_clock)
		return test_mono;
	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		assert(!"CLOCK_MONOTONIC");
	return (struct mono_time){
		.ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec
	};
}

struct wall_time
clock_wall(void)
{
	struct timespec ts;

	if (test_clock)
		return test_wall;
	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		assert(!"CLOCK_REALTIME");
	return (struct wall_time){
		.us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000
	};
}

struct mono_time
mono_add_ms(struct mono_time t, int64_t ms)
{
	int64_t ns;

	/* A deadline beyond the end of time is the end of time. */
	if (__builtin_mul_overflow(ms, INT64_C(1000000), &ns) ||
	    __builtin_add_overflow(t.ns, ns, &t.ns))
		t.ns = ms < 0 ? INT64_MIN : INT64_MAX;
	return t;
}

int64_t
mono_diff_ms(struct mono_time later, struct mono_time earlier)
{
	return (later.ns - earlier.ns) / 1000000;
}

int64_t
mono_diff_us(struct mono_time later, struct mono_time earlier)
{
	return (later.ns - earlier.ns) / 1000;
}

void
wall_format(struct wall_time t, char *buf)
{
	int64_t s = t.us / 1000000, us = t.us % 1000000;
	struct tm tm;
	time_t secs;

	if (us < 0) {
		us += 1000000;
		s--;
	}
	secs = (time_t)s;
	if (gmtime_r(&secs, &tm) == NULL || tm.tm_year > 8099 ||
	    tm.tm_year < -1900) {
		snprintf(buf, WALL_TEXT_BYTES, "(time out of range)");
		return;
	}
	snprintf(buf, WALL_TEXT_BYTES,
	    "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000u,
	    (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u,
	    (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u,
	    (unsigned)tm.tm_sec % 100u, (unsigned)us % 1000000u);
}

void
clock_test_set(struct mono_time mono, struct wall_time wall)
{
	test_mono = mono;
	test_wall = wall;
	test_clock = true;
}

void
clock_test_release(void)
{
	test_clock = false;
}

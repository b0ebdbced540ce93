/*
 * clock.h: two clocks that can't be mixed up.
 * Layer: base.
 * Written by: nobody; read-only.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_MS INT64_C(1000000)

/* Monotonic: for durations, deadlines, heartbeats.  The same in all processes
 * of a machine until it boots again (CLOCK_MONOTONIC). */
struct mono_time {
	int64_t ns;
};

/* Wall: for what people and ledgers read.  Microseconds since 1970 UTC. */
struct wall_time {
	int64_t us;
};

struct mono_time clock_mono(void);
struct wall_time clock_wall(void);

struct mono_time mono_add_ms(struct mono_time t, int64_t ms);
int64_t	mono_diff_ms(struct mono_time later, struct mono_time earlier);
int64_t	mono_diff_us(struct mono_time later, struct mono_time earlier);

/* "2026-11-23T17:00:00.123456Z"; buf takes at least WALL_TEXT_BYTES. */
#define WALL_TEXT_BYTES 32
void	wall_format(struct wall_time t, char *buf);

/*
 * For tests: from now on clock_mono() and clock_wall() of this process stand
 * at the given times; clock_test_release() lets them go again.
 */
void	clock_test_set(struct mono_time mono, struct wall_time wall);
void	clock_test_release(void);

#endif

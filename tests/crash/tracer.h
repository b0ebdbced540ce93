/*
 * tracer.h: a child that runs instruction by instruction, and dies at one.
 * Layer: tests.
 * Written by: the test that includes it.
 */
#ifndef TESTS_CRASH_TRACER_H
#define TESTS_CRASH_TRACER_H

#include <stdint.h>
#include <sys/types.h>

extern uint64_t tracer_kills;		/* made so far */
extern uint64_t tracer_let_go_on;	/* that ended well by themselves */

/* The test's own: says where it was, and ends. */
_Noreturn void fail(const char *what, int64_t is);

/* A child that is stopped where perform() raises SIGSTOP; perform() must not
 * return. */
pid_t	tracer_start(void (*perform)(void));

/* Returns how many instructions it took: fewer when it was at its end, and
 * then it has gone and *pid is 0. */
uint64_t tracer_step(pid_t *pid, uint64_t steps);

/* SIGKILL, and its end awaited; nothing for 0. */
void	tracer_kill(pid_t pid);

/* Lets it run to its end, which must be a good one; nothing for 0. */
void	tracer_let_go(pid_t pid);

/* All of it: so many instructions of perform(), then death. */
uint64_t tracer_run(void (*perform)(void), uint64_t steps);

#endif

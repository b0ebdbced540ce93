/*
 * tracer.c: see tracer.h.
 */
#include "tests/crash/tracer.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

uint64_t tracer_kills, tracer_let_go_on;

pid_t
tracer_start(void (*perform)(void))
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		fail("fork", errno);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(97);
		perform();
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		fail("the traced process did not start, status", status);
	return pid;
}

static void
must_have_ended_well(int status)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail("it failed by itself, status", status);
	tracer_let_go_on++;
}

uint64_t
tracer_step(pid_t *pid, uint64_t steps)
{
	uint64_t taken;
	int status;

	for (taken = 0; *pid != 0 && taken < steps; taken++) {
		if (ptrace(PTRACE_SINGLESTEP, *pid, NULL, NULL) != 0)
			fail("PTRACE_SINGLESTEP", errno);
		if (waitpid(*pid, &status, 0) != *pid)
			fail("waitpid", errno);
		if (WIFEXITED(status)) {
			must_have_ended_well(status);
			*pid = 0;
			return taken;
		}
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			fail("stopped by something else, status", status);
	}
	return taken;
}

void
tracer_kill(pid_t pid)
{
	int status;

	if (pid == 0)
		return;
	if (kill(pid, SIGKILL) != 0 || waitpid(pid, &status, 0) != pid)
		fail("kill", errno);
	tracer_kills++;
}

void
tracer_let_go(pid_t pid)
{
	int status;

	if (pid == 0)
		return;
	if (ptrace(PTRACE_CONT, pid, NULL, NULL) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		fail("PTRACE_CONT", errno);
	must_have_ended_well(status);
}

uint64_t
tracer_run(void (*perform)(void), uint64_t steps)
{
	pid_t pid = tracer_start(perform);
	uint64_t taken = tracer_step(&pid, steps);

	tracer_kill(pid);
	return taken;
}

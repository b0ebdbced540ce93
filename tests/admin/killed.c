/*
 * killed N COMMAND…: runs it, and kills it right before the Nth system call of
 * those that change a file, tell another process, or speak to the database.
 * Exit status 0: it was killed; 1: it ended well before that; else it failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
counts(const struct __ptrace_syscall_info *info)
{
	switch (info->entry.nr) {
#ifdef SYS_rename
	case SYS_rename:
	case SYS_unlink:
#endif
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_unlinkat:
	case SYS_fsync:
	case SYS_fchmod:
	case SYS_fchown:
	case SYS_sendto:
	case SYS_kill:
		return true;
	case SYS_openat:
		return (info->entry.args[2] & O_CREAT) != 0;
	case SYS_write:
		return info->entry.args[0] > STDERR_FILENO;
	default:
		return false;
	}
}

static int
must(long result, const char *what)
{
	if (result >= 0)
		return (int)result;
	perror(what);
	exit(2);
}

int
main(int argc, char **argv)
{
	struct __ptrace_syscall_info info;
	int status, left = argc > 2 ? atoi(argv[1]) : 0;
	pid_t pid;

	if (left < 1)
		return 2;
	pid = must(fork(), "fork");
	if (pid == 0) {
		must(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "PTRACE_TRACEME");
		execv(argv[2], argv + 2);
		_exit(127);
	}
	must(waitpid(pid, &status, 0), "waitpid");
	must(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(long)
	    (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)), "PTRACE_SETOPTIONS");
	for (int sig = 0;;) {
		must(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig),
		    "PTRACE_SYSCALL");
		must(waitpid(pid, &status, 0), "waitpid");
		if (WIFEXITED(status))
			return WEXITSTATUS(status) == 0 ? 1 : 2;
		if (WIFSIGNALED(status))
			return 2;
		sig = WSTOPSIG(status) == (SIGTRAP | 0x80) ||
		    WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		must(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info),
		    &info), "PTRACE_GET_SYSCALL_INFO");
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !counts(&info) ||
		    --left > 0)
			continue;
		must(kill(pid, SIGKILL), "kill");
		must(waitpid(pid, &status, 0), "waitpid");
		return WIFSIGNALED(status) ? 0 : 2;
	}
}

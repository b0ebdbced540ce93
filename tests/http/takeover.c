/*
 * takeover.c: makes another process call the kernel, as somebody would who
 * runs code of their own in it.
 *
 *	takeover PID WHAT [PATH]
 *
 * Prints one line: "killed SIGNAL", "refused ERRNO" or "done VALUE".
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

struct attempt {
	const char *name;
	long number;
	uint64_t arg[6];
	int path;		/* which argument is PATH; -1: none */
};

static const struct attempt attempts[] = {
	{ "read-file", SYS_openat, { (uint64_t)AT_FDCWD, 0, O_RDONLY }, 1 },
	{ "write-file", SYS_openat, { (uint64_t)AT_FDCWD, 0, O_WRONLY }, 1 },
	{ "create-file", SYS_openat,
	  { (uint64_t)AT_FDCWD, 0, O_WRONLY | O_CREAT, 0600 }, 1 },
	{ "execute", SYS_execve, { 0 }, 0 },
	{ "fork", SYS_clone, { 17 /* SIGCHLD */ }, -1 },
	{ "unix-socket", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, -1 },
	{ "udp-socket", SYS_socket, { AF_INET, SOCK_DGRAM, 0 }, -1 },
	{ "packet-socket", SYS_socket, { AF_PACKET, SOCK_RAW, 0 }, -1 },
	{ "memory-file", SYS_memfd_create, { 0 }, 0 },
	{ "new-code", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC,
	  MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0 }, -1 },
	{ "read-process", SYS_process_vm_readv, { 1 }, -1 },
	{ "trace-process", SYS_ptrace, { PTRACE_ATTACH, 1 }, -1 },
	{ "kill-process", SYS_kill, { 1, 0 }, -1 },
	{ "io-uring", SYS_io_uring_setup, { 8, 0 }, -1 },
	{ "own-pid", SYS_getpid, { 0 }, -1 },
};

static _Noreturn void
fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int
wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid)
		fail("waitpid");
	if (WIFSIGNALED(status)) {
		printf("killed %s\n", strsignal(WTERMSIG(status)));
		exit(EXIT_SUCCESS);
	}
	return status;
}

static void
put(pid_t pid, uint64_t address, const char *text)
{
	size_t n = strlen(text) + 1;

	for (size_t i = 0; i < n; i += sizeof(long)) {
		long word = 0;

		memcpy(&word, text + i, n - i < sizeof(word) ? n - i :
		    sizeof(word));
		if (ptrace(PTRACE_POKEDATA, pid, address + i, word) != 0)
			fail("PTRACE_POKEDATA");
	}
}

#ifdef __x86_64__
#define INSTRUCTION_BYTES 2
#define PC(r) (r).rip
#define SP(r) (r).rsp

static void
set_call(struct user_regs_struct *r, const struct attempt *a)
{
	r->orig_rax = (unsigned long long)-1;
	r->rax = (unsigned long long)a->number;
	r->rdi = a->arg[0];
	r->rsi = a->arg[1];
	r->rdx = a->arg[2];
	r->r10 = a->arg[3];
	r->r8 = a->arg[4];
	r->r9 = a->arg[5];
}

#define RESULT(r) ((long)(r).rax)
#else
#define INSTRUCTION_BYTES 4
#define PC(r) (r).pc
#define SP(r) (r).sp

static void
set_call(struct user_regs_struct *r, const struct attempt *a)
{
	memcpy(r->regs, a->arg, sizeof(a->arg));
	r->regs[8] = (unsigned long long)a->number;
}

#define RESULT(r) ((long)(r).regs[0])
#endif

static struct user_regs_struct
get(pid_t pid)
{
	struct user_regs_struct r;
	struct iovec io = { &r, sizeof(r) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) != 0)
		fail("PTRACE_GETREGSET");
	return r;
}

static void
set(pid_t pid, struct user_regs_struct r)
{
	struct iovec io = { &r, sizeof(r) };

	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io) != 0)
		fail("PTRACE_SETREGSET");
}

/* To the end of a system call, just behind the instruction that makes it. */
static void
to_a_calls_end(pid_t pid)
{
	struct __ptrace_syscall_info info;

	do {
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0) != 0)
			fail("PTRACE_SYSCALL");
		(void)wait_for(pid);
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info),
		    &info) < 0)
			fail("PTRACE_GET_SYSCALL_INFO");
	} while (info.op != PTRACE_SYSCALL_INFO_EXIT);
}

static void
perform(pid_t pid, struct attempt a, const char *path)
{
	struct user_regs_struct before = get(pid), r = before;
	uint64_t text = (SP(r) - 1024) & ~UINT64_C(15);
	long result;

	if (a.path >= 0) {
		put(pid, text, path);
		a.arg[a.path] = text;
	}
	PC(r) -= INSTRUCTION_BYTES;
	set_call(&r, &a);
	set(pid, r);
	to_a_calls_end(pid);
	result = RESULT(get(pid));
	set(pid, before);
	/* One whose call was its end dies only now. */
	if (ptrace(PTRACE_SYSCALL, pid, 0, 0) != 0)
		fail("PTRACE_SYSCALL");
	(void)wait_for(pid);
	if (result < 0)
		printf("refused %s\n", strerror((int)-result));
	else
		printf("done %ld\n", result);
}

int
main(int argc, char **argv)
{
	const char *path = argc > 3 ? argv[3] : "/";
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: takeover PID WHAT [PATH]\n");
		return 2;
	}
	pid = (pid_t)strtol(argv[1], NULL, 10);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (strcmp(attempts[i].name, argv[2]) != 0)
			continue;
		if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) != 0)
			fail("PTRACE_SEIZE");
		if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0)
			fail("PTRACE_INTERRUPT");
		(void)wait_for(pid);
		to_a_calls_end(pid);
		perform(pid, attempts[i], path);
		(void)ptrace(PTRACE_DETACH, pid, 0, 0);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "takeover: no attempt is called %s\n", argv[2]);
	return 2;
}

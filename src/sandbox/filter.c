/*
 * System calls, by seccomp (seccomp(2)).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/internal.h"

/*
 * What a worker is left with.  Who adds one says what for: each is a door for
 * somebody who runs code of their own in the process that sees every prompt.
 */
static const int worker_calls[] = {
	/* descriptors that it has */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	/* sockets; socket() itself is below */
	SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(shutdown),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	/* memory; mmap() and mprotect() are below */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	/* time, chance, and who we are */
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom), SCMP_SYS(getrusage), SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	/* locks within libraries, signals, the end */
	SCMP_SYS(futex), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(tgkill), SCMP_SYS(exit),
	SCMP_SYS(exit_group)
};

/* The flusher's libraries need much; none of it is here. */
static const int flusher_kills[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setreuid), SCMP_SYS(setregid),
	SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(mount),
	SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),
	SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
	SCMP_SYS(memfd_create), SCMP_SYS(accept), SCMP_SYS(accept4),
	SCMP_SYS(listen), SCMP_SYS(personality)
};

/* Only with harmless arguments. */
static bool
allow_some(scmp_filter_ctx ctx)
{
	static const int domains[] = { AF_INET, AF_INET6 };
	static const int commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL,
		F_DUPFD_CLOEXEC };
	static const int mappings[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	const int no_type_flags = ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t i;

	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)domains[i]),
		    SCMP_A1(SCMP_CMP_MASKED_EQ, (scmp_datum_t)(unsigned)
		    no_type_flags, SOCK_STREAM)) != 0)
			return false;
	if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT),
	    SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX)) != 0)
		return false;
	/* A connection to the portal: a pair, of which it is sent one end. */
	if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 2,
	    SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
	    SCMP_A1(SCMP_CMP_MASKED_EQ, (scmp_datum_t)(unsigned)no_type_flags,
	    SOCK_STREAM)) != 0)
		return false;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
		    SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i])) != 0)
			return false;
	/* No new code. */
	for (i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, mappings[i], 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
			return false;
	return true;
}

static bool
add_all(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		/* Negative: a call that this architecture doesn't have. */
		if (calls[i] >= 0 &&
		    seccomp_rule_add(ctx, action, calls[i], 0) != 0)
			return false;
	return true;
}

static bool
add_rules(scmp_filter_ctx ctx, enum sandbox_role role)
{
	switch (role) {
	case SANDBOX_WORKER:
		return add_all(ctx, SCMP_ACT_ALLOW, worker_calls,
		    sizeof(worker_calls) / sizeof(worker_calls[0])) &&
		    allow_some(ctx);
	case SANDBOX_FLUSHER:
	case SANDBOX_PORTAL:
		return add_all(ctx, SCMP_ACT_KILL_PROCESS, flusher_kills,
		    sizeof(flusher_kills) / sizeof(flusher_kills[0]));
	}
	return false;
}

static scmp_filter_ctx
make(enum sandbox_role role)
{
	scmp_filter_ctx ctx;

	ctx = seccomp_init(role == SANDBOX_WORKER ? SCMP_ACT_KILL_PROCESS :
	    SCMP_ACT_ALLOW);
	if (ctx == NULL)
		return NULL;
	/* By frequency: the filter runs for each system call. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 1) == 0 &&
	    add_rules(ctx, role))
		return ctx;
	seccomp_release(ctx);
	return NULL;
}

bool
filter_install(enum sandbox_role role)
{
	scmp_filter_ctx ctx = make(role);
	bool ok = ctx != NULL && seccomp_load(ctx) == 0;

	if (ctx != NULL)
		seccomp_release(ctx);
	return ok;
}

bool
sandbox_filter_write(enum sandbox_role role, int fd)
{
	scmp_filter_ctx ctx = make(role);
	bool ok = ctx != NULL && seccomp_export_bpf(ctx, fd) == 0;

	if (ctx != NULL)
		seccomp_release(ctx);
	return ok;
}

bool
filter_supported(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) ==
	    0;
}

/*
 * sandbox.h: a process gives up for good what its job doesn't need.
 * Layer: conf's row.
 * Written by: each process for itself, once, when it has all that it opens.
 *
 * A worker, the process that sees prompts and answers, is left with memory,
 * clocks, random numbers and sockets: it can open, make and execute nothing.
 * Kernels that lack a part leave the others in force; what is missing is
 * returned, logged, and shown by youyunctl status.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* The parts; bits. */
#define SANDBOX_PRIVILEGES	0x01u	/* no_new_privs, prctl(2) */
#define SANDBOX_UNDUMPABLE	0x02u	/* no core, /proc/PID/mem is root's */
#define SANDBOX_LIMITS		0x04u	/* RLIMIT_FSIZE, _NPROC, _CORE: 0 */
#define SANDBOX_LANDLOCK	0x08u	/* no files but those planned */
#define SANDBOX_SECCOMP		0x10u	/* system calls by list */
#define SANDBOX_LOCKED		0x20u	/* memory that is never swapped */
#define SANDBOX_ALL		0x3fu

enum sandbox_role {
	/*
	 * An allow-list: anything else kills the process.  A socket that is
	 * not TCP is refused with EAFNOSUPPORT, so that a logger whose
	 * connection broke gives up instead of taking the worker along.
	 */
	SANDBOX_WORKER,
	/* It resolves names and speaks to PostgreSQL, by libraries: a list of
	 * what kills.  It may write below one folder only. */
	SANDBOX_FLUSHER,
	/* It speaks to PostgreSQL and to workers: the same list, and nothing
	 * to write to. */
	SANDBOX_PORTAL
};

struct sandbox_plan {
	enum sandbox_role role;
	const char *writable_dir;	/* SANDBOX_FLUSHER; borrowed */
	/* It may read all files: those that an operator's connection string
	 * names can be anywhere.  Else only what libraries read, in /etc,
	 * /usr and the like, which leaves the secrets out. */
	bool reads_anywhere;
	/* Sanitizers look into /proc when the process ends, which Landlock and
	 * the filter would not let them: leave these two out. */
	bool sanitizers;
};

/*
 * Confines the calling process; to be called before it has threads.  Returns
 * the parts in force, SANDBOX_….  Cannot be undone.
 */
uint32_t sandbox_enter(const struct sandbox_plan *plan)
	    __attribute__((warn_unused_result));

/* The parts that a role should have on a kernel that has everything;
 * SANDBOX_LOCKED, which depends on a limit of the machine's, is a bonus. */
uint32_t sandbox_wanted(enum sandbox_role role);

/* Whether this kernel has Landlock and filters of system calls; what is
 * missing of SANDBOX_LANDLOCK | SANDBOX_SECCOMP.  Changes nothing. */
uint32_t sandbox_lacking(void);

/* The program that a role's system calls are filtered by, as the kernel is
 * given it, to a descriptor: for its digest.  Changes nothing. */
bool	sandbox_filter_write(enum sandbox_role role, int fd)
	    __attribute__((warn_unused_result));

/* "Landlock", for people; part is one bit. */
const char *sandbox_part_name(uint32_t part);
/* Names of all parts in the set, separated by commas; "" for none. */
#define SANDBOX_TEXT_BYTES 128
void	sandbox_text(uint32_t parts, char text_r[SANDBOX_TEXT_BYTES]);

#endif

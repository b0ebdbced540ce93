/*
 * attest_process.h: the installation's processes: who they are, what they
 * hold in memory, what they have open and what confines them.
 * Layer: admin.  /proc; root.
 * Written by: processes_find().
 */
#ifndef ADMIN_ATTEST_PROCESS_H
#define ADMIN_ATTEST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "admin/attest_scan.h"

struct report;

#define PROCESSES_MAX 1200

struct process {
	pid_t pid;
	pid_t parent;
	enum scan_area kind;	/* AREA_MASTER … AREA_POSTGRES */
	char title[48];
};

struct processes {
	size_t n;
	struct process at[PROCESSES_MAX];
};

/* Who wrote the pid file and still runs; 0: nobody. */
pid_t	process_master(const char *run_dir);
/* The master and all that descend from it. */
bool	processes_find(pid_t master, struct processes *processes_r)
	    __attribute__((warn_unused_result));

/* Those of one kind alone. */
void	processes_keep(struct processes *processes, enum scan_area kind);

/*
 * The memory of each of them, areas that they share once; the segment,
 * which is searched by its own name, is left out.
 */
void	processes_scan(struct scan *scan, const struct processes *processes,
	    const char *segment);
/* Of one process by its number. */
void	process_scan(struct scan *scan, enum scan_area area, pid_t pid,
	    const char *title);

/* The worker that a TCP connection with these ports is open in, its own port
 * first; 0: none. */
pid_t	process_of_connection(const struct processes *processes, int port,
	    int peer_port);

/* What /proc says of a worker's confinement; see process_confined(). */
struct confinement {
	pid_t pid;
	char title[48];
	bool seccomp, no_new_privs, no_capabilities, landlock_known, landlock;
	bool no_core, no_file_growth, no_processes, other_user;
	long locked_kb, swapped_kb;
	unsigned files;		/* open that aren't sockets and the like */
	char file[SCAN_WHERE_BYTES];	/* the first of them */
};

/* own: names that a worker may have open, ends with NULL.  False: it can't be
 * read. */
bool	process_confinement(const struct process *process,
	    const char *const *own, struct confinement *c_r)
	    __attribute__((warn_unused_result));
/* Nothing is missing of what is to be seen from outside. */
bool	process_confined(const struct confinement *c);

#endif

/*
 * attest_proc.h: reading /proc/PID.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_ATTEST_PROC_H
#define ADMIN_ATTEST_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The kernel's name of it, up to 15 bytes; false: there is no such process. */
bool	proc_comm(pid_t pid, char comm_r[48]);
bool	proc_parent(pid_t pid, pid_t *parent_r);
/* A line "NAME:\tvalue" of /proc/PID/FILE (status, limits …), without its
 * name; false: there is none. */
bool	proc_line(pid_t pid, const char *file, const char *name, char *value_r,
	    size_t size);
/* Each open descriptor and what the link says; each() returns false to stop.
 * False: they can't be read. */
bool	proc_descriptors(pid_t pid,
	    bool (*each)(int fd, const char *target, void *arg), void *arg);

#endif

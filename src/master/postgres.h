/*
 * postgres.h: the embedded PostgreSQL server as a child of ours.
 * Layer: master.  No SQL: it is started, looked at and stopped.
 * Written by: the master.
 */
#ifndef MASTER_POSTGRES_H
#define MASTER_POSTGRES_H

#include <stdbool.h>
#include <sys/types.h>

struct conf_report;
struct master;
struct settings;

/* Before a start: is there a cluster and a server program of its version?
 * False: *report says what is missing and what to do. */
bool	postgres_check(const struct settings *settings, const char *file,
	    struct conf_report *report) __attribute__((warn_unused_result));

/* In the child, which has dropped its privileges: doesn't return but on
 * failure, which it has logged. */
void	postgres_exec(struct master *m);

/* Does the server of this pid take connections? */
bool	postgres_ready(const struct settings *settings, pid_t pid);

#endif

/*
 * start.h: everything between the command line and the first fork.
 * Layer: master.
 * Written by: the master.
 */
#ifndef MASTER_START_H
#define MASTER_START_H

#include <stdbool.h>

struct conf_report;
struct master;
struct secrets;

/*
 * Reads the configuration and all files that it names, and looks whether the
 * service can start.  False: *report has all mistakes.  Changes nothing.
 */
bool	start_check(struct master *m, struct conf_report *report)
	    __attribute__((warn_unused_result));

/* The file of secrets.  False: *report says why. */
bool	start_secrets(const char *conf_path, const char *path,
	    struct secrets *secrets_r, struct conf_report *report)
	    __attribute__((warn_unused_result));

/* Folders, locks, log, sockets, segment.  False: it was said why. */
bool	start_prepare(struct master *m) __attribute__((warn_unused_result));

/* Into the background; the first process ends only when *ready_fd_r is
 * written to, successfully, or closed, with a failure. */
bool	start_daemonise(struct master *m, int *ready_fd_r)
	    __attribute__((warn_unused_result));

/* From here on messages go where the settings say. */
void	start_log(struct master *m);

#endif

/*
 * logfile.h: a log in a file, which the master writes, alone.
 * Layer: master.
 * Written by: the master.  Children, which may not open files, write lines
 * into a pipe that the master copies, so that one SIGUSR1 is enough to begin a
 * new file for all of them.  The pipe doesn't block: when the disk stands
 * still, lines are lost and calls are not.
 */
#ifndef MASTER_LOGFILE_H
#define MASTER_LOGFILE_H

#include <stdbool.h>

#include "base/loop.h"

struct logfile {
	bool active;
	const char *path;	/* borrowed; NULL: fd was there already */
	int fd;
	int pipe_read;
	int pipe_write;		/* the children's log */
	struct loop_watch watch;
};

/* False with errno. */
bool	logfile_open(struct logfile *lf, const char *path)
	    __attribute__((warn_unused_result));
/* The same for a file that is open already, such as standard error in the
 * foreground; fd stays the caller's. */
bool	logfile_adopt(struct logfile *lf, int fd)
	    __attribute__((warn_unused_result));
/* Begins to copy; lf stays where it is from now on. */
bool	logfile_start(struct logfile *lf, struct loop *loop)
	    __attribute__((warn_unused_result));
/* The path again, after its file was moved away; keeps the old on failure. */
void	logfile_reopen(struct logfile *lf);
/* What is still in the pipe. */
void	logfile_drain(struct logfile *lf);

/* In a child: only the pipe's end for writing is left, and is the log. */
void	logfile_inherit(struct logfile *lf);

#endif

/*
 * attest_control.h: leaks made on purpose.  A search that doesn't find them
 * says nothing.
 * Layer: admin.
 * Written by: its opener.
 */
#ifndef ADMIN_ATTEST_CONTROL_H
#define ADMIN_ATTEST_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

#define CONTROL_PATH_BYTES 600

struct control_helper {
	pid_t pid;		/* 0: none */
	int fd;			/* what is written there it keeps in memory */
};

/* To be called before there are canaries: the child has a copy of all that
 * we have.  False with errno. */
bool	control_helper_start(struct control_helper *helper_r)
	    __attribute__((warn_unused_result));
/* Waits until it has it. */
bool	control_helper_give(struct control_helper *helper, const char *text)
	    __attribute__((warn_unused_result));
void	control_helper_stop(struct control_helper *helper);

/* A file in a folder; path_r[0] is 0 when there is none.  False with errno. */
bool	control_file_make(const char *folder, const char *text,
	    char path_r[CONTROL_PATH_BYTES])
	    __attribute__((warn_unused_result));
void	control_file_remove(char path[CONTROL_PATH_BYTES]);

#endif

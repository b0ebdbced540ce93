/*
 * program.h: other programs (initdb, postgres), run without a shell.
 * Layer: admin.
 * Written by: one caller.
 */
#ifndef ADMIN_PROGRAM_H
#define ADMIN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What of a program's output is kept: its end. */
#define PROGRAM_OUTPUT_BYTES 4096

/*
 * Runs argv (argv[0] is a path) to its end with a clean environment (PATH,
 * LC_ALL=C, TZ=UTC).  output_r takes the last PROGRAM_OUTPUT_BYTES of what it
 * said, 0-terminated.  True when it ended with 0.
 */
bool	program_run(char *const *argv, char output_r[PROGRAM_OUTPUT_BYTES])
	    __attribute__((warn_unused_result));

/*
 * Starts it with its output appended to a file (mode 0600); it gets SIGINT
 * when we die.  -1 with errno.
 */
pid_t	program_start(char *const *argv, const char *log_path)
	    __attribute__((warn_unused_result));
/* Has it ended?  False while it runs. */
bool	program_ended(pid_t pid);
/* Sends the signal and waits, after timeout_ms with SIGQUIT. */
void	program_stop(pid_t pid, int signal, int timeout_ms);

/* The end of a file, for messages; "" when it can't be read. */
void	file_tail(const char *path, char *text_r, size_t size);
/* Replaces the file in one step (temporary name, fsync, rename).  False with
 * errno. */
bool	file_replace(const char *path, mode_t mode, const char *text)
	    __attribute__((warn_unused_result));

#endif

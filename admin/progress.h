/*
 * progress.h: that something goes on, on the terminal of who waits for it.
 * Layer: admin.
 * Written by: one at a time; one within another is the outer one's.
 *
 * A line on standard error, written over again, from a second after the
 * beginning on; none where that is no terminal.  A signal draws it, so that
 * what waits for the database or a program needs no part in it.  Between
 * begin and end nothing goes to standard output if that is a terminal.
 */
#ifndef ADMIN_PROGRESS_H
#define ADMIN_PROGRESS_H

#include <stdint.h>

/* what: "calls", counted by progress_set(); or, never counted, "changing the
 * database".  Static text.  total: of how many, about; 0: it isn't known. */
void	progress_begin(const char *what, int64_t total);
void	progress_total(int64_t total);
void	progress_set(int64_t done);
/* Before a line of standard error: erases what is drawn. */
void	progress_clear(void);
void	progress_end(void);

#endif

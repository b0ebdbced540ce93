/*
 * title.h: what ps shows of a process.
 * Layer: master.
 * Written by: each process for itself.
 */
#ifndef MASTER_TITLE_H
#define MASTER_TITLE_H

/* First of all in main(): moves the environment out of the way. */
void	title_init(int argc, char **argv);

/* name: the kernel's name of the thread, up to 15 bytes; the rest of what ps
 * shows is "youyund: " and the formatted text. */
void	title_set(const char *name, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif

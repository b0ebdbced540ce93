/*
 * file.h: the file operations of the journal, so that a layer which fails on
 * purpose can be put under it.
 * Layer: flusher.
 * Written by: tests replace members of a copy.
 */
#ifndef FLUSHER_FILE_H
#define FLUSHER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Each as the system call of its name: -1 and errno. */
struct file_ops {
	int (*open)(const char *path, int flags, mode_t mode);
	int (*close)(int fd);
	ssize_t (*pread)(int fd, void *p, size_t n, off_t offset);
	ssize_t (*pwrite)(int fd, const void *p, size_t n, off_t offset);
	int (*allocate)(int fd, off_t bytes);	/* fallocate(fd, 0, 0, …) */
	int (*datasync)(int fd);
	int (*sync)(int fd);
	int (*rename)(const char *from, const char *to);
	int (*unlink)(const char *path);
	int (*link)(const char *from, const char *to);
	off_t (*size)(int fd);			/* of fstat(2) */
	/* Each name in a directory, in no order. */
	int (*list)(const char *dir, void (*each)(const char *name, void *arg),
	    void *arg);
};

extern const struct file_ops file_ops_real;

/* All n bytes; false with errno (EIO when the file ends before). */
bool	file_write_all(const struct file_ops *ops, int fd, const void *p,
	    size_t n, off_t offset) __attribute__((warn_unused_result));
/* As much as there is, up to n; -1 with errno. */
ssize_t	file_read_full(const struct file_ops *ops, int fd, void *p, size_t n,
	    off_t offset) __attribute__((warn_unused_result));
/* Makes a directory's entries durable. */
bool	file_sync_dir(const struct file_ops *ops, const char *path)
	    __attribute__((warn_unused_result));

#endif

#include "flusher/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
real_open(const char *path, int flags, mode_t mode)
{
	return open(path, flags | O_CLOEXEC, mode);
}

static int
real_allocate(int fd, off_t bytes)
{
	int r;

	do {
		r = posix_fallocate(fd, 0, bytes);
	} while (r == EINTR);
	if (r == 0)
		return 0;
	errno = r;
	return -1;
}

static off_t
real_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) != 0 ? -1 : st.st_size;
}

static int
real_list(const char *dir, void (*each)(const char *name, void *arg),
    void *arg)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		each(e->d_name, arg);
	closedir(d);
	return 0;
}

const struct file_ops file_ops_real = {
	.open = real_open,
	.close = close,
	.pread = pread,
	.pwrite = pwrite,
	.allocate = real_allocate,
	.datasync = fdatasync,
	.sync = fsync,
	.rename = rename,
	.unlink = unlink,
	.link = link,
	.size = real_size,
	.list = real_list,
};

bool
file_write_all(const struct file_ops *ops, int fd, const void *p, size_t n,
    off_t offset)
{
	const uint8_t *at = p;
	ssize_t done;

	while (n != 0) {
		done = ops->pwrite(fd, at, n, offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			if (done == 0)
				errno = EIO;
			return false;
		}
		at += done;
		n -= (size_t)done;
		offset += done;
	}
	return true;
}

ssize_t
file_read_full(const struct file_ops *ops, int fd, void *p, size_t n,
    off_t offset)
{
	uint8_t *at = p;
	size_t got = 0;
	ssize_t done;

	while (got < n) {
		done = ops->pread(fd, at + got, n - got,
		    offset + (off_t)got);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		if (done == 0)
			break;
		got += (size_t)done;
	}
	return (ssize_t)got;
}

bool
file_sync_dir(const struct file_ops *ops, const char *path)
{
	int fd = ops->open(path, O_RDONLY | O_DIRECTORY, 0);
	int saved;
	bool ok;

	if (fd < 0)
		return false;
	ok = ops->sync(fd) == 0;
	saved = errno;
	(void)ops->close(fd);
	errno = saved;
	return ok;
}

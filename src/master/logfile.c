#include "master/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY | O_NOFOLLOW, 0640);
}

bool
logfile_adopt(struct logfile *lf, int fd)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	lf->active = true;
	lf->fd = fd;
	lf->pipe_read = ends[0];
	lf->pipe_write = ends[1];
	return true;
}

bool
logfile_open(struct logfile *lf, const char *path)
{
	int fd = open_file(path);

	if (fd < 0)
		return false;
	if (!logfile_adopt(lf, fd)) {
		close(fd);
		return false;
	}
	lf->path = path;
	return true;
}

void
logfile_drain(struct logfile *lf)
{
	char block[16384];
	ssize_t n;

	if (!lf->active)
		return;
	for (;;) {
		n = read(lf->pipe_read, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		/* A full disk can't be reported on that disk. */
		if (write(lf->fd, block, (size_t)n) < 0)
			continue;
	}
}

static void
on_lines(struct loop_watch *w, uint32_t events)
{
	struct logfile *lf = (struct logfile *)((char *)w -
	    offsetof(struct logfile, watch));

	(void)events;
	logfile_drain(lf);
}

bool
logfile_start(struct logfile *lf, struct loop *loop)
{
	if (!lf->active)
		return true;
	lf->watch = (struct loop_watch){ .fd = lf->pipe_read,
		.ready = on_lines };
	return loop_watch(loop, &lf->watch, EPOLLIN);
}

void
logfile_reopen(struct logfile *lf)
{
	int fd;

	if (lf->path == NULL)
		return;
	fd = open_file(lf->path);
	if (fd < 0) {
		log_error("could not open log file again: path=%s why=%s",
		    lf->path, strerror(errno));
		return;
	}
	close(lf->fd);
	lf->fd = fd;
	log_set_fd(fd);
}

void
logfile_inherit(struct logfile *lf)
{
	if (!lf->active)
		return;
	if (lf->path != NULL)
		close(lf->fd);
	close(lf->pipe_read);
	log_set_fd(lf->pipe_write);
}

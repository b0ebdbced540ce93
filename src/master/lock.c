#include "master/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "master/master.h"

#define POLL_MS 100
/* What flusher and PostgreSQL may take when the calls are done. */
#define AFTER_CALLS_MS 60000

static void
pid_path(const struct master *m, char *path_r, size_t size)
{
	snprintf(path_r, size, "%s/youyund.pid", m->settings.run_dir);
}

/*
 * The folder may belong to the service user, so a name in it proves nothing:
 * no links are followed, and the file has to belong to us or to that user.
 */
static int
open_checked(const struct master *m, const char *path, int flags)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NOCTTY | flags, 0644);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == geteuid() || st.st_uid == m->user.uid) &&
	    st.st_nlink == 1)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* The service user's, so that he can be the starter the next time. */
static int
open_lock(const struct master *m, const char *path)
{
	int fd = open_checked(m, path, 0);

	if (fd >= 0 && m->user.drop &&
	    fchown(fd, m->user.uid, m->user.gid) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The starter's own, because root's tools believe it: another's is replaced
 * once nobody holds it. */
static int
open_pid(const struct master *m, const char *path)
{
	int fd = open_checked(m, path, 0);
	struct stat st;

	if (fd < 0 && errno != EACCES)
		return -1;
	if (fd >= 0) {
		if (fstat(fd, &st) != 0 || st.st_uid == geteuid() ||
		    flock(fd, LOCK_EX | LOCK_NB) != 0)
			return fd;
		close(fd);
	}
	if (unlink(path) != 0)
		return -1;
	return open_checked(m, path, O_EXCL);
}

static long
pid_in(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%ld", &pid) == 1 ? pid : 0;
}

static bool
wait_for_children(struct master *m)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int64_t left_ms = (int64_t)m->settings.shutdown_timeout_ms +
	    AFTER_CALLS_MS;

	if (flock(m->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	log_notice("waiting for the processes of the previous youyund to end");
	while (left_ms > 0) {
		nanosleep(&pause, NULL);
		left_ms -= POLL_MS;
		if (flock(m->lock_fd, LOCK_EX | LOCK_NB) == 0)
			return true;
	}
	log_error("processes of the previous youyund don't end; look for them "
	    "with fuser %s/lock", m->settings.state_dir);
	return false;
}

bool
lock_take(struct master *m)
{
	char path[SETTING_PATH_BYTES + 32];

	snprintf(path, sizeof(path), "%s/lock", m->settings.state_dir);
	m->lock_fd = open_lock(m, path);
	if (m->lock_fd < 0) {
		log_error("could not open lock file: path=%s why=%s", path,
		    strerror(errno));
		return false;
	}
	pid_path(m, path, sizeof(path));
	m->pid_fd = open_pid(m, path);
	if (m->pid_fd < 0) {
		log_error("could not open pid file: path=%s why=%s", path,
		    strerror(errno));
		return false;
	}
	if (flock(m->pid_fd, LOCK_EX | LOCK_NB) != 0) {
		log_error("youyund runs already: pid=%ld state_dir=%s",
		    pid_in(m->pid_fd), m->settings.state_dir);
		return false;
	}
	return wait_for_children(m);
}

bool
lock_write_pid(struct master *m)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	return ftruncate(m->pid_fd, 0) == 0 && fchmod(m->pid_fd, 0644) == 0 &&
	    pwrite(m->pid_fd, text, (size_t)len, 0) == len;
}

void
lock_remove_pid(struct master *m)
{
	char path[SETTING_PATH_BYTES + 32];

	pid_path(m, path, sizeof(path));
	unlink(path);
}

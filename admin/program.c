#include "admin/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/progress.h"

/* What the caller's environment says must not decide how a cluster is made. */
static char *const environment[] = {
	(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
	    "/bin",
	(char *)"LC_ALL=C", (char *)"TZ=UTC", NULL
};

static void __attribute__((noreturn))
become_program(char *const *argv, int out)
{
	sigset_t none;
	int null;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	null = open("/dev/null", O_RDONLY);
	/* The caller's folder may be closed to the service user. */
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0 || chdir("/") != 0)
		_exit(126);
	execve(argv[0], argv, environment);
	_exit(127);
}

/* Keeps the end of what comes through the pipe. */
static void
read_end(int fd, char *output)
{
	char chunk[1024];
	size_t len, drop;
	ssize_t n;

	len = 0;
	for (;;) {
		n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (len + (size_t)n > PROGRAM_OUTPUT_BYTES - 1) {
			drop = len + (size_t)n - (PROGRAM_OUTPUT_BYTES - 1);
			memmove(output, output + drop, len - drop);
			len -= drop;
		}
		memcpy(output + len, chunk, (size_t)n);
		len += (size_t)n;
	}
	output[len] = '\0';
}

bool
program_run(char *const *argv, char output_r[PROGRAM_OUTPUT_BYTES])
{
	int pipe_fd[2], status;
	pid_t pid;

	output_r[0] = '\0';
	if (pipe2(pipe_fd, O_CLOEXEC) != 0)
		return false;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become_program(argv, pipe_fd[1]);
	close(pipe_fd[1]);
	progress_begin("a program runs", 0);
	if (pid > 0)
		read_end(pipe_fd[0], output_r);
	close(pipe_fd[0]);
	status = 1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	progress_end();
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

pid_t
program_start(char *const *argv, const char *log_path)
{
	pid_t pid, parent;
	int fd;

	fd = open(log_path,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	parent = getpid();
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		/* A session of its own: Ctrl-C is for us to pass on. */
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGINT);
		if (getppid() != parent)
			_exit(126);
		become_program(argv, fd);
	}
	close(fd);
	return pid;
}

bool
program_ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WNOHANG) != 0;
}

void
program_stop(pid_t pid, int signal, int timeout_ms)
{
	int waited_ms;

	kill(pid, signal);
	for (waited_ms = 0; !program_ended(pid); waited_ms += 20) {
		if (waited_ms >= timeout_ms) {
			kill(pid, SIGQUIT);
			while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
				;
			return;
		}
		poll(NULL, 0, 20);
	}
}

void
file_tail(const char *path, char *text_r, size_t size)
{
	off_t end;
	ssize_t n;
	int fd;

	text_r[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	end = lseek(fd, 0, SEEK_END);
	if (end > (off_t)(size - 1))
		lseek(fd, -(off_t)(size - 1), SEEK_END);
	else
		lseek(fd, 0, SEEK_SET);
	n = read(fd, text_r, size - 1);
	text_r[n > 0 ? n : 0] = '\0';
	close(fd);
}

bool
file_replace(const char *path, mode_t mode, const char *text)
{
	char temporary[PATH_MAX];
	size_t len;
	bool ok;
	int fd, saved;

	if (snprintf(temporary, sizeof temporary, "%s.new", path) >=
	    (int)sizeof temporary) {
		errno = ENAMETOOLONG;
		return false;
	}
	unlink(temporary);
	fd = open(temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return false;
	len = strlen(text);
	ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	close(fd);
	if (ok && rename(temporary, path) == 0)
		return true;
	saved = errno;
	unlink(temporary);
	errno = saved;
	return false;
}

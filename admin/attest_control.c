#include "admin/attest_control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"

#define TEXT_BYTES 256
#define SUFFIX_BYTES 8

/* The child: reads the text into memory of the heap and stays. */
static void
hold(int fd)
{
	char *text = calloc(1, TEXT_BYTES);
	ssize_t n;

	if (text == NULL)
		_exit(1);
	n = read(fd, text, TEXT_BYTES - 1);
	if (n <= 0 || write(fd, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

bool
control_helper_start(struct control_helper *h)
{
	pid_t parent = getpid();
	int pair[2];

	h->pid = 0;
	h->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	fflush(NULL);
	h->pid = fork();
	if (h->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		if (getppid() == parent)
			hold(pair[1]);
		_exit(1);
	}
	close(pair[1]);
	h->fd = pair[0];
	return h->pid > 0;
}

bool
control_helper_give(struct control_helper *h, const char *text)
{
	char byte;
	size_t len = strlen(text);

	return write(h->fd, text, len) == (ssize_t)len &&
	    read(h->fd, &byte, 1) == 1;
}

void
control_helper_stop(struct control_helper *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	if (h->pid <= 0)
		return;
	kill(h->pid, SIGKILL);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	h->pid = 0;
}

bool
control_file_make(const char *folder, const char *text,
    char path[CONTROL_PATH_BYTES])
{
	uint8_t random[SUFFIX_BYTES];
	char suffix[2 * SUFFIX_BYTES + 1];
	size_t len = strlen(text);
	bool ok;
	int fd;

	bytes_random(random, sizeof(random));
	hex_encode(random, sizeof(random), suffix);
	snprintf(path, CONTROL_PATH_BYTES, "%s/attest-%s", folder, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0) {
		path[0] = '\0';
		return false;
	}
	ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	return close(fd) == 0 && ok;
}

void
control_file_remove(char path[CONTROL_PATH_BYTES])
{
	if (path[0] != '\0')
		(void)unlink(path);
	path[0] = '\0';
}

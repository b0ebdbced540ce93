#include "mailer/sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/settings.h"

#define WORDS_MAX 32
#define LOOK_MS 10
/* What is left for it when we are asked to end. */
#define HURRY_MS 3000

/* In the child: nothing of ours but the message. */
static void
become(const char *command, int message_fd)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C";
	char text[SETTING_TEXT_BYTES], *word[WORDS_MAX + 1], *save = NULL;
	char *environment[] = { path, locale, NULL };
	int null = open("/dev/null", O_WRONLY), n = 0;

	if (null < 0 || dup2(message_fd, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0)
		_exit(127);
	/* Ours close by themselves; this is for what a library left open. */
	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	strncpy(text, command, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (char *w = strtok_r(text, " ", &save); w != NULL && n < WORDS_MAX;
	    w = strtok_r(NULL, " ", &save))
		word[n++] = w;
	word[n] = NULL;
	if (n > 0)
		execve(word[0], word, environment);
	_exit(127);
}

static bool
write_all(int fd, const struct buf *message)
{
	const char *p = buf_head(message);
	size_t left = message->len;

	while (left > 0) {
		ssize_t n = write(fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		left -= (size_t)n;
	}
	return true;
}

/* Its exit status; -1: it had to be killed, or was. */
static int
wait_for(pid_t pid, int64_t timeout_ms, const volatile sig_atomic_t *hurry)
{
	struct mono_time began = clock_mono();
	bool hurried = false;
	int status;
	pid_t n;

	for (;;) {
		n = waitpid(pid, &status, WNOHANG);
		if (n == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		if (n < 0 && errno != EINTR)
			return -1;
		if (*hurry && !hurried) {
			hurried = true;
			began = clock_mono();
			timeout_ms = HURRY_MS;
		}
		if (mono_diff_ms(clock_mono(), began) > timeout_ms)
			break;
		poll(NULL, 0, LOOK_MS);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

bool
sendmail_run(const char *command, const struct buf *message,
    int64_t timeout_ms, const volatile sig_atomic_t *hurry)
{
	int ends[2], status;
	bool written;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	/* All of it is in the pipe before anybody reads: who doesn't read
	 * can't hold us up. */
	if (fcntl(ends[1], F_SETPIPE_SZ, (int)message->len + 4096) < 0 &&
	    message->len > 60000) {
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	written = write_all(ends[1], message);
	pid = written ? fork() : -1;
	if (pid == 0)
		become(command, ends[0]);
	close(ends[0]);
	close(ends[1]);
	if (pid < 0)
		return false;
	status = wait_for(pid, timeout_ms, hurry);
	if (status != 0)
		log_info("the mail command failed: status=%d", status);
	return status == 0;
}

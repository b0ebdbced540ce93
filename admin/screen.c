/* A terminal drawn in place; the sequences are those of ECMA-48 that every
 * terminal of today knows, and xterm's other screen. */
#include "admin/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"

#define OTHER_SCREEN "\033[?1049h\033[?25l\033[?7l"
#define FORMER_SCREEN "\033[?7h\033[?25h\033[?1049l"
#define HEIGHT 24

struct screen {
	struct termios former;
	bool keys;		/* standard input is a terminal, too */
};

static volatile sig_atomic_t end_wanted;

static void
on_signal(int sig)
{
	if (sig != SIGWINCH)
		end_wanted = 1;
}

static void
catch(int sig)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	/* No SA_RESTART: a pause ends at once. */
	sa.sa_handler = on_signal;
	(void)sigaction(sig, &sa, NULL);
}

struct screen *
screen_open(void)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	struct termios raw;

	if (screen == NULL)
		return NULL;
	if (isatty(STDIN_FILENO)) {
		if (tcgetattr(STDIN_FILENO, &screen->former) != 0) {
			free(screen);
			return NULL;
		}
		raw = screen->former;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		screen->keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	}
	catch(SIGINT);
	catch(SIGTERM);
	catch(SIGHUP);
	catch(SIGWINCH);
	fputs(OTHER_SCREEN, stdout);
	fflush(stdout);
	return screen;
}

void
screen_close(struct screen **screen)
{
	if (*screen == NULL)
		return;
	fputs(FORMER_SCREEN, stdout);
	fflush(stdout);
	if ((*screen)->keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &(*screen)->former);
	free(*screen);
	*screen = NULL;
}

int
screen_height(const struct screen *screen)
{
	struct winsize size;

	(void)screen;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
		return HEIGHT;
	return size.ws_row;
}

void
screen_draw(const struct screen *screen, const char *text, size_t len)
{
	int lines = screen_height(screen);
	const char *end;

	fputs("\033[H", stdout);
	while (len > 0 && lines-- > 0) {
		size_t n;

		end = memchr(text, '\n', len);
		n = end != NULL ? (size_t)(end - text) : len;
		fwrite(text, 1, n, stdout);
		/* The last line's break would scroll. */
		fputs(lines > 0 ? "\033[K\r\n" : "\033[K", stdout);
		n += end != NULL;
		text += n;
		len -= n;
	}
	fputs("\033[J", stdout);
}

bool
screen_pause(const struct screen *screen, int64_t ms)
{
	struct mono_time until = mono_add_ms(clock_mono(), ms);
	struct pollfd key = { .fd = screen != NULL && screen->keys ?
		STDIN_FILENO : -1, .events = POLLIN };
	int64_t left;
	char c;

	while (!end_wanted &&
	    (left = mono_diff_ms(until, clock_mono())) > 0) {
		key.revents = 0;
		if (poll(&key, 1, (int)left) < 0 && errno != EINTR)
			return false;
		if (key.revents != 0 && (read(STDIN_FILENO, &c, 1) != 1 ||
		    c == 'q' || c == 'Q'))
			return false;
		/* A new size is drawn at once. */
		if (key.revents == 0 && screen != NULL &&
		    mono_diff_ms(until, clock_mono()) > 0)
			break;
	}
	return !end_wanted;
}

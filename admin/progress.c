#include "admin/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FIRST_MS 1000
#define NEXT_MS 250
#define LINE_BYTES 128

/* Read by the handler, all of them; relaxed, as it is in the same thread. */
static struct {
	int depth;
	const char *what;
	struct timespec began;
	_Atomic int64_t done;
	_Atomic int64_t total;
	volatile sig_atomic_t drawn;
} now;

struct line {
	char text[LINE_BYTES];
	size_t len;
};

/* In a handler there is no snprintf(). */
static void
add_text(struct line *line, const char *text)
{
	while (*text != '\0' && line->len < sizeof(line->text))
		line->text[line->len++] = *text++;
}

static void
add_number(struct line *line, int64_t n)
{
	char digits[24];
	size_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	add_text(line, &digits[i]);
}

static void
draw(int number)
{
	int64_t done = atomic_load_explicit(&now.done, memory_order_relaxed);
	int64_t total = atomic_load_explicit(&now.total, memory_order_relaxed);
	struct line line = { .len = 0 };
	struct timespec t;
	int saved = errno;

	(void)number;
	clock_gettime(CLOCK_MONOTONIC, &t);
	add_text(&line, "\r");
	if (done > 0) {
		add_number(&line, done);
		add_text(&line, " ");
	}
	add_text(&line, now.what);
	if (done > 0 && total > 0) {
		add_text(&line, " of about ");
		add_number(&line, total);
	}
	add_text(&line, ", ");
	add_number(&line, (int64_t)(t.tv_sec - now.began.tv_sec));
	add_text(&line, " s\033[K");
	if (write(STDERR_FILENO, line.text, line.len) > 0)
		now.drawn = 1;
	errno = saved;
}

static bool
wanted(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term != NULL && term[0] != '\0' &&
	    strcmp(term, "dumb") != 0;
}

static void
set_timer(int first_ms, int next_ms)
{
	struct itimerval timer = {
		.it_value = { first_ms / 1000, first_ms % 1000 * 1000 },
		.it_interval = { next_ms / 1000, next_ms % 1000 * 1000 }
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

void
progress_begin(const char *what, int64_t total)
{
	struct sigaction action = { .sa_handler = draw,
		.sa_flags = SA_RESTART };

	if (now.depth++ > 0 || !wanted())
		return;
	now.what = what;
	now.drawn = 0;
	atomic_store_explicit(&now.done, 0, memory_order_relaxed);
	atomic_store_explicit(&now.total, total, memory_order_relaxed);
	clock_gettime(CLOCK_MONOTONIC, &now.began);
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGALRM, &action, NULL) == 0)
		set_timer(FIRST_MS, NEXT_MS);
}

void
progress_total(int64_t total)
{
	if (now.depth == 1)
		atomic_store_explicit(&now.total, total,
		    memory_order_relaxed);
}

void
progress_set(int64_t done)
{
	if (now.depth == 1)
		atomic_store_explicit(&now.done, done, memory_order_relaxed);
}

void
progress_clear(void)
{
	static const char erase[] = "\r\033[K";
	ssize_t n;

	if (now.drawn == 0)
		return;
	now.drawn = 0;
	n = write(STDERR_FILENO, erase, sizeof(erase) - 1);
	(void)n;
}

void
progress_end(void)
{
	if (--now.depth > 0)
		return;
	set_timer(0, 0);
	progress_clear();
}

#include "admin/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* Control characters never reach a terminal: what isn't printable is "?". */
static int
width_of(wchar_t w)
{
	int n;

	n = wcwidth(w);
	return n < 0 ? 1 : n;
}

size_t
text_width(const char *text)
{
	mbstate_t state;
	wchar_t w;
	size_t n, width;

	memset(&state, 0, sizeof state);
	for (width = 0; *text != '\0'; text += n) {
		n = mbrtowc(&w, text, strlen(text), &state);
		if (n == (size_t)-1 || n == (size_t)-2) {
			memset(&state, 0, sizeof state);
			n = 1;
			width++;
			continue;
		}
		width += (size_t)width_of(w);
	}
	return width;
}

size_t
text_print(const char *text, size_t most)
{
	mbstate_t state;
	wchar_t w;
	size_t n, width, cut;
	int columns;

	cut = text_width(text) > most ? most - 1 : most;
	memset(&state, 0, sizeof state);
	for (width = 0; *text != '\0'; text += n) {
		n = mbrtowc(&w, text, strlen(text), &state);
		if (n == (size_t)-1 || n == (size_t)-2) {
			memset(&state, 0, sizeof state);
			n = 1;
			w = L'\0';
		}
		columns = wcwidth(w);
		if (width + (size_t)(columns < 0 ? 1 : columns) > cut)
			break;
		if (w == L'\0' || columns < 0)
			putchar('?');
		else
			fwrite(text, 1, n, stdout);
		width += w == L'\0' || columns < 0 ? 1 : (size_t)columns;
	}
	if (*text != '\0') {
		putchar('~');
		width++;
	}
	return width;
}

size_t
terminal_width(void)
{
	struct winsize size;
	const char *columns;
	long n;

	columns = getenv("COLUMNS");
	n = columns != NULL ? strtol(columns, NULL, 10) : 0;
	if (n >= 40 && n <= 10000)
		return (size_t)n;
	if (isatty(STDOUT_FILENO) &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		return size.ws_col;
	return 0;
}

bool
terminal_marks(void)
{
	static int known = -1;
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (known < 0)
		known = isatty(STDOUT_FILENO) && (no == NULL ||
		    no[0] == '\0') && term != NULL && term[0] != '\0' &&
		    strcmp(term, "dumb") != 0;
	return known == 1;
}

/* The terminal's own colours, so that they suit its background. */
static const char *const begins[] = {
	[MARK_NONE] = "",
	[MARK_HEADING] = "\033[1m",
	[MARK_BAD] = "\033[31m",
	[MARK_ODD] = "\033[33m"
};

void
mark_begin(enum mark mark)
{
	if (mark != MARK_NONE && terminal_marks())
		fputs(begins[mark], stdout);
}

void
mark_end(enum mark mark)
{
	if (mark != MARK_NONE && terminal_marks())
		fputs("\033[0m", stdout);
}

enum mark
mark_of(const char *word)
{
	static const char *const bad[] = { "suspended", "closed", "revoked",
		"failed", "disabled", "fenced", "gone", "urgent", "high",
		"overdue", "down", "broken", "refused", "given up", "dead",
		NULL };
	static const char *const odd[] = { "limited", "restricted", "expired",
		"stopped", "closing", "waiting", "low", "ended", "slow",
		NULL };

	for (int i = 0; bad[i] != NULL; i++)
		if (strcmp(word, bad[i]) == 0)
			return MARK_BAD;
	for (int i = 0; odd[i] != NULL; i++)
		if (strcmp(word, odd[i]) == 0)
			return MARK_ODD;
	return MARK_NONE;
}

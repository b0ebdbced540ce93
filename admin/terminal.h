/*
 * terminal.h: what a text takes on a terminal, and how one is marked there.
 * Layer: admin.
 * Written by: nobody; it looks at standard output.
 */
#ifndef ADMIN_TERMINAL_H
#define ADMIN_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns that a text takes. */
size_t	text_width(const char *text);
/* Prints at most `most` columns of it, the last is then a tilde, and nothing
 * that a terminal would obey.  Returns how many. */
size_t	text_print(const char *text, size_t most);
/* Columns of the terminal; 0: there is no limit. */
size_t	terminal_width(void);

enum mark {
	MARK_NONE,
	MARK_HEADING,
	MARK_BAD,		/* it doesn't work, or is refused */
	MARK_ODD		/* it works not as usual */
};

/* Colours are for terminals only, and only where NO_COLOR isn't set
 * (no-color.org) and TERM isn't "dumb". */
bool	terminal_marks(void);
void	mark_begin(enum mark mark);
void	mark_end(enum mark mark);
/* By a word such as "suspended". */
enum mark mark_of(const char *word);

#endif

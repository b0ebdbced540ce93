/*
 * screen.h: a terminal that is drawn in place until somebody has seen enough.
 * Layer: admin.
 * Written by: one command at a time.
 */
#ifndef ADMIN_SCREEN_H
#define ADMIN_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct screen;

/* Standard output's, which must be a terminal.  NULL with errno.  What was
 * there comes back at screen_close(), also after a signal that ends it. */
struct screen *screen_open(void);
void	screen_close(struct screen **screen);

int	screen_height(const struct screen *screen);
/* Replaces what is shown; lines are cut at the terminal's edges. */
void	screen_draw(const struct screen *screen, const char *text, size_t len);

/* False: it is to end, by 'q' or by SIGINT or SIGTERM.  screen NULL: a plain
 * pause, which signals end as ever. */
bool	screen_pause(const struct screen *screen, int64_t ms);

#endif

/*
 * chores.h: what the database is asked to do now and then: to link and anchor
 * the audit trail, to look for risks, to delete what was kept long enough.
 * Layer: flusher.
 * Written by: a thread of its own, with a connection of its own.
 *
 * A day of calls takes minutes to be deleted where there are many; neither calls
 * nor what is read from the database for them wait for that.  What can't be
 * done is said, and tried again in its time.
 */
#ifndef FLUSHER_CHORES_H
#define FLUSHER_CHORES_H

#include <stdbool.h>

#include "flusher/progress.h"

struct chores;
struct settings;

struct chores_config {
	const char *conninfo;
	const struct settings *settings;
	int anchor_fd;		/* anchor_file_open()'s */
	const struct progress *progress;
};

/* Starts the thread, which works while the directory follows the database; the
 * config's pointers are borrowed.  NULL with errno. */
struct chores *chores_start(const struct chores_config *config);
/* False: it hangs in a query and was left alone, as apply_stop(). */
bool	chores_stop(struct chores **chores, int patience_ms);

#endif

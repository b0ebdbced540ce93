/*
 * anchor.h: the audit trail's head, kept outside the database.
 * Layer: flusher.
 * Written by: the chores' thread.
 *
 * Each link is read once, and its leaf stays in the tree here: what somebody
 * changes in the database afterwards, links made anew included, is not in what
 * is anchored from then on, and youyunctl audit verify --anchors finds that.
 */
#ifndef FLUSHER_ANCHOR_H
#define FLUSHER_ANCHOR_H

#include <stdbool.h>

#include "db/connection.h"

struct anchor;
struct settings;

/*
 * Opens what audit_anchor_to names; that a file can't be is said.  To be called
 * before the process is confined.  Below 0: no file.
 */
int	anchor_file_open(const struct settings *settings);

/* fd: anchor_file_open()'s, borrowed.  NULL: no memory. */
struct anchor *anchor_open(const struct settings *settings, int fd);
void	anchor_close(struct anchor **anchor);

/* Reads some of the links that are new; anchors the head when it is due and
 * all are read.  *more_r: there are more to read. */
enum db_result anchor_turn(struct anchor *anchor, struct db *db, bool *more_r)
	    __attribute__((warn_unused_result));

#endif

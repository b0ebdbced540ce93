/*
 * flusher.h: the process that makes calls durable and feeds the segment.
 * Layer: flusher.
 * Written by: the master starts it.
 *
 * Three threads, each with what is its own:
 *
 *	flush		rings → journal (one fdatasync for all) → rings
 *			released; settles what dead workers left; never waits
 *			for PostgreSQL
 *	apply		journal files → PostgreSQL
 *	directory	PostgreSQL → the segment's keys, catalogue, grants
 *
 * They share the progress in progress.h and nothing else.
 */
#ifndef FLUSHER_FLUSHER_H
#define FLUSHER_FLUSHER_H

struct file_ops;
struct heritage;

/* What is under the journal; tests put something that fails there. */
extern const struct file_ops *flusher_file_ops;

/*
 * Runs until SIGTERM, or until the master is gone (end of file on
 * h->parent_fd, -1: nobody watches), then until no seat is LIVE, every ring is
 * drained and the journal durable; what PostgreSQL doesn't take within a few
 * seconds stays in the journal for the next start.  Returns an exit status: 0
 * only if nothing but the journal and PostgreSQL is needed any more.
 */
int	flusher_main(const struct heritage *h);

#endif

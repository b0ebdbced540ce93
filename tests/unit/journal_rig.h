/*
 * journal_rig.h: rings, a flusher and a database in small around a journal on
 * the model of a disk; knows what was promised, and finds what was broken.
 * Layer: tests.
 * Written by: one thread.
 */
#ifndef TESTS_JOURNAL_RIG_H
#define TESTS_JOURNAL_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "flusher/file.h"

/* Everything anew; the choices of what is done are the seed's. */
void	rig_reset(const struct file_ops *ops, uint64_t seed);

/*
 * Opens and begins the journal, as a new flusher on the same segment does.
 * False: it was refused, which is right only while the disk fails.
 */
bool	rig_start(void);
/* The flusher is gone; the segment and what is in the cache stay. */
void	rig_end(void);
/* The machine is gone: what the disk keeps is *seed's choice. */
void	rig_power_cut(uint64_t *seed);

/* So many turns: calls end, are journalled, applied, and files deleted, and
 * once or twice the flusher is another.  False: the journal failed. */
bool	rig_work(unsigned turns);
/* Journals all that is in the rings.  False: the journal failed. */
bool	rig_drain(void);

/* What is wrong with the journal that rig_start() found; NULL: nothing.
 * drained: everything published in this life of the segment must be there. */
const char *rig_verify(bool drained);

/* How much of everything was done, to see that a scenario has it all. */
struct rig_tally {
	unsigned records, files, deleted, starts;
};
struct rig_tally rig_tally(void);

#endif

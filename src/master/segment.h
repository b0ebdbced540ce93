/*
 * segment.h: the master's part in the segment's life: make it, find it again,
 * replace it when it is drained, remove it.
 * Layer: master.
 * Written by: the master.
 */
#ifndef MASTER_SEGMENT_H
#define MASTER_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

struct master;
struct settings;

/* Of a new one. */
uint32_t segment_seats(const struct settings *settings);

/*
 * Attaches the segment that an earlier master left, with everything in it, or
 * makes one.  One of other sizes is replaced when nothing is in it any more;
 * else it is used, and the settings of its sizes take its values.
 * False: it was said why.
 */
bool	segment_open(struct master *m) __attribute__((warn_unused_result));

/* After all processes have ended: removes it if nothing is left in it. */
void	segment_finish(struct master *m);

#endif

/*
 * spawn.h: from the master's process to a child's.
 * Layer: master.
 * Written by: the child for itself.
 */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include <sys/types.h>

struct child;

/*
 * Forks.  The child ends by itself when the master does, has no privilege and
 * no way to one, no core dump, and none of the master's descriptors but those
 * in its heritage.  Returns its pid, or -1 with errno.
 */
pid_t	spawn(const struct child *c);

#endif

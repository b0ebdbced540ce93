/*
 * run.h: the master's life: signals in, phases forward.
 * Layer: master.
 * Written by: the master.
 */
#ifndef MASTER_RUN_H
#define MASTER_RUN_H

#include <stdbool.h>

struct master;

/* Starts all children, and returns when the last one has gone. */
bool	run(struct master *m) __attribute__((warn_unused_result));

#endif

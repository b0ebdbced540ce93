/*
 * cut.h: calls of customers who were cut off are ended while they go on.
 * Layer: worker (private).
 * Written by: the worker's loop.
 */
#ifndef WORKER_CUT_H
#define WORKER_CUT_H

struct worker;

/* Between two turns of the loop: one load, unless somebody was cut off. */
void	cut_look(struct worker *worker);

#endif

/*
 * durable.h: with durability = strict, the last byte of an answer waits until
 * its call's record is on the disk.
 * Layer: worker (private).
 * Written by: the worker; the flusher says by the ring's tail how far it is.
 *
 *	settled, published ──► awaits ──ring released beyond it──► goes on
 *	                          └──too long, or the journal failed──► given up
 *
 * Without strict all of this does nothing.
 */
#ifndef WORKER_DURABLE_H
#define WORKER_DURABLE_H

#include <stdbool.h>

struct call;
struct durable;
struct worker;

/* worker->durable, NULL when nothing ever waits.  False with errno. */
bool	durable_open(struct worker *worker) __attribute__((warn_unused_result));
void	durable_close(struct worker *worker);

/* Its record has just been published; the last one in the ring. */
void	durable_await(struct call *call);
/* The call ends for another reason. */
void	durable_forget(struct call *call);
/* Tells the flusher, once for all that came since the last time. */
void	durable_poke(struct worker *worker);

#endif

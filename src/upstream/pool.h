/*
 * pool.h: an upstream's idle connections.
 * Layer: upstream, private to it.
 * Written by: the exchanges, through these functions.
 */
#ifndef UPSTREAM_POOL_H
#define UPSTREAM_POOL_H

#include <stddef.h>

struct connection;
struct exchange;
struct upstream;

void	pool_init(struct upstream *upstream);

/* The one that was idle for the shortest time, now x's; NULL when none is. */
struct connection *pool_take(struct upstream *upstream, struct exchange *x);

/* From its exchange to the pool, or closed if that is full or c isn't fit to
 * be used again.  Clears *connection. */
void	pool_give(struct connection **connection);

/* One that never was in an exchange; taken. */
void	pool_add(struct connection *c);

/* An idle connection is of no use any more. */
void	pool_lost(struct connection *c);

/* Closes the oldest until max are left. */
void	pool_shrink(struct upstream *upstream, size_t max);

#endif

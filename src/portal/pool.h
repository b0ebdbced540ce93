/*
 * pool.h: a few connections to PostgreSQL for many requests.
 * Layer: portal.
 * Written by: any thread.
 */
#ifndef PORTAL_POOL_H
#define PORTAL_POOL_H

#include <stddef.h>

struct db;
struct pool;

/* conninfo is copied; up to `most` connections, made when they are wanted. */
struct pool *pool_open(const char *conninfo, size_t most);
void	pool_close(struct pool **pool);

/* A connected one, the caller's until pool_put(); waits for one up to wait_ms.
 * NULL: none is free, or the database is away. */
struct db *pool_get(struct pool *pool, int wait_ms);
void	pool_put(struct pool *pool, struct db **db);

#endif

#include "portal/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/connection.h"

#define CONNECT_TIMEOUT_S 2

struct pool {
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	char *conninfo;
	size_t most;
	size_t open;
	size_t idle;
	struct db *db[];		/* the idle ones */
};

struct pool *
pool_open(const char *conninfo, size_t most)
{
	struct pool *pool = calloc(1, sizeof(*pool) +
	    most * sizeof(pool->db[0]));

	if (pool == NULL)
		return NULL;
	pool->conninfo = strdup(conninfo);
	pool->most = most;
	if (pool->conninfo == NULL ||
	    pthread_mutex_init(&pool->mutex, NULL) != 0 ||
	    pthread_cond_init(&pool->freed, NULL) != 0) {
		free(pool->conninfo);
		free(pool);
		return NULL;
	}
	return pool;
}

void
pool_close(struct pool **pool)
{
	struct pool *p = *pool;

	if (p == NULL)
		return;
	while (p->idle > 0)
		db_close(&p->db[--p->idle]);
	pthread_cond_destroy(&p->freed);
	pthread_mutex_destroy(&p->mutex);
	free(p->conninfo);
	free(p);
	*pool = NULL;
}

/* An idle one, or leave to make one (NULL, true). */
static bool
take(struct pool *pool, const struct timespec *until, struct db **db_r)
{
	bool ok = true;

	*db_r = NULL;
	pthread_mutex_lock(&pool->mutex);
	while (ok && pool->idle == 0 && pool->open == pool->most)
		ok = pthread_cond_timedwait(&pool->freed, &pool->mutex,
		    until) == 0;
	if (pool->idle > 0) {
		*db_r = pool->db[--pool->idle];
		ok = true;
	} else if (ok)
		pool->open++;
	pthread_mutex_unlock(&pool->mutex);
	return ok;
}

static void
drop(struct pool *pool, struct db **db)
{
	if (*db != NULL)
		db_close(db);
	pthread_mutex_lock(&pool->mutex);
	pool->open--;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->mutex);
}

struct db *
pool_get(struct pool *pool, int wait_ms)
{
	struct timespec until;
	struct db *db;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += wait_ms / 1000;
	if (!take(pool, &until, &db))
		return NULL;
	if (db == NULL)
		db = db_open(pool->conninfo);
	if (db != NULL && (db_connected(db) ||
	    db_connect(db, CONNECT_TIMEOUT_S) == DB_OK))
		return db;
	drop(pool, &db);
	return NULL;
}

void
pool_put(struct pool *pool, struct db **db)
{
	struct db *back = *db;

	if (back == NULL)
		return;
	*db = NULL;
	if (!db_connected(back)) {
		drop(pool, &back);
		return;
	}
	pthread_mutex_lock(&pool->mutex);
	assert(pool->idle < pool->most);
	pool->db[pool->idle++] = back;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->mutex);
}

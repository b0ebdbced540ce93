#include "upstream/pool.h"

#include <assert.h>
#include <stddef.h>

#include "base/loop.h"
#include "upstream/client.h"
#include "upstream/connection.h"
#include "upstream/endpoint_state.h"

static void
unlink_idle(struct connection *c)
{
	struct upstream *up = c->upstream;

	if (c->newer != NULL)
		c->newer->older = c->older;
	else
		up->newest = c->older;
	if (c->older != NULL)
		c->older->newer = c->newer;
	else
		up->oldest = c->newer;
	c->newer = c->older = NULL;
	up->idle--;
	up->client->stats.idle--;
}

/*
 * One timer, set when the first connection comes and not moved when
 * connections come and go: it fires once in a while, looks, and sleeps on.
 */
static void
expire(struct loop_timer *t)
{
	struct upstream *up = (struct upstream *)(void *)
	    ((char *)t - offsetof(struct upstream, pool_timer));
	struct mono_time now = loop_now(up->client->loop);

	while (up->oldest != NULL && mono_diff_ms(now,
	    up->oldest->idle_since) >= up->idle_keep_ms) {
		struct connection *c = up->oldest;

		unlink_idle(c);
		connection_close(&c);
	}
	if (up->oldest != NULL)
		loop_arm(up->client->loop, t, mono_add_ms(
		    up->oldest->idle_since, up->idle_keep_ms));
}

void
pool_init(struct upstream *up)
{
	up->pool_timer.fire = expire;
}

struct connection *
pool_take(struct upstream *up, struct exchange *x)
{
	struct connection *c = up->newest;

	if (c == NULL)
		return NULL;
	assert(c->exchange == NULL);
	unlink_idle(c);
	c->exchange = x;
	up->client->stats.active++;
	up->client->stats.pool_hits++;
	return c;
}

void
pool_add(struct connection *c)
{
	struct upstream *up = c->upstream;

	c->exchange = NULL;
	c->idle_since = loop_now(up->client->loop);
	c->older = up->newest;
	if (up->newest != NULL)
		up->newest->newer = c;
	else
		up->oldest = c;
	up->newest = c;
	up->idle++;
	up->client->stats.idle++;
	pool_shrink(up, up->idle_max);
	if (!loop_armed(&up->pool_timer))
		loop_arm(up->client->loop, &up->pool_timer,
		    mono_add_ms(up->oldest->idle_since, up->idle_keep_ms));
}

void
pool_give(struct connection **connection)
{
	struct connection *c = *connection;
	struct upstream *up = c->upstream;

	if (up->retired || up->idle_max == 0 || !connection_quiet(c)) {
		connection_close(connection);
		return;
	}
	*connection = NULL;
	up->client->stats.active--;
	pool_add(c);
}

void
pool_lost(struct connection *c)
{
	c->upstream->client->stats.pool_closed++;
	unlink_idle(c);
	connection_close(&c);
}

void
pool_shrink(struct upstream *up, size_t max)
{
	while (up->idle > max) {
		struct connection *c = up->oldest;

		unlink_idle(c);
		connection_close(&c);
	}
}

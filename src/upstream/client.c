#include "upstream/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "upstream/exchange_state.h"

/* What is kept for the next one.  The address sanitizer must see every use
 * after a release, so then there is no list. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
#define FREE_BUFFERS	0
#define FREE_EXCHANGES	0
#else
#define FREE_BUFFERS	16
#define FREE_EXCHANGES	256
#endif

struct upstream_client *
upstream_client_open(struct loop *loop, const struct upstream_trust *trust)
{
	struct upstream_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->loop = loop;
	client->trust = trust;
	return client;
}

void
upstream_client_close(struct upstream_client **client)
{
	struct upstream_client *c = *client;

	if (c == NULL)
		return;
	assert(c->upstreams == 0);
	while (c->free_buffer != NULL) {
		struct buffer *buffer = c->free_buffer;

		c->free_buffer = buffer->next;
		free(buffer);
	}
	while (c->free_exchange != NULL) {
		struct exchange *x = c->free_exchange;

		c->free_exchange = x->next_free;
		free(x);
	}
	free(c);
	*client = NULL;
}

const struct upstream_stats *
upstream_client_stats(const struct upstream_client *client)
{
	return &client->stats;
}

struct buffer *
client_buffer_get(struct upstream_client *client)
{
	struct buffer *buffer = client->free_buffer;

	if (buffer != NULL) {
		client->free_buffer = buffer->next;
		client->free_buffers--;
	} else {
		buffer = malloc(sizeof(*buffer));
		if (buffer == NULL)
			return NULL;
	}
	buffer->next = NULL;
	buffer->filled = 0;
	return buffer;
}

void
client_buffer_put(struct upstream_client *client, struct buffer **buffer)
{
	struct buffer *b = *buffer;

	if (b == NULL)
		return;
	*buffer = NULL;
	bytes_scrub(b->data, b->filled);
	if (client->free_buffers + 1 > FREE_BUFFERS) {
		free(b);
		return;
	}
	b->next = client->free_buffer;
	client->free_buffer = b;
	client->free_buffers++;
}

struct exchange *
client_exchange_get(struct upstream_client *client)
{
	struct exchange *x = client->free_exchange;

	if (x == NULL)
		return calloc(1, sizeof(*x));
	client->free_exchange = x->next_free;
	client->free_exchanges--;
	x->next_free = NULL;
	return x;
}

void
client_exchange_put(struct upstream_client *client, struct exchange *x)
{
	/* The answer's head is in it, and pointers to bodies. */
	bytes_scrub(x, sizeof(*x));
	if (client->free_exchanges + 1 > FREE_EXCHANGES) {
		free(x);
		return;
	}
	x->next_free = client->free_exchange;
	client->free_exchange = x;
	client->free_exchanges++;
}

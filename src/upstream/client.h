/*
 * client.h: what all upstreams of a thread share: loop, buffers, counters.
 * Layer: upstream, private to it.
 * Written by: the thread that owns the client.
 */
#ifndef UPSTREAM_CLIENT_H
#define UPSTREAM_CLIENT_H

#include <stddef.h>

#include "upstream/endpoint.h"

struct exchange;

/* As much as a TLS record carries. */
#define BUFFER_BYTES 16384

/* Held only while bytes are in it: by a connection that is being read, a
 * paused exchange, or a record that is being gathered. */
struct buffer {
	struct buffer *next;
	size_t filled;			/* at most, ever since it was taken */
	char data[BUFFER_BYTES];
};

struct upstream_client {
	struct loop *loop;
	const struct upstream_trust *trust;
	struct upstream_stats stats;
	struct buffer *free_buffer;
	size_t free_buffers;
	struct exchange *free_exchange;
	size_t free_exchanges;
	size_t upstreams;		/* not freed yet */
};

/* NULL when memory is short. */
struct buffer *client_buffer_get(struct upstream_client *client);
/* Scrubs what was filled.  Clears *buffer. */
void	client_buffer_put(struct upstream_client *client,
	    struct buffer **buffer);

/* Zeroed; NULL when memory is short. */
struct exchange *client_exchange_get(struct upstream_client *client);
void	client_exchange_put(struct upstream_client *client,
	    struct exchange *x);

#endif

/*
 * endpoint_state.h: what an upstream is made of.
 * Layer: upstream, private to it.
 * Written by: endpoint.c; the list of idle connections by pool.c.
 */
#ifndef UPSTREAM_ENDPOINT_STATE_H
#define UPSTREAM_ENDPOINT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "shm/catalogue.h"
#include "upstream/endpoint.h"
#include "upstream/tls.h"

struct connection;

#define CA_DIGEST_BYTES 32

struct upstream {
	struct upstream_client *client;
	/* Never changes. */
	char host[CHANNEL_HOST_BYTES];		/* without [ ] */
	char host_header[CHANNEL_HOST_BYTES + 16];
	uint16_t port;
	bool tls_on;
	bool own_ca;
	unsigned char ca_digest[CA_DIGEST_BYTES];
	struct tls tls;
	/* Through a proxy: the request for the tunnel, and its port. */
	char *tunnel;				/* NULL: no proxy */
	size_t tunnel_len;
	uint16_t dial_port;
	/* What upstream_update() may change. */
	char base_path[CHANNEL_PATH_BYTES];
	struct upstream_timeouts timeouts;
	size_t idle_max;
	int64_t idle_keep_ms;
	size_t addresses;
	bool proven;				/* the first address answered */
	struct catalogue_address address[CHANNEL_ADDRESSES];
	/* The pool: the newest is used first, the oldest closed first. */
	struct connection *newest;
	struct connection *oldest;
	size_t idle;
	struct loop_timer pool_timer;
	/* Life. */
	size_t exchanges;
	bool retired;
};

/* An exchange begins and ends; the last one of a retired upstream frees it. */
void	endpoint_enter(struct upstream *upstream);
void	endpoint_leave(struct upstream *upstream);

/* This address answered: the next connection tries it first. */
void	endpoint_prefer(struct upstream *upstream,
	    const struct catalogue_address *address);

#endif

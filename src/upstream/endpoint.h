/*
 * endpoint.h: an upstream that exchanges are made with: where it is, how it is
 * verified, its TLS sessions and its idle connections.
 * Layer: upstream.  One thread, one loop.
 * Written by: the worker, from the catalogue.
 *
 * struct upstream_client is the thread's: loop, buffers, counters.
 * struct upstream is a channel's.  When the catalogue changes a channel, the
 * worker calls upstream_update(); if that says no, it opens a new upstream
 * and retires the old one, whose running exchanges end as they would have.
 */
#ifndef UPSTREAM_ENDPOINT_H
#define UPSTREAM_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalogue_address;
struct catalogue_channel;
struct loop;
struct upstream;
struct upstream_client;
struct upstream_trust;

struct upstream_timeouts {
	int64_t connect_ms;	/* all addresses, with the TLS handshake */
	int64_t first_byte_ms;	/* request sent → head of answer complete */
	int64_t idle_ms;	/* between two bytes, either way */
	int64_t total_ms;	/* the whole exchange */
};

struct upstream_config {
	const char *host;	/* name, IPv4, or IPv6 with or without [ ] */
	uint16_t port;
	bool tls;
	const char *base_path;	/* "" or "/prefix" */
	const char *ca;		/* PEM; NULL: the client's trust */
	size_t ca_bytes;
	const char *proxy_host;	/* "" or NULL: none */
	uint16_t proxy_port;
	const char *proxy_auth;	/* "user:password"; "" or NULL: none */
	const struct catalogue_address *address; /* the proxy's, if any */
	size_t addresses;	/* up to CHANNEL_ADDRESSES; may be 0 */
	struct upstream_timeouts timeouts;
	size_t idle_max;	/* connections kept; 0: none */
	int64_t idle_keep_ms;	/* for how long; below the upstream's own */
};

/* Since the client was opened, all upstreams together. */
struct upstream_stats {
	uint64_t exchanges;
	uint64_t failures;
	uint64_t retried;	/* on a fresh connection, see exchange.h */
	uint64_t connects;	/* TCP connections established */
	uint64_t handshakes;	/* TLS handshakes completed, resumed included */
	uint64_t resumed;
	uint64_t pool_hits;
	uint64_t pool_closed;	/* idle connections that the peer closed */
	uint64_t active;	/* now: connections in an exchange */
	uint64_t idle;		/* now: connections in the pools */
};

/*
 * loop and trust are borrowed until upstream_client_close(); trust may be NULL
 * when every channel has a CA of its own or no TLS.  Opens no file then or
 * later.  Returned, caller closes; NULL when memory is short.
 */
struct upstream_client *upstream_client_open(struct loop *loop,
	    const struct upstream_trust *trust);
/* After every exchange is over and every upstream retired. */
void	upstream_client_close(struct upstream_client **client);
const struct upstream_stats *upstream_client_stats(
	    const struct upstream_client *client);

enum upstream_open_result {
	UPSTREAM_OPEN_OK,
	UPSTREAM_OPEN_BAD_HOST,
	UPSTREAM_OPEN_BAD_PATH,
	UPSTREAM_OPEN_BAD_CA,	/* no certificate in it, or a broken one */
	UPSTREAM_OPEN_MEMORY
};

/*
 * Points config at channel's host, port, tls, base_path, ca, proxy and
 * addresses (borrowed); timeouts, pool limits and the proxy's credential are
 * left as they are.
 */
void	upstream_config_channel(struct upstream_config *config,
	    const struct catalogue_channel *channel);

/* config is copied.  *upstream_r: returned, caller retires. */
enum upstream_open_result upstream_open(struct upstream_client *client,
	    const struct upstream_config *config, struct upstream **upstream_r)
	    __attribute__((warn_unused_result));

/*
 * Takes over addresses, base path, timeouts and pool limits for the exchanges
 * that start from now on, keeping pool and sessions.  False, and nothing
 * changed, when host, port, tls, CA or proxy differ, or memory is short: then open a
 * new one and retire this.
 */
bool	upstream_update(struct upstream *upstream,
	    const struct upstream_config *config)
	    __attribute__((warn_unused_result));

/*
 * Adds a connection that is made already to the idle ones: plain, no proxy.
 * fd, non-blocking, is taken, also when it fails.  False: memory is short.
 */
bool	upstream_adopt(struct upstream *upstream, int fd)
	    __attribute__((warn_unused_result));
/* Is there one that the next exchange would use? */
bool	upstream_has_idle(const struct upstream *upstream);

/* Closes the idle connections and lets go; freed after its last exchange. */
void	upstream_retire(struct upstream **upstream);

/* What to send as Host: [host], with :port unless it is the scheme's own.
 * Borrowed, NUL-terminated, as is the base path. */
const char *upstream_host(const struct upstream *upstream);
const char *upstream_base_path(const struct upstream *upstream);

#endif

/*
 * context.h: what all rooms of a worker share.
 * Layer: worker (private).
 * Written by: worker.c; the rooms' own state is behind their handles.
 */
#ifndef WORKER_CONTEXT_H
#define WORKER_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct call;
struct catalogue_view;
struct client;
struct durable;
struct front;
struct heritage;
struct hold_book;
struct key_hasher;
struct lingering;
struct listeners;
struct loop;
struct parking;
struct portal_link;
struct settings;
struct shm;
struct upstream_client;
struct upstream_trust;

struct worker {
	const struct heritage *heritage;
	const struct settings *settings;
	struct shm *shm;
	uint32_t seat;

	struct loop *loop;
	struct hold_book *book;
	struct key_hasher *hasher;
	struct upstream_trust *trust;
	struct upstream_client *upstreams;
	struct catalogue_view *view;	/* NULL until one was published */
	struct front *front;
	struct listeners *listeners;
	struct lingering *linger;
	struct durable *durable;	/* NULL: no answer waits */
	struct parking *parking;	/* calls that wait for money */
	struct portal_link *portal;

	struct client *clients;		/* all of them, linked */
	size_t client_count;
	struct call *free_calls;
	size_t free_call_count;
	struct client *to_flush;	/* see tls_io.h */
	void *spare_blocks;
	size_t spare_block_count;

	struct call *calls;		/* the open ones, linked */
	size_t call_count;

	uint64_t cuts;			/* SHM_GAUGE_CUTS, as last seen */
	struct mono_time may_warn;	/* about upstreams, not before */
	int64_t retry_allowance;	/* see attempt.h */
	uint64_t affinity_seed;

	bool draining;			/* finish, accept nothing new */
	bool aborting;			/* the time for that is over */

	/* Kernel randomness in stock, for request ids. */
	uint8_t random[1024];
	size_t random_left;
};

#endif

/*
 * resolver.h: host names of channels to addresses, in a thread of its own.
 * Layer: flusher.
 * Written by: its thread fills in addresses; the directory thread asks.
 */
#ifndef FLUSHER_RESOLVER_H
#define FLUSHER_RESOLVER_H

#include <stdint.h>

#include "shm/catalogue.h"

struct resolver;

/* How long an answer is used before the name is asked for again. */
#define RESOLVER_REFRESH_MS 45000
#define RESOLVER_RETRY_MS 3000

/* event_fd: an eventfd(2) that is written to whenever some host's addresses
 * became others; borrowed.  NULL: no thread or no memory. */
struct resolver *resolver_start(int event_fd);
/* Doesn't wait for an answer that is outstanding: the thread frees what is its
 * own when it comes. */
void	resolver_stop(struct resolver **resolver);

/*
 * What is known of the host now, sorted, as many as there are (at most
 * CHANNEL_ADDRESSES); numeric ones at once, names not known yet 0, and asked
 * for.  A name that fails to resolve keeps its former addresses.
 */
uint32_t resolver_look_up(struct resolver *resolver, const char *host,
	    struct catalogue_address address_r[CHANNEL_ADDRESSES]);

/* Names not looked up since the last call of this are forgotten. */
void	resolver_sweep(struct resolver *resolver);

#endif

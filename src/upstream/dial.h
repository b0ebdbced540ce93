/*
 * dial.h: a TCP connection to one of several addresses.
 * Layer: upstream, private to it.
 * Written by: the connection that owns the struct.
 *
 * Addresses are tried in order.  The next one is tried as soon as one fails,
 * or beside it when it hasn't answered within DIAL_STEP_MS (RFC 8305, 5); the
 * first to be connected wins.
 */
#ifndef UPSTREAM_DIAL_H
#define UPSTREAM_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "shm/catalogue.h"

#define DIAL_STEP_MS 250

struct dial;

struct dial_try {
	struct loop_watch watch;	/* fd is -1 when there is none */
	struct dial *dial;
};

struct dial {
	struct loop *loop;
	/* fd: connected, non-blocking, TCP_NODELAY, taken by the callee; or
	 * -1 when no address is left. */
	void (*done)(struct dial *dial, int fd);
	uint16_t port;
	size_t addresses;
	size_t next;
	size_t winner;			/* index of the connected address */
	size_t open;			/* tries that are under way */
	struct loop_timer step;
	struct catalogue_address address[CHANNEL_ADDRESSES];
	struct dial_try try[CHANNEL_ADDRESSES];
};

/*
 * loop, done, port, address, addresses are set.  done is called from the loop
 * later, never from here.  False: not one try could be started, and done will
 * not be called.
 */
bool	dial_start(struct dial *dial) __attribute__((warn_unused_result));

/* Closes all tries; also right after done, or before any start. */
void	dial_stop(struct dial *dial);

#endif

/*
 * heritage.h: all that a child of the master inherits.
 * Layer: conf.
 * Written by: the master, before each fork; a child only reads its copy.
 * Nothing else crosses the fork: no global, no environment.
 */
#ifndef CONF_HERITAGE_H
#define CONF_HERITAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/payment.h"
#include "base/secret.h"
#include "conf/settings.h"

struct shm;

/*
 * A child starts with all signals unblocked and at their defaults, but for
 * SIGPIPE, which is ignored; it gets SIGTERM when it is to finish, and when
 * the master dies.  It leads a process group of its own and can't gain
 * privileges or dump core.
 */
struct heritage {
	const struct settings *settings;
	struct shm *shm;		/* attached, writable */
	struct secrets secrets;		/* a worker's; zeroed in the flusher */

	struct payment_keys payment;	/* the portal's; else zeroed */

	/* An eventfd(2) that workers write to when they asked the flusher for
	 * money (shm/refill.h); below 1: none. */
	int wake_fd;

	/* Readable (end of file) when the master is gone, however it went. */
	int parent_fd;

	/*
	 * Eventfds, with durability = strict; else seat_fds is 0.  A worker
	 * writes flusher_fd when answers wait for records in its ring; the
	 * flusher writes seat_fd[seat] when it released that seat's ring
	 * further, or the journal failed.  A worker has its own seat's only.
	 */
	int flusher_fd;
	const int *seat_fd;
	uint32_t seat_fds;

	/* A worker's; 0 and SEAT_FLUSHER in the flusher. */
	uint32_t seat;
	uint64_t generation;

	/* Workers only: bound, listening, non-blocking, close-on-exec; one for
	 * each settings->listen.address, shared by all workers. */
	uint32_t listen_fds;
	int listen_fd[SETTING_LISTEN_MAX];

	/* Where connections are handed over: a worker's end, and the portal's.
	 * -1: there is no portal. */
	int portal_fd;

	/* Workers only: PEM texts, 0-terminated. */
	const char *tls_certificate;
	const char *tls_key;
};

#endif

/*
 * linger.h: closing a connection whose client may still be sending.
 * Layer: worker (private).
 * Written by: one thread.
 *
 * Closing a socket with unread input resets the connection, and the reset
 * overtakes the answer: a client that is still sending its body would see
 * "connection reset" instead of our 401 or 413 (RFC 9112, 9.6).  So a
 * duplicate of the descriptor outlives libmicrohttpd's, reads and discards,
 * within bounds of time, bytes and number.
 */
#ifndef WORKER_LINGER_H
#define WORKER_LINGER_H

#include <stddef.h>

struct lingering;
struct worker;

struct lingering *linger_open(struct worker *worker);
void	linger_close(struct lingering **linger);

/*
 * Duplicates fd, which the caller closes as it would have.  The bytes (if any,
 * copied) are sent first.
 */
void	linger_on(struct lingering *linger, int fd, const char *bytes,
	    size_t len);

#endif

/*
 * front.h: libmicrohttpd's daemons and what they call back.
 * Layer: worker (private).
 * Written by: one thread.
 *
 * Resuming walks all suspended connections of a daemon, so a worker has
 * several of them in its one loop.  None has a thread or a socket of its own.
 */
#ifndef WORKER_FRONT_H
#define WORKER_FRONT_H

#include <stdbool.h>
#include <sys/socket.h>

struct client;
struct front;
struct worker;

/* NULL when the certificate is bad or memory is short (logged). */
struct front *front_open(struct worker *worker);
/* After every call is over; closes all connections. */
void	front_close(struct front **front);

/* Hands an accepted connection over.  False: the descriptor is closed and the
 * client freed. */
bool	front_add(struct front *front, struct client *client,
	    const struct sockaddr_storage *from, socklen_t from_len);

/* The connection has something to do. */
void	front_wake(struct client *client);
/* Only within one of libmicrohttpd's callbacks for this very connection. */
void	front_suspend(struct client *client);

/* Once a turn, after the loop's: runs the daemons that need it.  True: some
 * need it again at once, so the loop must not sleep. */
bool	front_run(struct front *front);

/* Bytes were taken from this client's socket, within a run. */
void	front_note_read(struct client *client);

/* The client closed, or its deadline passed. */
void	front_client_gone(struct client *client);
void	front_client_late(struct client *client);

/* Draining: closes connections without a call, but for those whose request is
 * in the socket already and, unless new_ones_too, those that were accepted and
 * have not sent their first one yet. */
void	front_close_idle(struct front *front, bool new_ones_too);
/* The end of draining: every connection, whatever it is doing. */
void	front_cut_all(struct front *front);

#endif

/*
 * server.h: libmicrohttpd behind the portal's routes.
 * Layer: portal.
 * Written by: main.c; requests run in a thread of their connection's own.
 */
#ifndef PORTAL_SERVER_H
#define PORTAL_SERVER_H

#include <semaphore.h>
#include <stdbool.h>

struct heritage;
struct pool;
struct MHD_Daemon;

struct portal {
	const struct heritage *heritage;
	struct pool *pool;
	struct MHD_Daemon *daemon;
	sem_t hashing;		/* room for one more password; login.h */
};

/* False: memory is short. */
bool	server_start(struct portal *portal) __attribute__((warn_unused_result));
/* Takes the connection; fd is the server's now, or closed. */
void	server_add(struct portal *portal, int fd);
/* Ends what is open, after a moment. */
void	server_stop(struct portal *portal);

#endif

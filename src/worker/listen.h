/*
 * listen.h: accepting connections, within limits.
 * Layer: worker (private).
 * Written by: one thread.
 *
 * The sockets are the master's, shared by all workers.  Limits count within
 * this worker.
 */
#ifndef WORKER_LISTEN_H
#define WORKER_LISTEN_H

#include <stdbool.h>

struct client;
struct listeners;
struct worker;

struct listeners *listen_open(struct worker *worker);
/* Takes no more connections, and lets the sockets go. */
void	listen_stop(struct listeners *listeners);
void	listen_close(struct listeners **listeners);

/* The client's connection ended: its address has one less. */
void	listen_forget(struct listeners *listeners, struct client *client);

#endif

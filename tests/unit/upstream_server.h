/*
 * upstream_server.h: a scripted upstream in threads of the test.
 * Layer: tests.
 * Written by: the test that starts it; a script by its connection's thread.
 */
#ifndef TESTS_UPSTREAM_SERVER_H
#define TESTS_UPSTREAM_SERVER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define SERVER_PEERS 32

struct server;

/* One accepted connection. */
struct peer {
	struct server *server;
	int fd;
	SSL *ssl;
	int nth;			/* connection, from 0 */
	pthread_t thread;
	atomic_bool over;		/* the script, and it has closed */
	/* The last request that was read. */
	char head[32768];
	char *body;
	size_t body_bytes;
	size_t first_read_bytes;	/* what the first read gave */
};

struct server {
	int listener;
	uint16_t port;
	SSL_CTX *ctx;			/* NULL: plain */
	bool no_handshake;		/* accept and be silent */
	void (*serve)(struct peer *p);	/* then the connection is closed */
	sem_t gate;			/* scripts wait, tests post */
	sem_t news;			/* scripts post, tests wait */
	atomic_int connections;
	atomic_int requests;
	pthread_t thread;
	struct peer peer[SERVER_PEERS];
};

/* ctx, serve, no_handshake are set; listens on 127.0.0.1. */
void	server_start(struct server *s);
/* After the clients are gone, or they are cut. */
void	server_stop(struct server *s);

/* False when the client closed. Content-Length bodies only. */
bool	peer_head(struct peer *p);
bool	peer_request(struct peer *p);
void	peer_say(struct peer *p, const char *text);
void	peer_send(struct peer *p, const char *data, size_t len);
/* Without a word, and with a reset. */
void	peer_cut(struct peer *p);
void	peer_reset(struct peer *p);
void	peer_wait(struct peer *p);	/* for the test */
void	peer_tell(struct peer *p);	/* the test */

/* For the test: without turning its loop, until the script has closed. */
void	server_wait_over(struct server *s, int nth);

#endif

/*
 * tls_io.h: between GnuTLS and a client's socket.
 * Layer: worker (private).
 * Written by: one thread.
 *
 * GnuTLS reads a record's head and its body by two calls, and libmicrohttpd
 * writes an answer's head and its body by two; here each is one.  What is
 * written within a run of libmicrohttpd leaves when the run is over.  All that
 * is kept here is ciphertext.
 */
#ifndef WORKER_TLS_IO_H
#define WORKER_TLS_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct worker;

struct tls_io {
	char *in;		/* read ahead; NULL: nothing */
	char *out;		/* to be sent; NULL: nothing */
	uint32_t in_start, in_len;
	uint32_t out_start, out_len;
	struct client *next;	/* of those that have something to send */
	bool queued;
	bool failed;		/* the socket broke */
	bool established;	/* the handshake is over */
	bool resumed;		/* and not read from since */
	bool muted;		/* what is written is thrown away */
	bool expecting;		/* see tls_io_expect() */
	bool certain;
	bool may_be_corked;
	bool uncorked;		/* and for good */
};

/* Takes the client's session over, if it has one. */
void	tls_io_attach(struct client *client);
/* Sends what is there; the rest waits for the socket. */
void	tls_io_flush(struct client *client);
/* Before the client is freed. */
void	tls_io_detach(struct client *client);

/* After a run of libmicrohttpd. */
void	tls_io_flush_all(struct worker *worker);
/* At the worker's end. */
void	tls_io_free_blocks(struct worker *worker);

/*
 * libmicrohttpd is about to send a complete answer with so long a body.  It
 * corks the socket before a short one, once in the connection's life, and
 * pushes it before we have sent: see there.
 */
void	tls_io_expect(struct client *client, size_t body_bytes);

#endif

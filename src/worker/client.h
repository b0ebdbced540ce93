/*
 * client.h: one client connection: its address, deadline and disconnect.
 * Layer: worker (private).
 * Written by: listen.c makes it, front.c ties it to libmicrohttpd.
 *
 * libmicrohttpd's time-outs are idle-based and it doesn't see a disconnect
 * while a connection is suspended, so both are ours: one lazy timer, and one
 * edge-triggered watch on the descriptor that it owns.  So are the bytes of
 * TLS, see tls_io.h.
 */
#ifndef WORKER_CLIENT_H
#define WORKER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "worker/tls_io.h"

struct MHD_Connection;
struct call;
struct front_daemon;
struct gnutls_session_int;
struct peer;
struct worker;

enum client_phase {
	CLIENT_HEAD,		/* new: TLS and the first head are awaited */
	CLIENT_IDLE,		/* between two calls */
	CLIENT_BODY,		/* the head came, the body is coming */
	CLIENT_CALL		/* ours to answer, or the answer leaves */
};

struct client {
	struct loop_watch watch;	/* its end, and room to send */
	struct loop_timer timer;
	struct mono_time deadline;	/* ns 0: none */
	struct worker *worker;
	struct client *next;
	struct client *prev;
	struct MHD_Connection *connection;	/* NULL before and after */
	struct front_daemon *daemon;
	struct peer *peer;
	struct call *call;		/* the one being served */
	enum client_phase phase;
	bool suspended;
	bool watches_input;
	bool gone;			/* it closed, or it was cut off */
	bool linger;			/* close only after it could read */
	uint8_t address[16];		/* IPv6, or IPv4 mapped into it */
	struct gnutls_session_int *io_session;	/* NULL: no TLS */
	struct tls_io io;
};

/* Of a connection just accepted; NULL when memory is short.  fd stays the
 * caller's until front_add(). */
struct client *client_new(struct worker *worker, int fd,
	    const uint8_t address[16]) __attribute__((warn_unused_result));
/* libmicrohttpd has it now / is about to close the descriptor. */
bool	client_attach(struct client *client) __attribute__((warn_unused_result));
void	client_detach(struct client *client);
/* The first head came: the handshake's bytes need no watching any more. */
void	client_established(struct client *client);
void	client_free(struct client *client);

/* Enters a phase, with its deadline; after_ms 0: without one. */
void	client_enter(struct client *client, enum client_phase phase,
	    uint32_t after_ms);

/*
 * Writes to the client past libmicrohttpd, which can't answer before a body
 * is complete, and mutes what that would write itself.  To be followed by
 * client_cut(), or by the connection's end from within a callback.
 */
void	client_say(struct client *client, const char *bytes, size_t len);

/* Something came that nobody has read yet. */
bool	client_has_input(const struct client *client);

/* Ends the connection from outside: libmicrohttpd sees a hang-up. */
void	client_cut(struct client *client);

/* IPv4 is mapped into IPv6. */
void	client_address(const struct sockaddr_storage *from,
	    uint8_t address_r[16]);

#endif

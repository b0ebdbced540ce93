/*
 * connection.h: one TCP or TLS connection to an upstream.
 * Layer: upstream, private to it.
 * Written by: the exchange that has it, or the pool while it is idle.
 *
 * The descriptor is registered once, edge-triggered for everything; what epoll
 * said is remembered in the flags below, so that no system call is made that
 * would only say EAGAIN.
 */
#ifndef UPSTREAM_CONNECTION_H
#define UPSTREAM_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/loop.h"
#include "upstream/dial.h"

struct exchange;
struct ssl_st;
struct tunnel;
struct upstream;

enum connection_state {
	CONNECTION_DIALING,
	CONNECTION_TUNNEL,		/* a proxy is asked for one */
	CONNECTION_HANDSHAKE,
	CONNECTION_OPEN
};

enum connection_result {
	CONNECTION_OK,
	CONNECTION_AGAIN,		/* wait for the next event */
	CONNECTION_EOF,			/* ended properly */
	CONNECTION_BROKEN,		/* reset, or TLS cut without a notice */
	CONNECTION_TLS,			/* not what TLS allows */
	CONNECTION_TLS_VERIFY,
	CONNECTION_PROXY		/* it made no tunnel */
};

struct connection {
	struct loop_watch watch;
	struct upstream *upstream;
	struct exchange *exchange;	/* NULL: idle in the pool */
	struct ssl_st *ssl;		/* NULL: plain TCP */
	struct tunnel *tunnel;		/* in CONNECTION_TUNNEL only */
	enum connection_state state;
	bool readable;			/* or maybe so */
	bool writable;
	bool hung_up;			/* no byte comes after those there */
	bool eof;
	bool broken;			/* a system call said so */
	bool send_broken;
	bool tls_failed;
	/* The pool's list, and since when. */
	struct connection *newer;
	struct connection *older;
	struct mono_time idle_since;
	struct dial dial;
};

/* Starts to connect for x; NULL with *memory_r when memory is short, else when
 * no address could be tried. */
struct connection *connection_open(struct upstream *upstream,
	    struct exchange *x, bool *memory_r);

/* One that is made already; takes fd over, also when it fails.  Idle, in no
 * list yet; NULL when memory is short. */
struct connection *connection_adopt(struct upstream *upstream, int fd);

/* Any state.  Says goodbye if the connection is sound.  Clears *connection. */
void	connection_close(struct connection **connection);

/* Goes on with the proxy: OK, AGAIN, PROXY; BROKEN: memory is short. */
enum connection_result connection_tunnel(struct connection *c);
/* Goes on with the TLS handshake: OK, AGAIN, or why it failed. */
enum connection_result connection_handshake(struct connection *c);

enum connection_result connection_recv(struct connection *c, char *p,
	    size_t len, size_t *n_r);

/*
 * OK: *n_r bytes of the spans went out.  AGAIN or BROKEN: none.  After AGAIN
 * the same bytes must come again, though from wherever.  With TLS there is one
 * span of at most BUFFER_BYTES.
 */
enum connection_result connection_send(struct connection *c,
	    const struct span *span, size_t spans, size_t *n_r);

/* With no answer due: is it still good for another request? */
bool	connection_quiet(struct connection *c);

#endif

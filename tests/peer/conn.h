/*
 * One accepted connection, plain or TLS: blocking reads and writes, pauses
 * that notice the other side leaving, and the rude ways to hang up.
 * Layer: tests/peer.  Written by: the connection's own thread only.
 */
#ifndef PEER_CONN_H
#define PEER_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#define PEER_IN_BYTES 16384

struct peer_conn {
	int fd;
	SSL *ssl;		/* NULL: plain */
	bool one_byte;		/* every write goes out byte by byte */
	bool broken;		/* a write failed or the other side left */
	size_t in_off;
	size_t in_len;
	char in[PEER_IN_BYTES];
};

/* Takes fd.  ctx NULL: plain.  Returns NULL when the handshake failed. */
struct peer_conn *peer_conn_open(int fd, SSL_CTX *ctx);

/* Closes politely: close_notify, then FIN.  Frees conn. */
void peer_conn_close(struct peer_conn *conn);

/* Closes with a TCP reset, nothing said in TLS.  Frees conn. */
void peer_conn_abort(struct peer_conn *conn);

/* Closes with a bare FIN, without TLS's close_notify.  Frees conn. */
void peer_conn_truncate(struct peer_conn *conn);

/* True if TLS resumed an earlier session. */
bool peer_conn_resumed(const struct peer_conn *conn);

/* One byte, or -1 at the end of the input. */
int peer_conn_getc(struct peer_conn *conn);

/* Reads exactly len bytes; false if the input ended before. */
bool peer_conn_read(struct peer_conn *conn, char *data, size_t len);

/* Writes all; false (and conn->broken) if the other side is gone. */
bool peer_conn_write(struct peer_conn *conn, const void *data, size_t len);

/* Waits ms milliseconds; false at once when the other side hangs up. */
bool peer_conn_pause(struct peer_conn *conn, unsigned ms);

/* Waits until the other side hangs up. */
void peer_conn_linger(struct peer_conn *conn);

#endif

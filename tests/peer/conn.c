#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/peer/conn.h"

struct peer_conn *
peer_conn_open(int fd, SSL_CTX *ctx)
{
	struct peer_conn *conn = calloc(1, sizeof(*conn));
	int one = 1;

	if (conn == NULL)
		abort();
	conn->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (ctx == NULL)
		return conn;
	conn->ssl = SSL_new(ctx);
	if (conn->ssl == NULL || SSL_set_fd(conn->ssl, fd) != 1 ||
	    SSL_accept(conn->ssl) != 1) {
		peer_conn_truncate(conn);
		return NULL;
	}
	return conn;
}

void
peer_conn_close(struct peer_conn *conn)
{
	if (conn->ssl != NULL && !conn->broken)
		SSL_shutdown(conn->ssl);
	peer_conn_truncate(conn);
}

void
peer_conn_abort(struct peer_conn *conn)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	peer_conn_truncate(conn);
}

void
peer_conn_truncate(struct peer_conn *conn)
{
	SSL_free(conn->ssl);
	close(conn->fd);
	free(conn);
}

bool
peer_conn_resumed(const struct peer_conn *conn)
{
	return conn->ssl != NULL && SSL_session_reused(conn->ssl);
}

static bool
conn_fill(struct peer_conn *conn)
{
	ssize_t got;

	if (conn->ssl != NULL)
		got = SSL_read(conn->ssl, conn->in, sizeof(conn->in));
	else
		got = read(conn->fd, conn->in, sizeof(conn->in));
	if (got <= 0)
		return false;
	conn->in_off = 0;
	conn->in_len = (size_t)got;
	return true;
}

int
peer_conn_getc(struct peer_conn *conn)
{
	if (conn->in_off == conn->in_len && !conn_fill(conn))
		return -1;
	return (unsigned char)conn->in[conn->in_off++];
}

bool
peer_conn_read(struct peer_conn *conn, char *data, size_t len)
{
	while (len > 0) {
		size_t part;

		if (conn->in_off == conn->in_len && !conn_fill(conn))
			return false;
		part = conn->in_len - conn->in_off;
		if (part > len)
			part = len;
		memcpy(data, conn->in + conn->in_off, part);
		conn->in_off += part;
		data += part;
		len -= part;
	}
	return true;
}

static bool
conn_write_part(struct peer_conn *conn, const char *data, size_t len)
{
	ssize_t put;

	while (len > 0) {
		int part = len > INT32_MAX ? INT32_MAX : (int)len;

		if (conn->ssl != NULL)
			put = SSL_write(conn->ssl, data, part);
		else
			put = send(conn->fd, data, (size_t)part, MSG_NOSIGNAL);
		if (put <= 0) {
			conn->broken = true;
			return false;
		}
		data += put;
		len -= (size_t)put;
	}
	return true;
}

bool
peer_conn_write(struct peer_conn *conn, const void *data, size_t len)
{
	const char *byte = data;

	if (conn->broken)
		return false;
	if (!conn->one_byte)
		return conn_write_part(conn, data, len);
	for (size_t i = 0; i < len; i++) {
		if (!conn_write_part(conn, byte + i, 1))
			return false;
	}
	return true;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
peer_conn_pause(struct peer_conn *conn, unsigned ms)
{
	int64_t end = now_ms() + ms;
	int64_t left;

	/* Only the hang-up is of interest: data would be the next request. */
	while ((left = end - now_ms()) > 0) {
		struct pollfd watch = { .fd = conn->fd, .events = POLLRDHUP };

		if (poll(&watch, 1, (int)left) > 0) {
			conn->broken = true;
			return false;
		}
	}
	return true;
}

void
peer_conn_linger(struct peer_conn *conn)
{
	while (peer_conn_pause(conn, 3600 * 1000))
		continue;
}

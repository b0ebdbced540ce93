#ifndef _GNU_SOURCE
#define _GNU_SOURCE		/* memmem */
#endif
#include "admin/attest_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "conf/settings.h"

#define ANSWER_MAX_BYTES (UINT32_C(1) << 21)
#define READ_BYTES 16384

static bool
failed(struct attest_client *c, const char *step, const char *why)
{
	snprintf(c->why, sizeof(c->why), "%s: %s", step, why);
	return false;
}

static bool
wait_for(struct attest_client *c, short events)
{
	struct pollfd pfd = { c->fd, events, 0 };
	int64_t left;
	int n;

	do {
		left = mono_diff_ms(c->until, clock_mono());
		n = left > 0 ? poll(&pfd, 1, (int)left) : 0;
	} while (n < 0 && errno == EINTR && left > 0);
	return n == 1 || failed(c, "waiting", "no answer in time");
}

/* After an SSL call that returned n; false: it is over. */
static bool
tls_wait(struct attest_client *c, int n)
{
	switch (SSL_get_error(c->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(c, POLLIN);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(c, POLLOUT);
	default:
		ERR_clear_error();
		return failed(c, "TLS", "the connection was closed");
	}
}

static bool
tls_open(struct attest_client *c)
{
	int n;

	c->ctx = SSL_CTX_new(TLS_client_method());
	c->ssl = c->ctx != NULL ? SSL_new(c->ctx) : NULL;
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		return failed(c, "TLS", "cannot be set up");
	while ((n = SSL_connect(c->ssl)) != 1)
		if (!tls_wait(c, n))
			return false;
	return true;
}

static struct sockaddr_storage
address_of(const struct listen_address *l)
{
	struct sockaddr_storage a = l->sockaddr;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

	if (a.ss_family == AF_INET && v4->sin_addr.s_addr == INADDR_ANY)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (a.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
	return a;
}

bool
attest_client_open(struct attest_client *c, const struct settings *settings,
    int timeout_ms)
{
	const struct listen_address *l = &settings->listen.address[0];
	struct sockaddr_storage a = address_of(l);
	socklen_t len = sizeof(int);
	int error = 0;

	memset(c, 0, sizeof(*c));
	buf_init(&c->answer, ANSWER_MAX_BYTES);
	c->until = mono_add_ms(clock_mono(), timeout_ms);
	c->fd = settings->listen.count == 0 ? -1 : socket(a.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return failed(c, "connecting", "nowhere to connect to");
	if (connect(c->fd, (const struct sockaddr *)&a, l->sockaddr_len) != 0)
		error = errno;
	if (error == EINPROGRESS) {
		if (!wait_for(c, POLLOUT))
			return false;
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error != 0)
		return failed(c, "connecting", strerror(error));
	return settings->tls_certificate[0] == '\0' || tls_open(c);
}

void
attest_client_close(struct attest_client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	c->ssl = c->ctx = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_free(&c->answer);
}

bool
attest_client_send(struct attest_client *c, const void *bytes, size_t len)
{
	const char *p = bytes;
	ssize_t n;

	while (len > 0) {
		if (c->ssl != NULL) {
			n = SSL_write(c->ssl, p, (int)len);
			if (n <= 0 && !tls_wait(c, (int)n))
				return false;
		} else {
			n = send(c->fd, p, len, MSG_NOSIGNAL);
			if (n < 0 && errno != EAGAIN)
				return failed(c, "sending", strerror(errno));
			if (n < 0 && !wait_for(c, POLLOUT))
				return false;
		}
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Some more bytes into the answer; false: none come. */
static bool
read_some(struct attest_client *c)
{
	char *room = buf_room(&c->answer, READ_BYTES);
	ssize_t n;

	if (room == NULL)
		return failed(c, "reading", "the answer is too long");
	do {
		if (c->ssl != NULL) {
			n = SSL_read(c->ssl, room, READ_BYTES);
			if (n <= 0 && !tls_wait(c, (int)n))
				return false;
		} else {
			n = recv(c->fd, room, READ_BYTES, 0);
			if (n == 0 || (n < 0 && errno != EAGAIN))
				return failed(c, "reading",
				    "the connection was closed");
			if (n < 0 && !wait_for(c, POLLIN))
				return false;
		}
	} while (n <= 0);
	buf_added(&c->answer, (size_t)n);
	return true;
}

/* The value of a header, or NULL. */
static const char *
header(const struct buf *answer, const char *end, const char *name)
{
	const char *p = buf_head(answer);
	size_t len = strlen(name);

	for (; p < end; p++)
		if (p[0] == '\n' && strncasecmp(p + 1, name, len) == 0 &&
		    p[1 + len] == ':')
			return p + 2 + len;
	return NULL;
}

static bool
is_whole(struct attest_client *c)
{
	const char *p = buf_head(&c->answer), *end, *value;
	size_t len = c->answer.len, head;

	end = len == 0 ? NULL : memmem(p, len, "\r\n\r\n", 4);
	if (end == NULL)
		return false;
	head = (size_t)(end - p) + 4;
	if (sscanf(p, "HTTP/1.%*1[01] %3d", &c->status) != 1)
		c->status = 0;
	value = header(&c->answer, end, "Content-Length");
	if (value != NULL)
		return len >= head + strtoul(value, NULL, 10);
	if (header(&c->answer, end, "Transfer-Encoding") != NULL)
		return len >= head + 5 &&
		    memcmp(p + len - 5, "0\r\n\r\n", 5) == 0;
	return false;
}

bool
attest_client_read(struct attest_client *c, const char *wanted)
{
	while (!is_whole(c)) {
		if (wanted != NULL && c->answer.len > 0 &&
		    memmem(buf_head(&c->answer), c->answer.len, wanted,
		    strlen(wanted)) != NULL)
			return true;
		if (!read_some(c))
			return false;
	}
	return true;
}

static bool
port_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *), int *port_r)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	if (name(fd, (struct sockaddr *)&a, &len) != 0)
		return false;
	*port_r = ntohs(a.ss_family == AF_INET6 ?
	    ((struct sockaddr_in6 *)&a)->sin6_port :
	    ((struct sockaddr_in *)&a)->sin_port);
	return true;
}

static int
own_name(int fd, struct sockaddr *a, socklen_t *len)
{
	return getsockname(fd, a, len);
}

static int
peer_name(int fd, struct sockaddr *a, socklen_t *len)
{
	return getpeername(fd, a, len);
}

bool
attest_client_ports(const struct attest_client *c, int *own_r, int *peer_r)
{
	return port_of(c->fd, own_name, own_r) &&
	    port_of(c->fd, peer_name, peer_r);
}

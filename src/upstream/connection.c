#include "upstream/connection.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "upstream/client.h"
#include "upstream/endpoint_state.h"
#include "upstream/exchange_state.h"
#include "upstream/pool.h"
#include "upstream/socket_io.h"
#include "upstream/tunnel.h"

static void
ready(struct loop_watch *w, uint32_t events)
{
	struct connection *c = (struct connection *)(void *)
	    ((char *)w - offsetof(struct connection, watch));

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		c->writable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->hung_up = true;
	if (c->exchange != NULL)
		exchange_run(c->exchange);
	else if (!connection_quiet(c))
		pool_lost(c);
}

static bool
begin_tls(struct connection *c)
{
	if (!c->upstream->tls_on) {
		c->state = CONNECTION_OPEN;
		return true;
	}
	c->ssl = tls_open(&c->upstream->tls);
	if (c->ssl == NULL || !socket_io_attach(c))
		return false;
	c->state = CONNECTION_HANDSHAKE;
	return true;
}

/* Also takes fd over when it fails, and leaves closing to the exchange. */
static bool
take_fd(struct connection *c, int fd)
{
	c->watch.fd = fd;
	c->watch.ready = ready;
	c->writable = true;
	if (!loop_watch(c->upstream->client->loop, &c->watch,
	    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET))
		return false;
	if (c->upstream->tunnel == NULL)
		return begin_tls(c);
	c->tunnel = tunnel_new();
	c->state = CONNECTION_TUNNEL;
	return c->tunnel != NULL;
}

enum connection_result
connection_tunnel(struct connection *c)
{
	switch (tunnel_run(c->tunnel, c)) {
	case TUNNEL_OPEN:
		break;
	case TUNNEL_AGAIN:
		return CONNECTION_AGAIN;
	case TUNNEL_REFUSED:
	case TUNNEL_BROKEN:
		return CONNECTION_PROXY;
	}
	tunnel_free(&c->tunnel);
	return begin_tls(c) ? CONNECTION_OK : CONNECTION_BROKEN;
}

static void
dialed(struct dial *dial, int fd)
{
	struct connection *c = (struct connection *)(void *)
	    ((char *)dial - offsetof(struct connection, dial));
	struct exchange *x = c->exchange;

	if (fd < 0) {
		exchange_abort(x, UPSTREAM_CONNECT);
		return;
	}
	c->upstream->client->stats.connects++;
	endpoint_prefer(c->upstream, &dial->address[dial->winner]);
	if (!take_fd(c, fd)) {
		exchange_abort(x, UPSTREAM_MEMORY);
		return;
	}
	exchange_run(x);
}

struct connection *
connection_open(struct upstream *upstream, struct exchange *x, bool *memory_r)
{
	struct connection *c = calloc(1, sizeof(*c));

	*memory_r = c == NULL;
	if (c == NULL)
		return NULL;
	c->upstream = upstream;
	c->exchange = x;
	c->watch.fd = -1;
	c->state = CONNECTION_DIALING;
	c->dial.loop = upstream->client->loop;
	c->dial.done = dialed;
	c->dial.port = upstream->dial_port;
	c->dial.addresses = upstream->addresses;
	memcpy(c->dial.address, upstream->address, sizeof(c->dial.address));
	if (!dial_start(&c->dial)) {
		free(c);
		return NULL;
	}
	upstream->client->stats.active++;
	return c;
}

struct connection *
connection_adopt(struct upstream *upstream, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));

	assert(!upstream->tls_on && upstream->tunnel == NULL);
	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->upstream = upstream;
	c->dial.loop = upstream->client->loop;
	if (!take_fd(c, fd)) {
		c->watch.fd = -1;
		close(fd);
		free(c);
		return NULL;
	}
	return c;
}

void
connection_close(struct connection **connection)
{
	struct connection *c = *connection;

	if (c == NULL)
		return;
	*connection = NULL;
	dial_stop(&c->dial);
	if (c->ssl != NULL) {
		if (c->state == CONNECTION_OPEN && !c->tls_failed &&
		    !c->broken && !c->send_broken) {
			/* OpenSSL gives up the session of a connection that
			 * wasn't shut down, which the next one may want. */
			if (c->exchange == NULL)
				(void)SSL_shutdown(c->ssl);
			SSL_set_shutdown(c->ssl,
			    SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		}
		SSL_free(c->ssl);
	}
	tunnel_free(&c->tunnel);
	if (c->watch.fd >= 0) {
		loop_unwatch(c->upstream->client->loop, &c->watch);
		close(c->watch.fd);
	}
	if (c->exchange != NULL)
		c->upstream->client->stats.active--;
	free(c);
}

bool
connection_quiet(struct connection *c)
{
	char byte;
	size_t n;

	if (c->hung_up)
		return false;
	/* Session tickets may come; data may not. */
	return connection_recv(c, &byte, 1, &n) == CONNECTION_AGAIN;
}

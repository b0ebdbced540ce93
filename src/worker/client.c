#include "worker/client.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "shm/seat.h"
#include "worker/context.h"
#include "worker/front.h"
#include "worker/listen.h"

#define QUIET_EVENTS (EPOLLRDHUP | EPOLLOUT | EPOLLET)

static void
ready(struct loop_watch *w, uint32_t events)
{
	/* The watch is the first member. */
	struct client *client = (struct client *)w;

	if (events & EPOLLOUT)
		tls_io_flush(client);
	/* A handshake goes on; a call is woken by its own events. */
	if ((events & EPOLLIN) && client->call == NULL)
		front_wake(client);
	if (client->gone || !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
		return;
	client->gone = true;
	front_client_gone(client);
}

/*
 * The deadline moves several times a call, the timer hardly ever: it fires at
 * an old deadline and arms itself for the present one.
 */
static void
fire(struct loop_timer *t)
{
	struct client *client = (struct client *)((char *)t -
	    offsetof(struct client, timer));
	struct loop *loop = client->worker->loop;

	if (client->deadline.ns == 0)
		return;
	if (client->deadline.ns > loop_now(loop).ns) {
		loop_arm(loop, t, client->deadline);
		return;
	}
	client->deadline.ns = 0;
	front_client_late(client);
}

struct client *
client_new(struct worker *worker, int fd, const uint8_t address[16])
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->worker = worker;
	client->watch.fd = fd;
	client->watch.ready = ready;
	client->timer.fire = fire;
	memcpy(client->address, address, sizeof(client->address));
	client->next = worker->clients;
	if (client->next != NULL)
		client->next->prev = client;
	worker->clients = client;
	worker->client_count++;
	seat_add(worker->shm, worker->seat, SEAT_CONNECTIONS, 1);
	return client;
}

bool
client_attach(struct client *client)
{
	tls_io_attach(client);
	client->watches_input = client->io_session != NULL;
	/* Edge-triggered and, but for the handshake, without EPOLLIN: silent
	 * until the end, or when a slow client made room again. */
	return loop_watch(client->worker->loop, &client->watch,
	    QUIET_EVENTS | (client->watches_input ? EPOLLIN : 0));
}

void
client_established(struct client *client)
{
	if (!client->watches_input)
		return;
	client->watches_input = false;
	client->io.established = client->io_session != NULL;
	/* Should it fail, then the connection is only woken too often. */
	(void)!loop_change(client->worker->loop, &client->watch,
	    QUIET_EVENTS);
}

void
client_detach(struct client *client)
{
	loop_unwatch(client->worker->loop, &client->watch);
	client->connection = NULL;
	client->io_session = NULL;
}

void
client_free(struct client *client)
{
	struct worker *worker = client->worker;

	assert(!client->watch.active && client->call == NULL);
	listen_forget(worker->listeners, client);
	loop_disarm(worker->loop, &client->timer);
	tls_io_detach(client);
	if (client->prev != NULL)
		client->prev->next = client->next;
	else
		worker->clients = client->next;
	if (client->next != NULL)
		client->next->prev = client->prev;
	worker->client_count--;
	seat_add(worker->shm, worker->seat, SEAT_CONNECTIONS, -1);
	free(client);
}

void
client_enter(struct client *client, enum client_phase phase,
    uint32_t after_ms)
{
	struct loop *loop = client->worker->loop;

	client->phase = phase;
	if (after_ms == 0) {
		client->deadline.ns = 0;
		return;
	}
	client->deadline = mono_add_ms(loop_now(loop), after_ms);
	if (!loop_armed(&client->timer) ||
	    client->timer.due.ns > client->deadline.ns)
		loop_arm(loop, &client->timer, client->deadline);
}

void
client_say(struct client *client, const char *bytes, size_t len)
{
	ssize_t n;

	client->linger = true;
	if (client->io_session != NULL) {
		do
			/* Fails by itself before the handshake is over. */
			n = gnutls_record_send(client->io_session, bytes, len);
		while (n == GNUTLS_E_INTERRUPTED);
		client->io.may_be_corked = true;
		tls_io_flush(client);
		client->io.muted = true;
		return;
	}
	do
		n = send(client->watch.fd, bytes, len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
}

bool
client_has_input(const struct client *client)
{
	char byte;

	return recv(client->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
client_cut(struct client *client)
{
	shutdown(client->watch.fd, SHUT_RDWR);
}

void
client_address(const struct sockaddr_storage *from, uint8_t address_r[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(address_r, 0, 16);
	if (from->ss_family == AF_INET6)
		memcpy(address_r,
		    &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	else if (from->ss_family == AF_INET) {
		memcpy(address_r, mapped, sizeof(mapped));
		memcpy(address_r + 12,
		    &((const struct sockaddr_in *)from)->sin_addr, 4);
	}
}

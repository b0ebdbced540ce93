/* accept4(), the limits, and the counts by address that they need. */
#include "worker/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/loop.h"
#include "conf/heritage.h"
#include "shm/seat.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/front.h"

/* One worker must not take all that is waiting. */
#define ACCEPTS_PER_EVENT 16
/* Out of descriptors: look again after this, rather than spin. */
#define PAUSE_MS 100

/* An address that has connections here; in a chain of its bucket. */
struct peer {
	struct peer *next;
	uint32_t bucket;
	uint32_t connections;
	uint8_t address[16];
};

struct listener {
	struct loop_watch watch;	/* first: see ready() */
	struct listeners *all;
};

struct listeners {
	struct worker *worker;
	struct loop_timer pause;
	struct peer **bucket;
	uint32_t buckets;		/* a power of two */
	uint64_t salt;			/* nobody outside can aim at a chain */
	uint32_t count;
	struct listener listener[SETTING_LISTEN_MAX];
};

static uint32_t
bucket_of(const struct listeners *all, const uint8_t address[16])
{
	uint64_t part[2], h;

	memcpy(part, address, sizeof(part));
	h = (part[0] ^ all->salt) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (h >> 32) ^ part[1]) * UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(h >> 32) & (all->buckets - 1);
}

/* NULL: it has all that it may have, or memory is short. */
static struct peer *
peer_take(struct listeners *all, const uint8_t address[16])
{
	uint32_t bucket = bucket_of(all, address);
	struct peer *peer = all->bucket[bucket];

	while (peer != NULL && memcmp(peer->address, address, 16) != 0)
		peer = peer->next;
	if (peer == NULL) {
		peer = calloc(1, sizeof(*peer));
		if (peer == NULL)
			return NULL;
		memcpy(peer->address, address, 16);
		peer->bucket = bucket;
		peer->next = all->bucket[bucket];
		all->bucket[bucket] = peer;
	}
	if (peer->connections >=
	    all->worker->settings->max_connections_per_address)
		return NULL;
	peer->connections++;
	return peer;
}

static void
peer_give(struct listeners *all, struct peer *peer)
{
	struct peer **at;

	if (--peer->connections > 0)
		return;
	for (at = &all->bucket[peer->bucket]; *at != peer; at = &(*at)->next)
		continue;
	*at = peer->next;
	free(peer);
}

void
listen_forget(struct listeners *listeners, struct client *client)
{
	if (client->peer != NULL)
		peer_give(listeners, client->peer);
	client->peer = NULL;
}

static void
take(struct listeners *all, int fd, const struct sockaddr_storage *from,
    socklen_t from_len)
{
	static const int one = 1;
	struct worker *worker = all->worker;
	struct client *client;
	uint8_t address[16];
	struct peer *peer;

	seat_add(worker->shm, worker->seat, SEAT_ACCEPTED, 1);
	client_address(from, address);
	/* Closed without a word: TLS would cost more than the attacker's. */
	if (worker->client_count >= worker->settings->max_connections ||
	    (peer = peer_take(all, address)) == NULL) {
		close(fd);
		return;
	}
	client = client_new(worker, fd, address);
	if (client == NULL) {
		peer_give(all, peer);
		close(fd);
		return;
	}
	client->peer = peer;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)!front_add(worker->front, client, from, from_len);
}

static void
pause_accepting(struct listeners *all)
{
	for (uint32_t i = 0; i < all->count; i++)
		loop_unwatch(all->worker->loop, &all->listener[i].watch);
	loop_arm(all->worker->loop, &all->pause,
	    mono_add_ms(loop_now(all->worker->loop), PAUSE_MS));
	log_warning("accepting paused, out of descriptors or memory");
}

static void
ready(struct loop_watch *w, uint32_t events)
{
	struct listeners *all = ((struct listener *)w)->all;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd = accept4(w->fd, (struct sockaddr *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take(all, fd, &from, len);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			pause_accepting(all);
		/* Anything else was that connection's own end. */
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static bool
watch_all(struct listeners *all)
{
	for (uint32_t i = 0; i < all->count; i++)
		if (!loop_watch(all->worker->loop, &all->listener[i].watch,
		    EPOLLIN | EPOLLEXCLUSIVE)) {
			log_error("listening socket cannot be watched");
			return false;
		}
	return true;
}

static void
resume(struct loop_timer *t)
{
	watch_all((struct listeners *)((char *)t -
	    offsetof(struct listeners, pause)));
}

static uint32_t
buckets_for(uint32_t connections)
{
	uint32_t n = 64;

	while (n < connections && n < 65536)
		n *= 2;
	return n;
}

struct listeners *
listen_open(struct worker *worker)
{
	const struct heritage *h = worker->heritage;
	struct listeners *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->worker = worker;
	all->pause.fire = resume;
	bytes_random(&all->salt, sizeof(all->salt));
	all->buckets = buckets_for(worker->settings->max_connections);
	all->bucket = calloc(all->buckets, sizeof(struct peer *));
	all->count = h->listen_fds;
	for (uint32_t i = 0; i < all->count; i++) {
		all->listener[i].all = all;
		all->listener[i].watch.fd = h->listen_fd[i];
		all->listener[i].watch.ready = ready;
	}
	if (all->bucket == NULL || !watch_all(all))
		listen_close(&all);
	return all;
}

void
listen_stop(struct listeners *all)
{
	loop_disarm(all->worker->loop, &all->pause);
	for (uint32_t i = 0; i < all->count; i++) {
		loop_unwatch(all->worker->loop, &all->listener[i].watch);
		close(all->listener[i].watch.fd);
	}
	all->count = 0;
}

void
listen_close(struct listeners **listeners)
{
	if (*listeners == NULL)
		return;
	listen_stop(*listeners);
	free((*listeners)->bucket);
	free(*listeners);
	*listeners = NULL;
}

#include "flusher/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

struct name {
	struct name *next;
	char host[CHANNEL_HOST_BYTES];
	struct catalogue_address address[CHANNEL_ADDRESSES];
	uint32_t addresses;
	struct mono_time due;
	bool asked_for;		/* since the last sweep */
	bool complained;
};

struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct name *names;
	int event_fd;
	bool stopping;
};

static int
compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct catalogue_address));
}

static void
put_address(const struct sockaddr *sa, struct catalogue_address *to)
{
	memset(to, 0, sizeof(*to));
	if (sa->sa_family == AF_INET6) {
		memcpy(to->ip, &((const struct sockaddr_in6 *)
		    (const void *)sa)->sin6_addr, 16);
		return;
	}
	to->ip[10] = to->ip[11] = 0xff;
	memcpy(to->ip + 12, &((const struct sockaddr_in *)
	    (const void *)sa)->sin_addr, 4);
}

/* 0 on success, else what getaddrinfo() says. */
static int
ask(const char *host, int flags, struct catalogue_address *address_r,
    uint32_t *n_r)
{
	struct addrinfo hints = { .ai_flags = flags, .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM }, *list, *ai;
	int error = getaddrinfo(host, NULL, &hints, &list);
	uint32_t n = 0;

	*n_r = 0;
	if (error != 0)
		return error;
	for (ai = list; ai != NULL && n < CHANNEL_ADDRESSES; ai = ai->ai_next)
		if (ai->ai_family == AF_INET || ai->ai_family == AF_INET6)
			put_address(ai->ai_addr, &address_r[n++]);
	freeaddrinfo(list);
	/* Sorted, so that a name server that turns its answers round doesn't
	 * look like a change. */
	qsort(address_r, n, sizeof(*address_r), compare_addresses);
	*n_r = n;
	return n == 0 ? EAI_NONAME : 0;
}

static struct name *
find(struct resolver *r, const char *host)
{
	struct name *n;

	for (n = r->names; n != NULL; n = n->next)
		if (strcmp(n->host, host) == 0)
			return n;
	return NULL;
}

/* Takes in an answer; the name may have been forgotten meanwhile. */
static void
take(struct resolver *r, const char *host, int error,
    const struct catalogue_address *address, uint32_t addresses)
{
	struct name *n = find(r, host);
	uint64_t one = 1;

	if (n == NULL)
		return;
	if (error != 0) {
		if (!n->complained)
			log_warning("could not resolve a channel's host, its "
			    "former addresses are kept: host=%s known=%u "
			    "why=%s", host, n->addresses,
			    gai_strerror(error));
		n->complained = true;
		n->due = mono_add_ms(clock_mono(), RESOLVER_RETRY_MS);
		return;
	}
	n->complained = false;
	n->due = mono_add_ms(clock_mono(), RESOLVER_REFRESH_MS);
	if (n->addresses == addresses && memcmp(n->address, address,
	    addresses * sizeof(*address)) == 0)
		return;
	memcpy(n->address, address, addresses * sizeof(*address));
	n->addresses = addresses;
	if (write(r->event_fd, &one, sizeof(one)) != sizeof(one))
		log_warning("could not report a channel's new addresses: "
		    "host=%s", host);
}

static struct name *
earliest(struct resolver *r)
{
	struct name *n, *best = NULL;

	for (n = r->names; n != NULL; n = n->next)
		if (best == NULL || n->due.ns < best->due.ns)
			best = n;
	return best;
}

static void
release(struct resolver *r)
{
	struct name *n;

	while ((n = r->names) != NULL) {
		r->names = n->next;
		free(n);
	}
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void
wait_for(struct resolver *r, const struct name *n)
{
	struct timespec t;

	if (n == NULL) {
		pthread_cond_wait(&r->wake, &r->lock);
		return;
	}
	t.tv_sec = n->due.ns / 1000000000;
	t.tv_nsec = (long)(n->due.ns % 1000000000);
	pthread_cond_timedwait(&r->wake, &r->lock, &t);
}

static void *
run(void *arg)
{
	struct resolver *r = arg;
	struct catalogue_address address[CHANNEL_ADDRESSES];
	char host[CHANNEL_HOST_BYTES];
	struct name *n;
	uint32_t addresses;
	int error;

	pthread_mutex_lock(&r->lock);
	while (!r->stopping) {
		n = earliest(r);
		if (n == NULL || n->due.ns > clock_mono().ns) {
			wait_for(r, n);
			continue;
		}
		memcpy(host, n->host, sizeof(host));
		pthread_mutex_unlock(&r->lock);
		error = ask(host, 0, address, &addresses);
		pthread_mutex_lock(&r->lock);
		if (!r->stopping)
			take(r, host, error, address, addresses);
	}
	pthread_mutex_unlock(&r->lock);
	release(r);
	return NULL;
}

struct resolver *
resolver_start(int event_fd)
{
	struct resolver *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;
	pthread_t thread;

	if (r == NULL)
		return NULL;
	r->event_fd = event_fd;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&thread, NULL, run, r) != 0) {
		release(r);
		return NULL;
	}
	/* A name server that doesn't answer must not hold up the end. */
	pthread_detach(thread);
	return r;
}

void
resolver_stop(struct resolver **resolver)
{
	struct resolver *r = *resolver;

	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	*resolver = NULL;
}

uint32_t
resolver_look_up(struct resolver *r, const char *host,
    struct catalogue_address address_r[CHANNEL_ADDRESSES])
{
	struct name *n;
	uint32_t addresses;

	if (ask(host, AI_NUMERICHOST, address_r, &addresses) == 0)
		return addresses;
	pthread_mutex_lock(&r->lock);
	n = find(r, host);
	if (n == NULL && strlen(host) < sizeof(n->host) &&
	    (n = calloc(1, sizeof(*n))) != NULL) {
		memcpy(n->host, host, strlen(host) + 1);
		n->due = clock_mono();
		n->next = r->names;
		r->names = n;
		pthread_cond_signal(&r->wake);
	}
	addresses = 0;
	if (n != NULL) {
		n->asked_for = true;
		addresses = n->addresses;
		memcpy(address_r, n->address, addresses * sizeof(*address_r));
	}
	pthread_mutex_unlock(&r->lock);
	return addresses;
}

void
resolver_sweep(struct resolver *r)
{
	struct name **at, *n;

	pthread_mutex_lock(&r->lock);
	for (at = &r->names; (n = *at) != NULL; ) {
		if (n->asked_for) {
			n->asked_for = false;
			at = &n->next;
			continue;
		}
		*at = n->next;
		free(n);
	}
	pthread_mutex_unlock(&r->lock);
}

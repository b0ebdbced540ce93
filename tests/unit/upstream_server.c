#include "upstream_server.h"

#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t
get(struct peer *p, char *to, size_t len)
{
	if (p->fd < 0)
		return 0;
	return p->ssl != NULL ? SSL_read(p->ssl, to, (int)len) :
	    recv(p->fd, to, len, 0);
}

void
peer_send(struct peer *p, const char *data, size_t len)
{
	while (len > 0 && p->fd >= 0) {
		ssize_t n = p->ssl != NULL ?
		    SSL_write(p->ssl, data, (int)len) :
		    send(p->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

void
peer_say(struct peer *p, const char *text)
{
	peer_send(p, text, strlen(text));
}

bool
peer_head(struct peer *p)
{
	size_t len = 0;
	char *end, *field;

	p->first_read_bytes = 0;
	free(p->body);
	p->body = NULL;
	p->body_bytes = 0;
	do {
		ssize_t n = get(p, p->head + len, sizeof(p->head) - 1 - len);

		if (n <= 0)
			return false;
		if (len == 0)
			p->first_read_bytes = (size_t)n;
		len += (size_t)n;
		p->head[len] = '\0';
	} while ((end = strstr(p->head, "\r\n\r\n")) == NULL);
	end += 4;
	field = strcasestr(p->head, "\r\nContent-Length:");
	if (field != NULL && field < end) {
		size_t total = strtoul(field + 17, NULL, 10);
		size_t have = len - (size_t)(end - p->head);

		p->body = malloc(total + 1);
		if (have > total)
			have = total;
		memcpy(p->body, end, have);
		p->body_bytes = have;
		p->body[have] = '\0';
		*end = '\0';
	}
	return true;
}

bool
peer_request(struct peer *p)
{
	size_t total = 0;
	char *field;

	if (!peer_head(p))
		return false;
	field = strcasestr(p->head, "\r\nContent-Length:");
	if (field != NULL)
		total = strtoul(field + 17, NULL, 10);
	while (p->body_bytes < total) {
		ssize_t n = get(p, p->body + p->body_bytes,
		    total - p->body_bytes);

		if (n <= 0)
			return false;
		p->body_bytes += (size_t)n;
	}
	if (p->body != NULL)
		p->body[p->body_bytes] = '\0';
	atomic_fetch_add(&p->server->requests, 1);
	return true;
}

void
peer_cut(struct peer *p)
{
	shutdown(p->fd, SHUT_RDWR);
	p->fd = -1 - p->fd;
}

void
peer_reset(struct peer *p)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	p->fd = -1 - p->fd;
}

void
peer_wait(struct peer *p)
{
	sem_wait(&p->server->gate);
}

void
peer_tell(struct peer *p)
{
	sem_post(&p->server->news);
}

static bool
shake_hands(struct peer *p)
{
	if (p->server->ctx == NULL)
		return true;
	p->ssl = SSL_new(p->server->ctx);
	SSL_set_fd(p->ssl, p->fd);
	return SSL_accept(p->ssl) == 1;
}

static void *
run_peer(void *arg)
{
	struct peer *p = arg;
	char c;

	if (p->server->no_handshake)
		while (recv(p->fd, &c, 1, 0) > 0)
			continue;
	else if (shake_hands(p))
		p->server->serve(p);
	if (p->ssl != NULL) {
		if (p->fd >= 0)
			SSL_shutdown(p->ssl);
		SSL_free(p->ssl);
	}
	/* server_stop() may still want to cut it: closed there. */
	if (p->fd < 0) {
		close(-1 - p->fd);
		p->fd = -1;
	} else {
		shutdown(p->fd, SHUT_WR);
	}
	free(p->body);
	atomic_store(&p->over, true);
	return NULL;
}

void
server_wait_over(struct server *s, int nth)
{
	while (!atomic_load(&s->peer[nth].over))
		usleep(1000);
}

static void *
run_listener(void *arg)
{
	struct server *s = arg;
	int fd, one = 1;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		int nth = atomic_load(&s->connections);
		struct peer *p = &s->peer[nth];

		if (nth == SERVER_PEERS)
			abort();
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		p->server = s;
		p->fd = fd;
		p->nth = nth;
		/* First: a test may look as soon as it has the answer. */
		atomic_fetch_add(&s->connections, 1);
		if (pthread_create(&p->thread, NULL, run_peer, p) != 0)
			abort();
	}
	return NULL;
}

void
server_start(struct server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	sigset_t pipe, before;

	sem_init(&s->gate, 0, 0);
	sem_init(&s->news, 0, 0);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(s->listener, (struct sockaddr *)&in, len), 0);
	ck_assert_int_eq(listen(s->listener, 16), 0);
	getsockname(s->listener, (struct sockaddr *)&in, &len);
	s->port = ntohs(in.sin_port);
	/* For these threads only: the client's own care is under test. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, run_listener, s), 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
server_stop(struct server *s)
{
	int n;

	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	n = atomic_load(&s->connections);
	for (int i = 0; i < n; i++)
		sem_post(&s->gate);
	for (int i = 0; i < n; i++) {
		if (s->peer[i].fd >= 0)
			shutdown(s->peer[i].fd, SHUT_RDWR);
		pthread_join(s->peer[i].thread, NULL);
		if (s->peer[i].fd >= 0)
			close(s->peer[i].fd);
	}
	sem_destroy(&s->gate);
	sem_destroy(&s->news);
}

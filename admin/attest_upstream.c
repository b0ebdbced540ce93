#include "admin/attest_upstream.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin/attest_answer.h"
#include "base/base64.h"
#include "base/bytes.h"

#define CONNECTIONS_MAX 64
#define REQUEST_MAX_BYTES (UINT32_C(4) << 20)
#define READ_BYTES 65536
#define PATIENCE_S 5
#define COPIES_MIN 4
/* A stream leaves in pieces of so many bytes, which cut canaries apart. */
#define PIECE_BYTES 333
#define PIECE_PAUSE_NS 500000

struct connection {
	int fd;			/* -1: none */
	SSL *ssl;
	struct buf in;
};

struct server {
	int listen_fd;
	SSL_CTX *ctx;
	const struct canaries *canaries;
	struct connection connection[CONNECTIONS_MAX];
};

bool
canary_text(struct buf *b, const char *canary, size_t bytes)
{
	char escaped[CANARY_FORM_BYTES];
	char encoded[BASE64_TEXT_BYTES(CANARY_MAX_BYTES)];
	size_t until = b->len + bytes;

	(void)canary_form(canary, FORM_JSON, escaped);
	base64_encode(canary, strlen(canary), encoded);
	if (!buf_printf(b, "%s %s", encoded, escaped))
		return false;
	for (int n = 0; n < COPIES_MIN || b->len < until; n++)
		if (!buf_printf(b, " %s", canary))
			return false;
	return true;
}

static bool
send_all(struct connection *c, const char *p, size_t len)
{
	return SSL_write(c->ssl, p, (int)len) == (int)len;
}

/* Chunked, each chunk by itself. */
static bool
send_chunks(struct connection *c, const char *p, size_t len)
{
	const struct timespec pause = { 0, PIECE_PAUSE_NS };
	char line[24];
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = len < PIECE_BYTES ? len : PIECE_BYTES;
		snprintf(line, sizeof(line), "%zx\r\n", n);
		if (!send_all(c, line, strlen(line)) ||
		    !send_all(c, p, n) || !send_all(c, "\r\n", 2))
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* False: the connection is to be closed. */
static bool
say(struct connection *c, struct attest_answer *a)
{
	struct buf head;
	bool ok;

	if (a->silent)
		return true;
	buf_init(&head, 4096);
	ok = buf_printf(&head, "HTTP/1.1 %d Attest\r\nContent-Type: %s\r\n"
	    "X-Attest: %s\r\n", a->status, a->streamed ?
	    "text/event-stream" : "application/json", a->canary) &&
	    (a->streamed ?
	    buf_printf(&head, "Transfer-Encoding: chunked\r\n\r\n") :
	    buf_printf(&head, "Content-Length: %zu\r\n\r\n", a->body.len)) &&
	    send_all(c, buf_head(&head), head.len);
	if (ok && a->streamed)
		ok = send_chunks(c, buf_head(&a->body), a->body.len) &&
		    (!a->ends || send_all(c, "0\r\n\r\n", 5));
	else if (ok)
		ok = send_all(c, buf_head(&a->body), a->body.len);
	buf_free(&head);
	return ok && !a->closes;
}

static int
path_of(const struct server *s, const struct buf *request)
{
	for (int i = 0; i < CANARY_PATHS; i++) {
		const char *text = s->canaries->text[canary_of(
		    (enum canary_path)i, PLACE_PROMPT)];

		if (memmem(buf_head(request), request->len, text,
		    CANARY_BYTES) != NULL)
			return i;
	}
	return -1;
}

/* The bytes of the request that the buffer begins with; 0: not all there. */
static size_t
request_bytes(const struct buf *in)
{
	static const char name[] = "\r\ncontent-length:";
	const char *p = buf_head(in), *end, *q;
	size_t head;

	end = memmem(p, in->len, "\r\n\r\n", 4);
	if (end == NULL)
		return 0;
	head = (size_t)(end - p) + 4;
	for (q = p; q < end; q++)
		if (strncasecmp(q, name, sizeof(name) - 1) == 0) {
			head += strtoul(q + sizeof(name) - 1, NULL, 10);
			break;
		}
	return in->len >= head ? head : 0;
}

static bool
answer(const struct server *s, struct connection *c)
{
	int path = path_of(s, &c->in);
	struct attest_answer a;
	bool ok;

	if (path < 0)
		return false;
	ok = attest_answer_make(&a, s->canaries, (enum canary_path)path) &&
	    say(c, &a);
	attest_answer_free(&a);
	return ok;
}

static void
end(struct connection *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	c->fd = -1;
	buf_free(&c->in);
}

/* False: it is over. */
static bool
take(const struct server *s, struct connection *c)
{
	char *room = buf_room(&c->in, READ_BYTES);
	int n = room == NULL ? 0 : SSL_read(c->ssl, room, READ_BYTES);
	size_t whole;

	if (n <= 0)
		return false;
	buf_added(&c->in, (size_t)n);
	whole = request_bytes(&c->in);
	if (whole == 0)
		return true;
	if (!answer(s, c))
		return false;
	buf_consume(&c->in, whole);
	return true;
}

static void
take_all(const struct server *s, struct connection *c)
{
	do {
		if (!take(s, c)) {
			end(c);
			return;
		}
	} while (SSL_pending(c->ssl) > 0);
}

/* Nobody is waited for longer than that. */
static SSL *
shake_hands(const struct server *s, int fd)
{
	const struct timeval patience = { PATIENCE_S, 0 };
	SSL *ssl = SSL_new(s->ctx);

	if (ssl != NULL && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience)) == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO,
	    &patience, sizeof(patience)) == 0 && SSL_set_fd(ssl, fd) == 1 &&
	    SSL_accept(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static void
admit(struct server *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC), i = 0;
	SSL *ssl;

	if (fd < 0)
		return;
	while (i < CONNECTIONS_MAX && s->connection[i].fd >= 0)
		i++;
	ssl = i < CONNECTIONS_MAX ? shake_hands(s, fd) : NULL;
	if (ssl == NULL) {
		close(fd);
		return;
	}
	s->connection[i].fd = fd;
	s->connection[i].ssl = ssl;
	buf_init(&s->connection[i].in, REQUEST_MAX_BYTES);
}

static void
serve(struct server *s)
{
	struct pollfd poll_fd[CONNECTIONS_MAX + 1];

	for (int i = 0; i < CONNECTIONS_MAX; i++)
		s->connection[i].fd = -1;
	for (;;) {
		for (int i = 0; i < CONNECTIONS_MAX; i++)
			poll_fd[i] = (struct pollfd){ s->connection[i].fd,
				POLLIN, 0 };
		poll_fd[CONNECTIONS_MAX] = (struct pollfd){ s->listen_fd,
			POLLIN, 0 };
		if (poll(poll_fd, CONNECTIONS_MAX + 1, -1) < 0)
			continue;
		for (int i = 0; i < CONNECTIONS_MAX; i++)
			if (poll_fd[i].revents != 0)
				take_all(s, &s->connection[i]);
		if (poll_fd[CONNECTIONS_MAX].revents != 0)
			admit(s);
	}
}

static int
listen_somewhere(int *port_r)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port_r = ntohs(a.sin_port);
	return fd;
}

bool
attest_upstream_start(struct attest_upstream *u,
    const struct canaries *canaries)
{
	pid_t parent = getpid();
	struct server *s;

	u->pid = 0;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return false;
	s->canaries = canaries;
	s->ctx = attest_certificate_make(u->ca);
	s->listen_fd = s->ctx != NULL ? listen_somewhere(&u->port) : -1;
	if (s->listen_fd >= 0) {
		fflush(NULL);
		u->pid = fork();
		if (u->pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			signal(SIGPIPE, SIG_IGN);
			if (getppid() == parent)
				serve(s);
			_exit(1);
		}
		close(s->listen_fd);
	}
	SSL_CTX_free(s->ctx);
	free(s);
	return u->pid > 0;
}

void
attest_upstream_stop(struct attest_upstream *u)
{
	if (u->pid <= 0)
		return;
	kill(u->pid, SIGKILL);
	while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	u->pid = 0;
}

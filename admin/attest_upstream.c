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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin/attest_answer.h"
#include "base/base64.h"
#include "base/bytes.h"

#define CONNECTIONS_MAX 64
#define REQUEST_MAX_BYTES (UINT32_C(4) << 20)
#define READ_BYTES 65536
#define COPIES_MIN 4
/* A stream leaves in pieces of so many bytes, which cut canaries apart. */
#define PIECE_BYTES 333
#define PIECE_PAUSE_NS 500000

struct connection {
	int fd;			/* -1: none */
	struct buf in;
};

struct server {
	int listen_fd;
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
send_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Chunked, each chunk by itself. */
static bool
send_chunks(int fd, const char *p, size_t len)
{
	const struct timespec pause = { 0, PIECE_PAUSE_NS };
	char line[24];
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = len < PIECE_BYTES ? len : PIECE_BYTES;
		snprintf(line, sizeof(line), "%zx\r\n", n);
		if (!send_all(fd, line, strlen(line)) ||
		    !send_all(fd, p, n) || !send_all(fd, "\r\n", 2))
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* False: the connection is to be closed. */
static bool
say(int fd, struct attest_answer *a)
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
	    send_all(fd, buf_head(&head), head.len);
	if (ok && a->streamed)
		ok = send_chunks(fd, buf_head(&a->body), a->body.len) &&
		    (!a->ends || send_all(fd, "0\r\n\r\n", 5));
	else if (ok)
		ok = send_all(fd, buf_head(&a->body), a->body.len);
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
	    say(c->fd, &a);
	attest_answer_free(&a);
	return ok;
}

static void
end(struct connection *c)
{
	close(c->fd);
	c->fd = -1;
	buf_free(&c->in);
}

static void
take(const struct server *s, struct connection *c)
{
	char *room = buf_room(&c->in, READ_BYTES);
	ssize_t n = room == NULL ? 0 : recv(c->fd, room, READ_BYTES, 0);
	size_t whole;

	if (n <= 0) {
		end(c);
		return;
	}
	buf_added(&c->in, (size_t)n);
	whole = request_bytes(&c->in);
	if (whole == 0)
		return;
	if (answer(s, c))
		buf_consume(&c->in, whole);
	else
		end(c);
}

static void
admit(struct server *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; fd >= 0 && i < CONNECTIONS_MAX; i++)
		if (s->connection[i].fd < 0) {
			s->connection[i].fd = fd;
			buf_init(&s->connection[i].in, REQUEST_MAX_BYTES);
			return;
		}
	if (fd >= 0)
		close(fd);
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
				take(s, &s->connection[i]);
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
	s->listen_fd = listen_somewhere(&u->port);
	if (s->listen_fd >= 0) {
		fflush(NULL);
		u->pid = fork();
		if (u->pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() == parent)
				serve(s);
			_exit(1);
		}
		close(s->listen_fd);
	}
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

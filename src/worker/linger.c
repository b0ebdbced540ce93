#include "worker/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/loop.h"
#include "worker/context.h"

#define LINGER_MAX 256
#define LINGER_MS 2000
#define LINGER_BYTES (4u << 20)
#define LINGER_READ_BYTES 16384

struct lingerer {
	struct loop_watch watch;	/* first: see ready() */
	struct loop_timer timer;
	struct lingering *home;
	struct lingerer *next, *prev;
	size_t left_bytes;
	struct buf out;			/* the end of the answer */
};

struct lingering {
	struct loop *loop;
	struct lingerer *all;
	size_t count;
	char waste[LINGER_READ_BYTES];
};

static void
end(struct lingerer *l)
{
	struct lingering *home = l->home;

	loop_disarm(home->loop, &l->timer);
	loop_unwatch(home->loop, &l->watch);
	close(l->watch.fd);
	buf_free(&l->out);
	if (l->prev != NULL)
		l->prev->next = l->next;
	else
		home->all = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	home->count--;
	free(l);
}

/* Our side ends when all is said. */
static bool
send_rest(struct lingerer *l)
{
	ssize_t n;

	if (l->out.len > 0) {
		n = send(l->watch.fd, buf_head(&l->out), l->out.len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		buf_consume(&l->out, (size_t)n);
		if (l->out.len > 0)
			return true;
	}
	shutdown(l->watch.fd, SHUT_WR);
	return loop_change(l->home->loop, &l->watch, EPOLLIN | EPOLLRDHUP);
}

static void
ready(struct loop_watch *w, uint32_t events)
{
	struct lingerer *l = (struct lingerer *)w;
	ssize_t n;

	if ((events & EPOLLOUT) && !send_rest(l)) {
		end(l);
		return;
	}
	if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
		return;
	n = recv(w->fd, l->home->waste, sizeof(l->home->waste), MSG_DONTWAIT);
	if (n > 0) {
		bytes_scrub(l->home->waste, (size_t)n);
		if ((size_t)n < l->left_bytes) {
			l->left_bytes -= (size_t)n;
			return;
		}
	} else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	end(l);
}

static void
late(struct loop_timer *t)
{
	end((struct lingerer *)((char *)t - offsetof(struct lingerer, timer)));
}

struct lingering *
linger_open(struct worker *worker)
{
	struct lingering *linger = calloc(1, sizeof(*linger));

	if (linger != NULL)
		linger->loop = worker->loop;
	return linger;
}

void
linger_close(struct lingering **linger)
{
	if (*linger == NULL)
		return;
	while ((*linger)->all != NULL)
		end((*linger)->all);
	free(*linger);
	*linger = NULL;
}

void
linger_on(struct lingering *linger, int fd, const char *bytes, size_t len)
{
	struct lingerer *l;

	/* Under attack a reset is good enough. */
	if (linger->count >= LINGER_MAX)
		return;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return;
	l->watch.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (l->watch.fd < 0) {
		free(l);
		return;
	}
	l->home = linger;
	buf_init(&l->out, len);
	l->left_bytes = LINGER_BYTES;
	l->watch.ready = ready;
	l->timer.fire = late;
	/* Writable at first as a rule, so that its side ends in the next turn. */
	if (!buf_append(&l->out, bytes, len) || !loop_watch(linger->loop,
	    &l->watch, EPOLLIN | EPOLLRDHUP | EPOLLOUT)) {
		close(l->watch.fd);
		buf_free(&l->out);
		free(l);
		return;
	}
	l->next = linger->all;
	if (l->next != NULL)
		l->next->prev = l;
	linger->all = l;
	linger->count++;
	loop_arm(linger->loop, &l->timer,
	    mono_add_ms(loop_now(linger->loop), LINGER_MS));
}

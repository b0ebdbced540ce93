#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH_EVENTS 256

struct loop {
	int epfd;
	struct mono_time now;
	struct loop_timer **heap;	/* the earliest first */
	size_t timers;
	size_t heap_cap;
	/* What epoll_wait() gave and has not been delivered yet. */
	struct epoll_event batch[BATCH_EVENTS];
	int batch_len;
	int batch_next;
};

struct loop *
loop_open(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epfd < 0) {
		free(loop);
		return NULL;
	}
	loop->now = clock_mono();
	return loop;
}

void
loop_close(struct loop **loop)
{
	if (*loop == NULL)
		return;
	close((*loop)->epfd);
	free((*loop)->heap);
	free(*loop);
	*loop = NULL;
}

int
loop_fd(const struct loop *loop)
{
	return loop->epfd;
}

bool
loop_watch(struct loop *loop, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	assert(!w->active);
	if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, w->fd, &ev) != 0)
		return false;
	w->active = true;
	return true;
}

bool
loop_change(struct loop *loop, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	assert(w->active);
	return epoll_ctl(loop->epfd, EPOLL_CTL_MOD, w->fd, &ev) == 0;
}

void
loop_unwatch(struct loop *loop, struct loop_watch *w)
{
	if (!w->active)
		return;
	w->active = false;
	if (epoll_ctl(loop->epfd, EPOLL_CTL_DEL, w->fd, NULL) != 0)
		/* Closed before it was unwatched: the fd may be another's. */
		assert(errno != EBADF && errno != ENOENT);
	for (int i = loop->batch_next; i < loop->batch_len; i++)
		if (loop->batch[i].data.ptr == w)
			loop->batch[i].data.ptr = NULL;
}

static bool
earlier(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due.ns < b->due.ns;
}

static void
put(struct loop *loop, size_t i, struct loop_timer *t)
{
	loop->heap[i] = t;
	t->place = i + 1;
}

static void
sift_up(struct loop *loop, size_t i, struct loop_timer *t)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (!earlier(t, loop->heap[parent]))
			break;
		put(loop, i, loop->heap[parent]);
		i = parent;
	}
	put(loop, i, t);
}

static void
sift_down(struct loop *loop, size_t i, struct loop_timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= loop->timers)
			break;
		if (child + 1 < loop->timers &&
		    earlier(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!earlier(loop->heap[child], t))
			break;
		put(loop, i, loop->heap[child]);
		i = child;
	}
	put(loop, i, t);
}

static void
settle(struct loop *loop, size_t i, struct loop_timer *t)
{
	if (i > 0 && earlier(t, loop->heap[(i - 1) / 2]))
		sift_up(loop, i, t);
	else
		sift_down(loop, i, t);
}

void
loop_arm(struct loop *loop, struct loop_timer *t, struct mono_time due)
{
	t->due = due;
	if (t->place != 0) {
		settle(loop, t->place - 1, t);
		return;
	}
	if (loop->timers == loop->heap_cap) {
		size_t cap = loop->heap_cap > 0 ? 2 * loop->heap_cap : 64;
		struct loop_timer **heap;

		heap = realloc(loop->heap, cap * sizeof(*heap));
		/* A deadline that is silently lost would hang a call. */
		if (heap == NULL)
			abort();
		loop->heap = heap;
		loop->heap_cap = cap;
	}
	loop->timers++;
	sift_up(loop, loop->timers - 1, t);
}

void
loop_disarm(struct loop *loop, struct loop_timer *t)
{
	struct loop_timer *last;
	size_t i;

	if (t->place == 0)
		return;
	i = t->place - 1;
	assert(i < loop->timers && loop->heap[i] == t);
	t->place = 0;
	last = loop->heap[--loop->timers];
	if (last != t)
		settle(loop, i, last);
}

struct mono_time
loop_now(const struct loop *loop)
{
	return loop->now;
}

static int
wait_ms(const struct loop *loop, int max_wait_ms)
{
	int64_t ns, ms;

	if (loop->timers == 0)
		return max_wait_ms;
	ns = loop->heap[0]->due.ns - clock_mono().ns;
	/* Rounded up, or the last millisecond would be spent spinning. */
	ms = ns <= 0 ? 0 : (ns - 1) / 1000000 + 1;
	if (max_wait_ms >= 0 && ms > max_wait_ms)
		return max_wait_ms;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* A timer that re-arms itself for now waits for the next turn. */
static void
fire_due(struct loop *loop)
{
	size_t budget = loop->timers;

	while (budget-- > 0 && loop->timers > 0 &&
	    loop->heap[0]->due.ns <= loop->now.ns) {
		struct loop_timer *t = loop->heap[0];

		loop_disarm(loop, t);
		t->fire(t);
	}
}

void
loop_turn(struct loop *loop, int max_wait_ms)
{
	int n;

	n = epoll_wait(loop->epfd, loop->batch, BATCH_EVENTS,
	    wait_ms(loop, max_wait_ms));
	loop->now = clock_mono();
	if (n < 0) {
		assert(errno == EINTR);
		n = 0;
	}
	loop->batch_len = n;
	loop->batch_next = 0;
	while (loop->batch_next < loop->batch_len) {
		struct epoll_event *ev = &loop->batch[loop->batch_next++];
		struct loop_watch *w = ev->data.ptr;

		if (w != NULL)
			w->ready(w, ev->events);
	}
	loop->batch_len = loop->batch_next = 0;
	fire_due(loop);
}

#include "worker/durable.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "shm/ring.h"
#include "shm/segment.h"
#include "worker/call.h"
#include "worker/context.h"

#define WARN_EVERY_MS 10000

struct durable {
	struct loop_watch watch;	/* first: see ready() */
	struct loop_timer timer;	/* for the one that waits longest */
	struct worker *worker;
	struct call *first, *last;	/* in the order of the ring */
	struct mono_time may_warn;
	bool poke;
};

void
durable_forget(struct call *call)
{
	struct durable *d = call->worker->durable;

	if (!call->awaits)
		return;
	call->awaits = false;
	if (call->wait_prev != NULL)
		call->wait_prev->wait_next = call->wait_next;
	else
		d->first = call->wait_next;
	if (call->wait_next != NULL)
		call->wait_next->wait_prev = call->wait_prev;
	else
		d->last = call->wait_prev;
}

/* The client must not take what it has for the whole. */
static void
give_up(struct durable *d, struct call *call)
{
	struct mono_time now = loop_now(d->worker->loop);

	if (now.ns >= d->may_warn.ns) {
		d->may_warn = mono_add_ms(now, WARN_EVERY_MS);
		log_warning("answers are broken off before their last byte, "
		    "because their records are not on the disk; the calls "
		    "stay charged");
	}
	durable_forget(call);
	call->unrecorded = true;
	call_wake(call);
}

static void
sweep(struct durable *d)
{
	struct worker *w = d->worker;
	uint64_t tail = ring_tail(w->shm, w->seat);
	bool failed = (shm_stops(w->shm) & SHM_STOP_JOURNAL) != 0;
	struct mono_time now = loop_now(w->loop);
	struct call *call;

	while ((call = d->first) != NULL) {
		if (call->record_end <= tail) {
			durable_forget(call);
			call_wake(call);
		} else if (failed || call->wait_until.ns <= now.ns)
			give_up(d, call);
		else
			break;
	}
	if (d->first == NULL)
		loop_disarm(w->loop, &d->timer);
	else
		loop_arm(w->loop, &d->timer, d->first->wait_until);
}

static void
ready(struct loop_watch *watch, uint32_t events)
{
	uint64_t n;

	(void)events;
	/* Before looking: what is written from here on wakes us again. */
	if (read(watch->fd, &n, sizeof(n)) == (ssize_t)sizeof(n))
		sweep((struct durable *)watch);
}

static void
fire(struct loop_timer *t)
{
	sweep((struct durable *)((char *)t - offsetof(struct durable,
	    timer)));
}

bool
durable_open(struct worker *worker)
{
	const struct heritage *h = worker->heritage;
	struct durable *d;

	if (h->seat_fds == 0)
		return true;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return false;
	d->worker = worker;
	d->watch.fd = h->seat_fd[worker->seat];
	d->watch.ready = ready;
	d->timer.fire = fire;
	worker->durable = d;
	return loop_watch(worker->loop, &d->watch, EPOLLIN);
}

void
durable_close(struct worker *worker)
{
	struct durable *d = worker->durable;

	if (d == NULL)
		return;
	loop_disarm(worker->loop, &d->timer);
	if (d->watch.active)
		loop_unwatch(worker->loop, &d->watch);
	free(d);
	worker->durable = NULL;
}

void
durable_await(struct call *call)
{
	struct worker *w = call->worker;
	struct durable *d = w->durable;

	if (d == NULL || call->client == NULL)
		return;
	call->record_end = ring_head(w->shm, w->seat);
	call->wait_until = mono_add_ms(loop_now(w->loop),
	    w->settings->strict_timeout_ms);
	call->awaits = true;
	call->wait_next = NULL;
	call->wait_prev = d->last;
	if (d->last != NULL)
		d->last->wait_next = call;
	else {
		d->first = call;
		loop_arm(w->loop, &d->timer, call->wait_until);
	}
	d->last = call;
	/* It failed before: nobody will wake us any more. */
	if ((shm_stops(w->shm) & SHM_STOP_JOURNAL) != 0)
		loop_arm(w->loop, &d->timer, loop_now(w->loop));
	d->poke = true;
}

void
durable_poke(struct worker *worker)
{
	static const uint64_t one = 1;
	struct durable *d = worker->durable;

	if (d == NULL || !d->poke)
		return;
	d->poke = false;
	/* A counter that is full wakes as well. */
	if (write(worker->heritage->flusher_fd, &one, sizeof(one)) < 0 &&
	    errno != EAGAIN)
		log_warning("the flusher cannot be woken");
}

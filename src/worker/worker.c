#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/secret.h"
#include "conf/heritage.h"
#include "sandbox/sandbox.h"
#include "shm/hold.h"
#include "shm/seat.h"
#include "upstream/endpoint.h"
#include "upstream/trust.h"
#include "worker/attempt.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"
#include "worker/cut.h"
#include "worker/durable.h"
#include "worker/front.h"
#include "worker/linger.h"
#include "worker/listen.h"
#include "worker/park.h"
#include "worker/portal.h"
#include "worker/relay.h"
#include "worker/tls_io.h"

/* The longest sleep: how often an idle worker shows that it lives. */
#define BEAT_MS 500
#define BEAT_DRAINING_MS 20
/* A connection that was accepted just before draining began has this long to
 * send its first request: it would be served elsewhere if we had not taken it
 * from the queue. */
#define DRAIN_NEW_MS 2000
/* Turns given to connections that were cut off to be cleaned up. */
#define LAST_TURNS 200

/* What only the process itself has; the rooms see the worker in it. */
struct process {
	struct worker worker;
	struct loop_watch signals;
	struct loop_watch parent;
	bool stop;
	struct mono_time last_new;	/* draining: for first requests */
	struct mono_time last_call;	/* when draining ends anyway */
};

static void
signal_ready(struct loop_watch *w, uint32_t events)
{
	struct process *p = (struct process *)((char *)w -
	    offsetof(struct process, signals));
	struct signalfd_siginfo info;

	(void)events;
	while (read(w->fd, &info, sizeof(info)) == sizeof(info))
		p->stop = true;
}

/* Nothing is ever written there: it is the end of the master. */
static void
parent_ready(struct loop_watch *w, uint32_t events)
{
	struct process *p = (struct process *)((char *)w -
	    offsetof(struct process, parent));

	(void)events;
	loop_unwatch(p->worker.loop, w);
	log_warning("the master is gone, ending");
	p->stop = true;
}

/*
 * The terminal's signals are the master's to act on.  SIGTERM is a descriptor
 * among others, so that nothing ever runs in a handler.
 */
static bool
watch_signals(struct process *p)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
		return false;
	p->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	p->signals.ready = signal_ready;
	return p->signals.fd >= 0 &&
	    loop_watch(p->worker.loop, &p->signals, EPOLLIN);
}

static bool
watch_parent(struct process *p)
{
	p->parent.fd = p->worker.heritage->parent_fd;
	p->parent.ready = parent_ready;
	return loop_watch(p->worker.loop, &p->parent, EPOLLIN | EPOLLRDHUP);
}

/* All that is ever opened is open: the rest is sockets. */
static bool
confine(const struct worker *w)
{
	struct sandbox_plan plan = { .role = SANDBOX_WORKER };
	bool require = w->settings->sandbox == SANDBOX_SETTING_REQUIRE;
	char text[SANDBOX_TEXT_BYTES];
	uint32_t parts, missing;

	if (w->settings->sandbox == SANDBOX_SETTING_OFF)
		return true;
#ifdef WITH_SANITIZERS
	plan.sanitizers = !require;
#endif
	parts = sandbox_enter(&plan);
	seat_set(w->shm, w->seat, SEAT_SANDBOX, parts);
	missing = sandbox_wanted(SANDBOX_WORKER) & ~parts;
	if (missing == 0)
		return true;
	sandbox_text(missing, text);
	if (require) {
		log_error("the worker is not confined: missing=%s", text);
		return false;
	}
	log_warning("the worker is not fully confined: missing=%s", text);
	return true;
}

/* The same in all workers and over restarts, and nobody else's to know. */
static void
seed_affinity(struct worker *w)
{
	static const char label[] = "channel affinity";
	uint8_t digest[KEY_DIGEST_BYTES];

	key_hasher_digest(w->hasher, label, sizeof(label) - 1, digest);
	memcpy(&w->affinity_seed, digest, sizeof(w->affinity_seed));
	bytes_scrub(digest, sizeof(digest));
}

static bool
set_up(struct process *p)
{
	struct worker *w = &p->worker;

	w->loop = loop_open();
	if (w->loop == NULL || !watch_signals(p) || !watch_parent(p))
		return false;
	w->book = hold_book_open(w->shm, w->seat);
	w->retry_allowance = retry_start(w->settings->retry_percent);
	w->hasher = key_hasher_open(&w->heritage->secrets);
	w->trust = upstream_trust_load();
	w->upstreams = upstream_client_open(w->loop, w->trust);
	w->linger = linger_open(w);
	w->parking = park_open(w);
	if (w->hasher != NULL)
		seed_affinity(w);
	if (!durable_open(w))
		return false;
	if (w->book == NULL || w->hasher == NULL || w->trust == NULL ||
	    w->upstreams == NULL || w->linger == NULL || w->parking == NULL)
		return false;
	w->portal = portal_link_open(w);
	if (w->portal == NULL)
		return false;
	view_refresh(&w->view, w->shm, &w->heritage->secrets, w->settings,
	    w->upstreams);
	w->front = front_open(w);
	if (w->front == NULL)
		return false;
	w->listeners = listen_open(w);
	return w->listeners != NULL;
}

static void
tear_down(struct process *p)
{
	struct worker *w = &p->worker;

	front_close(&w->front);
	listen_close(&w->listeners);
	linger_close(&w->linger);
	durable_close(w);
	park_close(&w->parking);
	call_free_all(w);
	tls_io_free_blocks(w);
	view_free(&w->view);
	portal_link_close(&w->portal);
	if (w->upstreams != NULL)
		upstream_client_close(&w->upstreams);
	if (w->trust != NULL)
		upstream_trust_free(&w->trust);
	if (w->hasher != NULL)
		key_hasher_close(&w->hasher);
	if (w->book != NULL)
		hold_book_close(&w->book);
	if (w->loop == NULL)
		return;
	loop_unwatch(w->loop, &p->parent);
	loop_unwatch(w->loop, &p->signals);
	if (p->signals.fd > 0)
		close(p->signals.fd);
	loop_close(&w->loop);
}

static void
beat(struct worker *w)
{
	const struct upstream_stats *stats = upstream_client_stats(
	    w->upstreams);

	seat_set(w->shm, w->seat, SEAT_BEAT_NS,
	    (uint64_t)loop_now(w->loop).ns);
	seat_set(w->shm, w->seat, SEAT_UPSTREAM_CONNECTS, stats->connects);
	seat_set(w->shm, w->seat, SEAT_UPSTREAM_RESUMED, stats->resumed);
}

static bool
turn(struct process *p, bool again, int wait_ms)
{
	struct worker *w = &p->worker;

	loop_turn(w->loop, again ? 0 : wait_ms);
	/* The disk works while the answers' beginnings leave. */
	durable_poke(w);
	/* Before the requests of this turn, which see the newest prices. */
	view_refresh(&w->view, w->shm, &w->heritage->secrets, w->settings,
	    w->upstreams);
	cut_look(w);
	again = front_run(w->front);
	durable_poke(w);
	beat(w);
	return again;
}

static void
begin_draining(struct process *p)
{
	struct worker *w = &p->worker;

	w->draining = true;
	listen_stop(w->listeners);
	p->last_new = mono_add_ms(loop_now(w->loop), DRAIN_NEW_MS);
	p->last_call = mono_add_ms(loop_now(w->loop),
	    w->settings->shutdown_timeout_ms);
	log_info("draining connections=%zu calls=%zu", w->client_count,
	    w->call_count);
}

/* Settles what is open, as far as it came. */
static void
abort_all(struct process *p)
{
	struct worker *w = &p->worker;
	struct call *call, *next;

	w->aborting = true;
	if (w->call_count > 0)
		log_notice("calls broken off after shutdown_timeout calls=%zu",
		    w->call_count);
	for (call = w->calls; call != NULL; call = next) {
		next = call->next;
		relay_abort(call);
	}
	for (int i = 0; i < LAST_TURNS && w->client_count > 0; i++) {
		front_cut_all(w->front);
		turn(p, true, 0);
	}
}

static void
serve(struct process *p)
{
	struct worker *w = &p->worker;
	bool again = false;

	while (!p->stop)
		again = turn(p, again, BEAT_MS);
	begin_draining(p);
	while (w->client_count > 0 || w->call_count > 0) {
		front_close_idle(w->front,
		    loop_now(w->loop).ns >= p->last_new.ns);
		again = turn(p, again, BEAT_DRAINING_MS);
		if (loop_now(w->loop).ns >= p->last_call.ns) {
			abort_all(p);
			break;
		}
	}
}

int
worker_main(const struct heritage *heritage)
{
	struct process *p;
	int status = EXIT_FAILURE;

	seat_occupy(heritage->shm, heritage->seat, getpid());
	seat_set(heritage->shm, heritage->seat, SEAT_SEALS,
	    secrets_seal_ids(&heritage->secrets));
	log_set_program("worker");
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return EXIT_FAILURE;
	p->worker.heritage = heritage;
	p->worker.settings = heritage->settings;
	p->worker.shm = heritage->shm;
	p->worker.seat = heritage->seat;
	if (!set_up(p))
		log_error("worker cannot start: %s", strerror(errno));
	else if (confine(&p->worker)) {
		log_info("serving seat=%u", (unsigned)heritage->seat);
		serve(p);
		status = EXIT_SUCCESS;
	}
	tear_down(p);
	free(p);
	return status;
}

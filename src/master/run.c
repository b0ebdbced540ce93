#include "master/run.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "master/child.h"
#include "master/master.h"
#include "master/postgres.h"
#include "master/reload.h"
#include "shm/seat.h"
#include "shm/segment.h"

/* While something is awaited, and else. */
#define TICK_BUSY_MS 50
#define TICK_MS 500
/* The flusher starts without the database after that, and waits itself. */
#define POSTGRES_WAIT_MS 15000
/* Without a flusher for so long, new calls are refused. */
#define FLUSHER_AWAY_MS 3000
/* What a worker may take beyond shutdown_timeout before it is killed. */
#define WORKER_GRACE_MS 5000
#define PORTAL_PATIENCE_MS 3000
/* A mail that is being handed over has three seconds. */
#define MAILER_PATIENCE_MS 5000
#define FLUSHER_PATIENCE_MS 60000
#define POSTGRES_PATIENCE_MS 60000
#define HURRY_WORKER_MS 1000
#define HURRY_OTHERS_MS 10000

static struct child *
first_of(const struct master *m, enum child_kind kind)
{
	struct child *c = m->children;

	while (c != NULL && c->kind != kind)
		c = c->next;
	return c;
}

static void
end_all(struct master *m, enum child_kind kind, int signal_number,
    int64_t patience_ms)
{
	struct child *c, *next;

	for (c = m->children; c != NULL; c = next) {
		next = c->next;
		if (c->kind != kind)
			continue;
		child_end(c, signal_number, patience_ms);
		child_retire(c);
	}
}

/* One step further down when the phase's processes are gone. */
static void
advance(struct master *m)
{
	if (m->phase == PHASE_STOP_WORKERS &&
	    child_running(m, CHILD_WORKER) == 0) {
		end_all(m, CHILD_PORTAL, SIGTERM, PORTAL_PATIENCE_MS);
		end_all(m, CHILD_MAILER, SIGTERM, MAILER_PATIENCE_MS);
		m->phase = PHASE_STOP_FLUSHER;
		end_all(m, CHILD_FLUSHER, SIGTERM, m->hurries > 0 ?
		    HURRY_OTHERS_MS : FLUSHER_PATIENCE_MS);
	}
	if (m->phase == PHASE_STOP_FLUSHER &&
	    child_running(m, CHILD_PORTAL) == 0 &&
	    child_running(m, CHILD_MAILER) == 0 &&
	    child_running(m, CHILD_FLUSHER) == 0) {
		m->phase = PHASE_STOP_POSTGRES;
		end_all(m, CHILD_POSTGRES, SIGINT, m->hurries > 0 ?
		    HURRY_OTHERS_MS : POSTGRES_PATIENCE_MS);
	}
	if (m->phase == PHASE_STOP_POSTGRES &&
	    child_running(m, CHILD_POSTGRES) == 0)
		m->phase = PHASE_DONE;
}

static void
hurry(struct master *m)
{
	m->hurries++;
	log_notice("asked to stop again, open calls are ended now");
	switch (m->phase) {
	case PHASE_STOP_WORKERS:
		end_all(m, CHILD_WORKER, SIGTERM, HURRY_WORKER_MS);
		break;
	case PHASE_STOP_FLUSHER:
		end_all(m, CHILD_FLUSHER, SIGTERM, HURRY_OTHERS_MS);
		break;
	case PHASE_STOP_POSTGRES:
		end_all(m, CHILD_POSTGRES, SIGINT, HURRY_OTHERS_MS);
		break;
	case PHASE_RUN:
	case PHASE_DONE:
		break;
	}
}

static void
stop(struct master *m)
{
	if (m->phase != PHASE_RUN) {
		hurry(m);
		return;
	}
	log_notice("stopping");
	m->phase = PHASE_STOP_WORKERS;
	m->handover = false;
	end_all(m, CHILD_WORKER, SIGTERM,
	    (int64_t)m->settings.shutdown_timeout_ms + WORKER_GRACE_MS);
	advance(m);
}

static void
on_signal(struct loop_watch *w, uint32_t events)
{
	struct master *m = (struct master *)((char *)w -
	    offsetof(struct master, signal_watch));
	struct signalfd_siginfo info;

	(void)events;
	while (read(m->signal_fd, &info, sizeof(info)) ==
	    (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			child_reap(m);
			advance(m);
			break;
		case SIGTERM:
		case SIGINT:
			stop(m);
			break;
		case SIGHUP:
			if (m->phase == PHASE_RUN)
				reload(m);
			break;
		case SIGUSR1:
			logfile_reopen(&m->logfile);
			break;
		default:
			break;
		}
	}
}

/* The flusher is of use once the database takes connections, and must not
 * wait for ever: calls become durable without it. */
static void
start_flusher(struct master *m)
{
	const struct child *postgres = first_of(m, CHILD_POSTGRES);

	if (first_of(m, CHILD_FLUSHER) != NULL)
		return;
	if (postgres != NULL && !(postgres->pid != 0 &&
	    postgres_ready(&m->settings, postgres->pid)) &&
	    mono_diff_ms(clock_mono(), m->began) < POSTGRES_WAIT_MS)
		return;
	child_add(m, CHILD_FLUSHER, 0, 0);
	if (m->portal_end >= 0)
		child_add(m, CHILD_PORTAL, 0, 0);
	if (m->settings.mail_command[0] != '\0')
		child_add(m, CHILD_MAILER, 0, 0);
}

static void
watch_flusher(struct master *m)
{
	const struct child *flusher = first_of(m, CHILD_FLUSHER);
	uint32_t stops = shm_stops(m->shm);

	if (flusher == NULL)
		return;
	if (flusher->pid != 0)
		m->flusher_seen = clock_mono();
	if (flusher->pid != 0 && (stops & SHM_STOP_FLUSHER) != 0) {
		shm_go(m->shm, SHM_STOP_FLUSHER);
	} else if (flusher->pid == 0 && (stops & SHM_STOP_FLUSHER) == 0 &&
	    mono_diff_ms(clock_mono(), m->flusher_seen) > FLUSHER_AWAY_MS) {
		shm_stop(m->shm, SHM_STOP_FLUSHER);
		log_error("new calls are refused until the flusher runs "
		    "again");
	}
}

static void
on_tick(struct loop_timer *t)
{
	struct master *m = (struct master *)((char *)t -
	    offsetof(struct master, tick));

	if (m->phase == PHASE_RUN) {
		start_flusher(m);
		reload_step(m);
	}
	watch_flusher(m);
	loop_arm(m->loop, &m->tick, mono_add_ms(clock_mono(),
	    m->handover || first_of(m, CHILD_FLUSHER) == NULL ?
	    TICK_BUSY_MS : TICK_MS));
}

static bool
watch_signals(struct master *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return false;
	/* Workers inherit it: a client that hangs up must not kill one. */
	signal(SIGPIPE, SIG_IGN);
	m->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (m->signal_fd < 0)
		return false;
	m->signal_watch = (struct loop_watch){ .fd = m->signal_fd,
		.ready = on_signal };
	return loop_watch(m->loop, &m->signal_watch, EPOLLIN);
}

bool
run(struct master *m)
{
	uint32_t workers = settings_workers(&m->settings);

	m->loop = loop_open();
	if (m->loop == NULL || !watch_signals(m) ||
	    !logfile_start(&m->logfile, m->loop)) {
		log_error("could not start: why=%s", strerror(errno));
		return false;
	}
	log_notice("youyund " PACKAGE_VERSION " started: workers=%u "
	    "database=%s user=%s", workers,
	    m->embedded ? "embedded" : "external", m->user.name);
	for (uint32_t i = 0; i < m->sockets.count; i++)
		log_notice("listening: address=%s",
		    m->sockets.address[i].text);
	m->began = m->flusher_seen = clock_mono();
	if (m->embedded)
		child_add(m, CHILD_POSTGRES, 0, 0);
	for (uint32_t i = 0; i < workers; i++)
		child_add(m, CHILD_WORKER, i, 0);
	m->tick.fire = on_tick;
	loop_arm(m->loop, &m->tick, clock_mono());
	while (m->phase != PHASE_DONE)
		loop_turn(m->loop, -1);
	child_free_all(m);
	logfile_drain(&m->logfile);
	loop_close(&m->loop);
	return true;
}

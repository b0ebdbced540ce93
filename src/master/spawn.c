#include "master/spawn.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "conf/heritage.h"
#include "flusher/flusher.h"
#include "mailer/mailer.h"
#include "master/child.h"
#include "master/master.h"
#include "master/postgres.h"
#include "master/title.h"
#include "portal/portal.h"
#include "shm/seat.h"
#include "worker/worker.h"

#define EXIT_NO_START 71	/* EX_OSERR */

static void
no_start(const char *what)
{
	log_error("could not start: what=%s why=%s", what, strerror(errno));
	_exit(EXIT_NO_START);
}

/* What the master has and no child must. */
static void
close_masters(struct master *m)
{
	loop_close(&m->loop);
	close(m->signal_fd);
	close(m->pid_fd);
	close(m->life_write);
	logfile_inherit(&m->logfile);
}

static void
plain_signals(void)
{
	static const int reset[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1,
		SIGUSR2, SIGCHLD, SIGQUIT, SIGALRM };
	sigset_t none;

	for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The death signal is forgotten by a change of credentials, so it comes after
 * that; and a master that died before it is noticed by its pid.
 */
static void
become(struct master *m, pid_t master_pid, int death_signal, bool confined)
{
	/* Of its own group, or Ctrl-C at a terminal would stop all at once
	 * instead of one after the other. */
	if (setpgid(0, 0) != 0)
		no_start("setpgid");
	if (!service_user_become(&m->user))
		no_start("drop privileges");
	if (confined && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		no_start("no new privileges");
	if (prctl(PR_SET_PDEATHSIG, death_signal) != 0)
		no_start("death signal");
	if (getppid() != master_pid)
		_exit(0);
}

static void
fill_heritage(struct master *m, struct heritage *h)
{
	memset(h, 0, sizeof(*h));
	h->settings = &m->settings;
	h->shm = m->shm;
	h->secrets = m->secrets;
	h->wake_fd = m->wake_fd;
	h->parent_fd = m->life_read;
	h->flusher_fd = m->wake.flusher_fd;
	h->seat_fd = m->wake.seat_fd;
	h->seat_fds = m->wake.seats;
	h->seat = SEAT_FLUSHER;
	h->portal_fd = m->portal_fd;
}

/* Who answers no customer's API hands no connection on either. */
static void
leave_portal(struct master *m)
{
	if (m->portal_end < 0)
		return;
	close(m->portal_end);
	close(m->portal_fd);
	m->portal_fd = -1;
}

/* Who sees no call has neither the segment nor what leads to it. */
static void
fill_outside(struct master *m, struct heritage *h)
{
	pem_free(&m->pem);
	sockets_close(&m->sockets, NULL);
	wake_close(&m->wake);
	close(m->wake_fd);
	fill_heritage(m, h);
	h->shm = NULL;
	h->wake_fd = h->flusher_fd = -1;
	h->seat_fds = 0;
}

static void
run_worker(struct master *m, const struct child *c)
{
	struct heritage h;

	log_set_program("worker");
	title_set("youyun-worker", "worker %u", c->number);
	bytes_scrub(&m->payment, sizeof(m->payment));
	wake_keep(&m->wake, c->seat);
	if (m->portal_end >= 0)
		close(m->portal_end);
	fill_heritage(m, &h);
	h.seat = c->seat;
	h.generation = c->generation;
	h.listen_fds = m->sockets.count;
	memcpy(h.listen_fd, m->sockets.fd, sizeof(h.listen_fd));
	h.tls_certificate = m->pem.certificate;
	h.tls_key = m->pem.key;
	exit(worker_main(&h));
}

/* The pepper is for keys that customers make and show; the seal, which opens
 * no credential of a channel, for secrets of their logins. */
static void
run_portal(struct master *m)
{
	struct heritage h;

	log_set_program("portal");
	title_set("youyun-portal", "portal");
	secrets_derive_seal(&m->secrets, SECRET_PORTAL_LABEL);
	fill_outside(m, &h);
	h.portal_fd = m->portal_end;
	h.payment = m->payment;
	exit(portal_main(&h));
}

/* It has no secret, no segment and no socket but the database's. */
static void
run_mailer(struct master *m)
{
	struct heritage h;

	log_set_program("mailer");
	title_set("youyun-mailer", "mailer");
	leave_portal(m);
	secrets_scrub(&m->secrets);
	bytes_scrub(&m->payment, sizeof(m->payment));
	fill_outside(m, &h);
	exit(mailer_main(&h));
}

static void
run_flusher(struct master *m)
{
	struct heritage h;

	log_set_program("flusher");
	title_set("youyun-flusher", "flusher");
	leave_portal(m);
	/* It sees digests and sealed credentials only. */
	secrets_scrub(&m->secrets);
	bytes_scrub(&m->payment, sizeof(m->payment));
	pem_free(&m->pem);
	sockets_close(&m->sockets, NULL);
	fill_heritage(m, &h);
	exit(flusher_main(&h));
}

static void
run_postgres(struct master *m)
{
	log_set_program("postgres");
	close(m->life_read);
	postgres_exec(m);
	_exit(EXIT_NO_START);
}

pid_t
spawn(const struct child *c)
{
	struct master *m = c->master;
	pid_t master_pid = getpid();
	pid_t pid;

	pid = fork();
	if (pid != 0)
		return pid;
	/* The child.  A worker is at its seat before anything can fail. */
	if (c->kind == CHILD_WORKER)
		seat_occupy(m->shm, c->seat, getpid());
	close_masters(m);
	plain_signals();
	switch (c->kind) {
	case CHILD_WORKER:
		become(m, master_pid, SIGTERM, true);
		run_worker(m, c);
		break;
	case CHILD_FLUSHER:
		become(m, master_pid, SIGTERM, true);
		run_flusher(m);
		break;
	case CHILD_PORTAL:
		become(m, master_pid, SIGTERM, true);
		run_portal(m);
		break;
	case CHILD_MAILER:
		/* Mail systems' sendmail is setuid or setgid: it must be able
		 * to become who it is. */
		become(m, master_pid, SIGTERM, false);
		run_mailer(m);
		break;
	case CHILD_POSTGRES:
		/* An immediate shutdown; what was committed is in the log.
		 * A fast one that comes while PostgreSQL recovers from a
		 * crash of its own may never end, and nobody is left to lose
		 * patience. */
		become(m, master_pid, SIGQUIT, true);
		run_postgres(m);
		break;
	}
	assert(!"a child came back");
	_exit(EXIT_NO_START);
}

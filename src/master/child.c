#include "master/child.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "master/master.h"
#include "master/spawn.h"
#include "shm/seat.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 10000
/* A process that lived so long has not failed at its start. */
#define LIFE_GOOD_MS 60000
/* No seat is free until the flusher has cleared up after a dead worker. */
#define SEAT_RETRY_MS 100

#define OF(member, pointer) \
	((struct child *)((char *)(pointer) - offsetof(struct child, member)))

const char *
child_kind_name(enum child_kind kind)
{
	switch (kind) {
	case CHILD_WORKER:
		return "worker";
	case CHILD_FLUSHER:
		return "flusher";
	case CHILD_PORTAL:
		return "portal";
	case CHILD_MAILER:
		return "mailer";
	case CHILD_POSTGRES:
		return "postgres";
	}
	assert(!"child_kind");
	return "";
}

static int64_t
next_pause(struct child *c)
{
	int64_t pause = c->pause_ms;

	c->pause_ms = 2 * pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : 2 * pause;
	return pause;
}

static void
start_later(struct child *c, int64_t delay_ms)
{
	loop_arm(c->master->loop, &c->start,
	    mono_add_ms(clock_mono(), delay_ms));
}

static void
on_start(struct loop_timer *t)
{
	struct child *c = OF(start, t);
	struct master *m = c->master;

	assert(c->pid == 0 && !c->retiring);
	if (c->kind == CHILD_WORKER) {
		c->seat = seat_assign(m->shm, &c->generation);
		if (c->seat == SEAT_NONE) {
			log_info("no free seat yet: worker=%u", c->number);
			start_later(c, SEAT_RETRY_MS);
			return;
		}
		seat_set(m->shm, c->seat, SEAT_BEAT_NS, 0);
	}
	c->asked = false;
	c->started = clock_mono();
	c->pid = spawn(c);
	if (c->pid > 0) {
		log_info("%s started: number=%u pid=%d",
		    child_kind_name(c->kind), c->number, (int)c->pid);
		return;
	}
	c->pid = 0;
	log_error("could not start %s: why=%s", child_kind_name(c->kind),
	    strerror(errno));
	if (c->kind == CHILD_WORKER)
		seat_bury(m->shm, c->seat);
	start_later(c, next_pause(c));
}

static void
on_kill(struct loop_timer *t)
{
	struct child *c = OF(kill, t);

	if (c->pid == 0)
		return;
	log_warning("%s didn't end in time and is killed: pid=%d",
	    child_kind_name(c->kind), (int)c->pid);
	kill(c->pid, SIGKILL);
}

struct child *
child_add(struct master *m, enum child_kind kind, uint32_t number,
    int64_t delay_ms)
{
	struct child *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		log_error("out of memory: no place for a %s",
		    child_kind_name(kind));
		return NULL;
	}
	c->master = m;
	c->kind = kind;
	c->number = number;
	c->seat = SEAT_NONE;
	c->pause_ms = PAUSE_FIRST_MS;
	c->start.fire = on_start;
	c->kill.fire = on_kill;
	c->next = m->children;
	m->children = c;
	start_later(c, delay_ms);
	return c;
}

static void
free_child(struct child *c)
{
	struct child **link = &c->master->children;

	loop_disarm(c->master->loop, &c->start);
	loop_disarm(c->master->loop, &c->kill);
	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	free(c);
}

void
child_end(struct child *c, int signal_number, int64_t patience_ms)
{
	if (c->pid == 0)
		return;
	c->asked = true;
	kill(c->pid, signal_number);
	loop_arm(c->master->loop, &c->kill,
	    mono_add_ms(clock_mono(), patience_ms));
}

void
child_retire(struct child *c)
{
	c->retiring = true;
	loop_disarm(c->master->loop, &c->start);
	if (c->pid == 0)
		free_child(c);
}

static void
log_end(const struct child *c, int status)
{
	const char *name = child_kind_name(c->kind);
	long long lived_ms = mono_diff_ms(clock_mono(), c->started);

	if (WIFSIGNALED(status))
		log_warning("%s was killed: number=%u pid=%d signal=%d (%s) "
		    "lived_ms=%lld", name, c->number, (int)c->pid,
		    WTERMSIG(status), strsignal(WTERMSIG(status)), lived_ms);
	else if (WEXITSTATUS(status) != 0)
		log_warning("%s failed: number=%u pid=%d status=%d "
		    "lived_ms=%lld", name, c->number, (int)c->pid,
		    WEXITSTATUS(status), lived_ms);
	else if (!c->asked)
		log_warning("%s ended without being asked: number=%u pid=%d "
		    "lived_ms=%lld", name, c->number, (int)c->pid, lived_ms);
	else
		log_info("%s ended: number=%u pid=%d lived_ms=%lld", name,
		    c->number, (int)c->pid, lived_ms);
}

static void
child_ended(struct child *c, int status)
{
	struct master *m = c->master;
	int64_t lived_ms = mono_diff_ms(clock_mono(), c->started);

	log_end(c, status);
	c->pid = 0;
	loop_disarm(m->loop, &c->kill);
	if (c->kind == CHILD_WORKER)
		/* By its number of this life: a seat that was taken again
		 * since would be another child's, and that one is alive. */
		if (seat_generation(m->shm, c->seat) == c->generation)
			seat_bury(m->shm, c->seat);
	if (c->retiring) {
		free_child(c);
		return;
	}
	if (c->asked) {
		c->pause_ms = PAUSE_FIRST_MS;
		start_later(c, 0);
		return;
	}
	if (lived_ms >= LIFE_GOOD_MS)
		c->pause_ms = PAUSE_FIRST_MS;
	start_later(c, next_pause(c));
}

void
child_reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = m->children;

		while (c != NULL && c->pid != pid)
			c = c->next;
		if (c != NULL)
			child_ended(c, status);
	}
}

unsigned
child_running(const struct master *m, enum child_kind kind)
{
	unsigned n = 0;

	for (const struct child *c = m->children; c != NULL; c = c->next)
		if (c->kind == kind && c->pid != 0)
			n++;
	return n;
}

void
child_free_all(struct master *m)
{
	while (m->children != NULL) {
		assert(m->children->pid == 0);
		free_child(m->children);
	}
}

/*
 * seat.c: the scoreboard.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shm/channel.h"
#include "shm/layout.h"
#include "shm/seat.h"

uint32_t
seat_assign(struct shm *shm, uint64_t *generation_r)
{
	struct shm_seat *s;
	uint32_t seat;

	for (seat = SEAT_FLUSHER + 1; seat < shm->sizes.seats; seat++) {
		s = shm_seat(shm, seat);
		/* acquire: the reclaimer is done with all that is here */
		if (atomic_load_explicit(&s->state, memory_order_acquire) !=
		    SEAT_FREE)
			continue;
		*generation_r = 1 + atomic_fetch_add_explicit(&s->generation,
		    1, memory_order_relaxed);
		atomic_store_explicit(&s->pid, 0, memory_order_relaxed);
		atomic_store_explicit(&s->pid_start, 0, memory_order_relaxed);
		channel_forget_seat(shm, seat);
		if (seat >= atomic_load_explicit(
		    &shm_header(shm)->seats_used, memory_order_relaxed))
			atomic_store_explicit(&shm_header(shm)->seats_used,
			    seat + 1, memory_order_relaxed);
		atomic_store_explicit(&s->state, SEAT_LIVE,
		    memory_order_release);
		return seat;
	}
	return SEAT_NONE;
}

enum presence {
	GONE,		/* no process of this number runs */
	RUNS,		/* since *start_r */
	UNKNOWN		/* there is one, and /proc does not say which */
};

/* A short of descriptors, or a /proc that is not there, is no death. */
static enum presence
ask_kernel(pid_t pid)
{
	return kill(pid, 0) != 0 && errno == ESRCH ? GONE : UNKNOWN;
}

/* The start time is field 22 of /proc/PID/stat. */
static enum presence
presence_of(pid_t pid, uint64_t *start_r)
{
	char path[64], text[1024], *p;
	ssize_t n;
	int fd, field;

	*start_r = 0;
	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ask_kernel(pid);
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return ask_kernel(pid);
	text[n] = '\0';
	/* The name, field 2, may contain anything, and ends with the last
	 * ')'. */
	p = strrchr(text, ')');
	/* A zombie runs no more, even if nobody ever reaps it. */
	if (p != NULL && strlen(p) > 2 && (p[2] == 'Z' || p[2] == 'X'))
		return GONE;
	for (field = 2; p != NULL && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL)
		return ask_kernel(pid);
	*start_r = strtoull(p, NULL, 10);
	return RUNS;
}

void
seat_occupy(struct shm *shm, uint32_t seat, pid_t pid)
{
	struct shm_seat *s = shm_seat(shm, seat);
	uint64_t start;

	(void)presence_of(pid, &start);
	/* 0: not known, and then a number is all that it is known by */
	atomic_store_explicit(&s->pid_start, start, memory_order_relaxed);
	/* release: with the pid comes its start time */
	atomic_store_explicit(&s->pid, pid, memory_order_release);
}

void
seat_bury(struct shm *shm, uint32_t seat)
{
	uint64_t live = SEAT_LIVE;

	/* release: the death comes after all that the dead one did */
	if (atomic_compare_exchange_strong_explicit(
	    &shm_seat(shm, seat)->state, &live, SEAT_DEAD,
	    memory_order_acq_rel, memory_order_relaxed))
		channel_forget_seat(shm, seat);
}

/*
 * Burying one that lives would let another write its holds: in doubt it lives.
 * Without a pid nobody sits there: a child enters it before it lets go of the
 * pipe by whose end the master's death is known.
 */
static bool
is_absent(const struct shm_seat *s)
{
	uint64_t began, start;
	pid_t pid;

	pid = (pid_t)atomic_load_explicit(&s->pid, memory_order_acquire);
	began = atomic_load_explicit(&s->pid_start, memory_order_relaxed);
	if (pid <= 0)
		return true;
	switch (presence_of(pid, &start)) {
	case GONE:
		return true;
	case RUNS:
		return began != 0 && start != began;
	case UNKNOWN:
		return false;
	}
	return false;
}

uint32_t
seat_bury_absent(struct shm *shm)
{
	uint32_t seat, live = 0;

	for (seat = SEAT_FLUSHER + 1; seat < shm->sizes.seats; seat++) {
		if (seat_state(shm, seat) != SEAT_LIVE)
			continue;
		if (is_absent(shm_seat(shm, seat)))
			seat_bury(shm, seat);
		else
			live++;
	}
	return live;
}

void
seat_free(struct shm *shm, uint32_t seat)
{
	uint64_t dead = SEAT_DEAD;

	/* Once more: who buried it may have died before he came to it. */
	if (seat_state(shm, seat) == SEAT_DEAD)
		channel_forget_seat(shm, seat);
	atomic_compare_exchange_strong_explicit(&shm_seat(shm, seat)->state,
	    &dead, SEAT_FREE, memory_order_acq_rel, memory_order_relaxed);
}

uint32_t
seat_count(const struct shm *shm)
{
	return shm->sizes.seats;
}

enum seat_state
seat_state(const struct shm *shm, uint32_t seat)
{
	uint64_t state;

	state = atomic_load_explicit(&shm_seat(shm, seat)->state,
	    memory_order_acquire);
	return state == SEAT_LIVE ? SEAT_LIVE :
	    state == SEAT_DEAD ? SEAT_DEAD : SEAT_FREE;
}

pid_t
seat_pid(const struct shm *shm, uint32_t seat)
{
	return (pid_t)atomic_load_explicit(&shm_seat(shm, seat)->pid,
	    memory_order_acquire);
}

uint64_t
seat_generation(const struct shm *shm, uint32_t seat)
{
	return atomic_load_explicit(&shm_seat(shm, seat)->generation,
	    memory_order_relaxed);
}

/* One writer a counter: a load and a store do, and cost no bus lock. */
void
seat_add(struct shm *shm, uint32_t seat, enum seat_counter c, int64_t n)
{
	_Atomic uint64_t *counter;

	assert(c < SEAT_COUNTERS);
	counter = &shm_seat(shm, seat)->counter[c];
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + (uint64_t)n,
	    memory_order_relaxed);
}

void
seat_set(struct shm *shm, uint32_t seat, enum seat_counter c, uint64_t n)
{
	assert(c < SEAT_COUNTERS);
	atomic_store_explicit(&shm_seat(shm, seat)->counter[c], n,
	    memory_order_relaxed);
}

uint64_t
seat_get(const struct shm *shm, uint32_t seat, enum seat_counter c)
{
	assert(c < SEAT_COUNTERS);
	return atomic_load_explicit(&shm_seat(shm, seat)->counter[c],
	    memory_order_relaxed);
}

/*
 * seat.h: the scoreboard; a seat is what one worker process owns.
 * Layer: shm.
 * Written by: the master assigns and buries; the worker counts; the reclaimer
 * frees.
 *
 *	FREE ──master, before fork──► LIVE ──master, after reaping──► DEAD
 *	  ▲                                                            │
 *	  └───────── flusher: holds reclaimed, ring drained ───────────┘
 *
 * Seat 0 is the flusher's own (it grants money from there) and has no life
 * cycle.  A new worker never waits for a dead one: there are more seats than
 * workers.
 */
#ifndef SHM_SEAT_H
#define SHM_SEAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct shm;

#define SEAT_FLUSHER 0
#define SEAT_NONE UINT32_MAX

enum seat_state {
	SEAT_FREE = 0,
	SEAT_LIVE = 1,
	SEAT_DEAD = 2
};

/* Master: a FREE seat becomes LIVE; SEAT_NONE when all are taken. */
uint32_t seat_assign(struct shm *shm, uint64_t *generation_r);
/* The child, first of all: who sits here (pid and its start time, so that a
 * recycled pid is not taken for it). */
void	seat_occupy(struct shm *shm, uint32_t seat, pid_t pid);
/* Master: the process of this seat is gone for certain (reaped). */
void	seat_bury(struct shm *shm, uint32_t seat);
/* A new master: buries every LIVE seat whose process doesn't run any more.
 * Returns how many are LIVE still. */
uint32_t seat_bury_absent(struct shm *shm);
/* Flusher, after reclaiming. */
void	seat_free(struct shm *shm, uint32_t seat);

uint32_t seat_count(const struct shm *shm);
enum seat_state	seat_state(const struct shm *shm, uint32_t seat);
pid_t	seat_pid(const struct shm *shm, uint32_t seat);
uint64_t seat_generation(const struct shm *shm, uint32_t seat);

/* What a worker counts; relaxed, one writer each. */
enum seat_counter {
	SEAT_CALLS,		/* answered with an upstream's answer */
	SEAT_REFUSED,		/* answered by ourselves with an error */
	SEAT_UPSTREAM_FAILED,
	SEAT_CONNECTIONS,	/* client connections open now */
	SEAT_ACCEPTED,		/* client connections ever */
	SEAT_STREAMS,		/* calls open now */
	SEAT_BYTES_IN,
	SEAT_BYTES_OUT,
	SEAT_UPSTREAM_CONNECTS,
	SEAT_UPSTREAM_RESUMED,	/* TLS handshakes that resumed a session */
	SEAT_FEE_NANO,
	SEAT_TOKENS,
	SEAT_BEAT_NS,		/* monotonic time of its last turn */
	SEAT_UNKNOWN_USAGE,	/* answers with a usage field no meter knows */
	SEAT_DROPPED_RECORDS,	/* of refusals, when the ring was full */
	SEAT_SANDBOX,		/* SANDBOX_… parts in force (sandbox.h) */
	SEAT_SEALS,		/* keys that it opens with (base/secret.h) */
	SEAT_COUNTERS = 32
};
void	seat_add(struct shm *shm, uint32_t seat, enum seat_counter c,
	    int64_t n);
void	seat_set(struct shm *shm, uint32_t seat, enum seat_counter c,
	    uint64_t n);
uint64_t seat_get(const struct shm *shm, uint32_t seat, enum seat_counter c);

#endif

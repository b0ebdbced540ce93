/*
 * child.h: the processes that the master answers for.
 * Layer: master.
 * Written by: the master.
 *
 * A child is a place to be filled: its process is started, and started again
 * with a growing pause when it ends without being asked.  A retiring child is
 * not started again, and its struct goes when its process has gone.
 */
#ifndef MASTER_CHILD_H
#define MASTER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"

struct master;

enum child_kind {
	CHILD_WORKER,
	CHILD_FLUSHER,
	CHILD_PORTAL,
	CHILD_MAILER,
	CHILD_POSTGRES
};

struct child {
	struct child *next;
	struct master *master;
	enum child_kind kind;
	uint32_t number;	/* among its kind, for people */
	pid_t pid;		/* 0: no process now */
	uint32_t seat;		/* of a worker's process */
	uint64_t generation;
	struct mono_time started;
	int64_t pause_ms;	/* before the next start */
	bool asked;		/* to end, by us */
	bool retiring;
	struct loop_timer start;
	struct loop_timer kill;
};

/* Adds a place; its process is started after delay_ms, by the loop. */
struct child *child_add(struct master *m, enum child_kind kind,
	    uint32_t number, int64_t delay_ms);

/* Asks it to end by a signal; SIGKILL follows after patience_ms. */
void	child_end(struct child *c, int signal_number, int64_t patience_ms);

/* Never again, whether it runs or not; doesn't signal it. */
void	child_retire(struct child *c);

/* Takes in all children that have ended. */
void	child_reap(struct master *m);

/* How many processes of a kind there are. */
unsigned child_running(const struct master *m, enum child_kind kind);

/* "worker", "flusher", "portal", "mailer", "postgres" */
const char *child_kind_name(enum child_kind kind);

/* Frees all places; no process runs any more. */
void	child_free_all(struct master *m);

#endif

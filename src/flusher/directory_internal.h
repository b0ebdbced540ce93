/*
 * directory_internal.h: the directory thread's state.
 * Layer: flusher; directory.c, directory_load.c and taking.c.
 * Written by: the directory thread.
 */
#ifndef FLUSHER_DIRECTORY_INTERNAL_H
#define FLUSHER_DIRECTORY_INTERNAL_H

#include <pthread.h>

#include "base/clock.h"
#include "db/connection.h"
#include "flusher/accounts.h"
#include "flusher/budget_load.h"
#include "flusher/directory.h"
#include "flusher/lease.h"
#include "flusher/node.h"
#include "flusher/resolver.h"
#include "shm/catalogue.h"

#define PENDING_MAX 4096

/* Rows to be read again. */
struct pending {
	int64_t id[PENDING_MAX];
	uint32_t n;
};

struct directory {
	struct directory_config config;
	pthread_t thread;
	int event_fd;		/* resolver news, or stop */
	_Atomic bool stop;
	struct db *db;
	struct resolver *resolver;
	struct accounts *accounts;
	struct leases *leases;
	struct node node;
	enum node_verdict said;	/* in the log, last */
	struct mono_time beat_due;
	struct mono_time gather_due; /* when alone: is there more at home? */
	bool beat_now;
	bool gather_now;
	struct catalogue catalogue; /* as published, with addresses */
	int64_t next_price_us;	/* 0: none to come */
	bool reload_catalogue;
	bool reload_all;
	struct pending customers;
	struct pending keys;
	struct budget_news budgets;
	struct pending short_of; /* reductions to be tried again */
	bool takings;		/* money was asked to be taken */
	struct mono_time taking_due; /* again, when more came; ns 0: no */
	int64_t asked_for;	/* taking that more was asked for */
	uint64_t asked_answers;	/* the account's then */
	int64_t last_want;	/* taking or customer that was served last */
	struct mono_time expire_due;
	struct mono_time close_due;	/* accounts whose time is over */
	int pause_ms;
	bool complained;
	bool full_said;
};

/* directory_load.c; ids NULL: all. */
enum db_result directory_load_accounts(struct directory *d,
	    const struct pending *ids) __attribute__((warn_unused_result));
enum db_result directory_load_keys(struct directory *d,
	    const struct pending *ids) __attribute__((warn_unused_result));
enum db_result directory_load_group_limits(struct directory *d)
	    __attribute__((warn_unused_result));
/* Learns which accounts the segment has already. */
bool	directory_learn(struct directory *d)
	    __attribute__((warn_unused_result));

/*
 * taking.c: serves the takings that were asked for; books out what has
 * expired; goes on with accounts that are being closed.  After load_all() only:
 * calls of earlier segments are booked then.
 */
enum db_result directory_take(struct directory *d)
	    __attribute__((warn_unused_result));
enum db_result directory_expire(struct directory *d)
	    __attribute__((warn_unused_result));
/* *more_r: there is more of it to do at once. */
enum db_result directory_close(struct directory *d, bool *more_r)
	    __attribute__((warn_unused_result));

/* Adds an id; what doesn't fit becomes a reload of everything. */
void	pending_add(struct directory *d, struct pending *p, int64_t id);

#endif

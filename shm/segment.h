/*
 * segment.h: the shared-memory segment as a whole: make, attach, verify.
 * Layer: shm.  The layout is drawn in shm/LAYOUT.
 * Written by: the master makes it; who writes which part is said in each
 * part's own header.
 */
#ifndef SHM_SEGMENT_H
#define SHM_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHM_MAGIC UINT64_C(0x31746d736e757979)	/* "yyunsmt1" */
#define SHM_LAYOUT_VERSION 7
#define SHM_NAME_MAX 64

struct shm;

/* How large each part is; fixed for the life of a segment. */
struct shm_sizes {
	uint32_t seats;		/* workers at once and dead ones, plus seat 0 */
	uint32_t holds_per_seat;	/* calls at once in a worker */
	uint32_t ring_records;		/* a power of two, > holds_per_seat */
	uint32_t accounts;
	uint32_t keys;			/* as many fit for certain */
	uint32_t channels;
	uint32_t catalogue_bytes;	/* of one of the two banks */
	uint32_t budgets;		/* slots with caps of spending */
};

enum shm_result {
	SHM_OK,
	SHM_ABSENT,	/* no segment of that name */
	SHM_FOREIGN,	/* not a segment, or of another layout or boot */
	SHM_SIZES,	/* ours, but with other sizes than asked for */
	SHM_OWNER,	/* it belongs to another user, or others may write it */
	SHM_SPACE,	/* /dev/shm is too small */
	SHM_IO		/* errno says */
};

/*
 * name: "/youyun-…", as for shm_open(3).  shm_create() makes a new segment,
 * fully zero but for its header, and publishes it under the name in one step
 * (an old one of that name is unlinked; whoever has it attached keeps it).
 * shm_attach() accepts only what passes shm_verify's checks.  With readonly,
 * nothing can be changed.  The handle is returned, caller closes.
 */
enum shm_result	shm_create(const char *name, const struct shm_sizes *sizes,
	    struct shm **shm_r) __attribute__((warn_unused_result));
enum shm_result	shm_attach(const char *name, bool readonly,
	    struct shm **shm_r) __attribute__((warn_unused_result));
void	shm_close(struct shm **shm);
/* Hands the segment's file to a user before the children drop to it. */
bool	shm_chown(struct shm *shm, unsigned uid, unsigned gid);
/* The user whose file it is; UINT_MAX when that can't be told. */
unsigned shm_owner(const struct shm *shm);
void	shm_remove(const char *name);

const char *shm_explain(enum shm_result result);

const struct shm_sizes *shm_sizes(const struct shm *shm);
bool	shm_sizes_equal(const struct shm_sizes *a, const struct shm_sizes *b);
uint64_t shm_total_bytes(const struct shm_sizes *sizes);

/* Random, different for every segment ever made: with a seat and a ring
 * position it names a record for ever. */
uint64_t shm_incarnation(const struct shm *shm);

/*
 * Why new calls may not be taken, as bits; 0: they may.  Written by the
 * flusher (and the master for SHM_STOP_DRAIN), read by workers on every call.
 */
#define SHM_STOP_LOADING	0x1u	/* the directory is not loaded yet */
#define SHM_STOP_JOURNAL	0x2u	/* the journal failed: until a new flusher */
#define SHM_STOP_BUDGET		0x4u	/* the journal is at its budget */
#define SHM_STOP_FLUSHER	0x8u	/* the flusher is away for too long */
#define SHM_STOP_NODE		0x10u	/* the node is fenced, or another's */
uint32_t shm_stops(const struct shm *shm);
void	shm_stop(struct shm *shm, uint32_t bits);
void	shm_go(struct shm *shm, uint32_t bits);

/*
 * Figures for `youyunctl status`, written by the flusher alone, each on its
 * own, relaxed: they are for people.
 */
enum shm_gauge {
	SHM_GAUGE_FLUSHER_BEAT_NS,	/* monotonic time of its last turn */
	SHM_GAUGE_JOURNAL_SEQ,		/* last record made durable */
	SHM_GAUGE_JOURNAL_BYTES,	/* on disk, not yet applied */
	SHM_GAUGE_APPLIED_SEQ,		/* last record in PostgreSQL */
	SHM_GAUGE_DATABASE_UP,		/* 0 or 1 */
	SHM_GAUGE_DIRECTORY_LOADS,	/* complete loads so far */
	SHM_GAUGE_KEYS,
	SHM_GAUGE_ACCOUNTS,
	SHM_GAUGE_RECLAIMED,		/* holds of dead workers settled */
	SHM_GAUGE_FSYNCS,
	SHM_GAUGE_FLUSHER_SANDBOX,	/* SANDBOX_… parts in force */
	SHM_GAUGE_JOURNAL_DISK,		/* bytes allocated */
	SHM_GAUGE_OLDEST_US,		/* when the oldest call not yet applied
					 * ended; 0: there is none */
	SHM_GAUGE_APPLY_RATE,		/* records a second, lately */
	SHM_GAUGE_DATABASE_SINCE_US,	/* it is up, or not, since then */
	SHM_GAUGE_NODE,			/* this node's number; 0: not known */
	SHM_GAUGE_NODES_UP,		/* nodes that share the work; 0: not known */
	SHM_GAUGE_CUTS,			/* customers cut off, ever */
	SHM_GAUGE_REFILLS,		/* leases refilled */
	SHM_GAUGES = 32
};
uint64_t shm_gauge(const struct shm *shm, enum shm_gauge g);
/* This node's part of a limit that holds for all nodes: by how many are up, at
 * least one; 0, no limit, stays 0. */
uint64_t shm_share(const struct shm *shm, uint64_t limit);
void	shm_gauge_set(struct shm *shm, enum shm_gauge g, uint64_t value);

#endif

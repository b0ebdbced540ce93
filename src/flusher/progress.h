/*
 * progress.h: how far the flusher's threads have come, for each other.
 * Layer: flusher.
 * Written by: the thread named at each member.
 */
#ifndef FLUSHER_PROGRESS_H
#define FLUSHER_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
	/* flush: the journal is durable up to here.  Stored with release after
	 * fdatasync: who reads it with acquire finds the frames on disk. */
	_Atomic uint64_t durable_seq;
	/* apply: PostgreSQL has everything up to here.  Release: the commit
	 * comes before; files up to here may be deleted. */
	_Atomic uint64_t applied_seq;
	/* flush: end as soon as what there is is done. */
	_Atomic bool stopping;
	/* apply, directory: connected now; relaxed, for people. */
	_Atomic bool apply_up;
	_Atomic bool directory_up;
	/* apply: when it asked the database something that it waits for,
	 * monotonic; 0: nothing.  Relaxed, for people, as the next two. */
	_Atomic int64_t asked_ns;
	/* apply: when the oldest call that isn't applied ended, wall clock. */
	_Atomic int64_t oldest_us;
	/* apply: records a second. */
	_Atomic uint64_t rate;
	/* apply: the database has records that the journal lacks, so that new
	 * ones would be taken for those. */
	_Atomic bool ahead;
	/* directory: whose journal this is; 0 until the database said so.
	 * Release: apply begins then. */
	_Atomic uint32_t node;
	/* directory: its session as that node; 0: it is not. */
	_Atomic int64_t session;
	/* apply: what it knows of `applied_seq` comes from PostgreSQL. */
	_Atomic bool mark_known;
};

#endif

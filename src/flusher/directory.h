/*
 * directory.h: the thread that brings PostgreSQL's customers, keys, models,
 * prices, channels and leases into the segment, and says that this node lives.
 * Layer: flusher.
 * Written by: itself; it is the segment's one writer of keys, accounts,
 * grants and the catalogue.
 *
 * Everything is loaded after each connecting, then what NOTIFY names.  A
 * segment is granted what the database granted less what was spent before the
 * first call of this segment (lease.spent_before_nano, kept by the transaction
 * that applies that call).  That is the same number at any time in the
 * segment's life, whoever asks, if all calls of earlier segments are applied;
 * accounts are therefore not loaded before that.
 *
 * Money is taken away (adjustments, expired credit) the other way round: out
 * of the segment first, then by a booking that lowers the grant.
 */
#ifndef FLUSHER_DIRECTORY_H
#define FLUSHER_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "flusher/progress.h"

struct directory;
struct settings;
struct shm;

struct directory_config {
	struct shm *shm;
	const char *conninfo;
	const struct settings *settings; /* node, leases */
	uint64_t journal_id;
	int wake_fd;		/* workers ask for money; below 1: none */
	uint64_t foreign_seq;	/* last record of earlier segments; 0: none */
	struct progress *progress;
};

/* Starts the thread; the config's pointers are borrowed.  NULL with errno. */
struct directory *directory_start(const struct directory_config *config);
/* False: it hangs in a query and was left alone, as apply_stop(). */
bool	directory_stop(struct directory **directory, int patience_ms);

#endif

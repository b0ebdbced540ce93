/*
 * apply.h: the thread that brings the journal into PostgreSQL.
 * Layer: flusher.
 * Written by: itself; progress.h tells the others.
 */
#ifndef FLUSHER_APPLY_H
#define FLUSHER_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "flusher/file.h"
#include "flusher/progress.h"

struct apply;

struct apply_config {
	const char *conninfo;
	const char *journal_dir;
	const struct file_ops *ops;
	uint64_t journal_id;
	uint64_t first_seq;	/* the oldest on disk */
	uint64_t last_seq;	/* the youngest, at the start */
	uint32_t batch;		/* records in a transaction */
	struct progress *progress;
};

/* Starts the thread; the config's pointers are borrowed. */
struct apply *apply_start(const struct apply_config *config);
/* There is more, or stopping was set. */
void	apply_wake(struct apply *apply);
/*
 * After progress->stopping: applies what there is, for at most patience_ms,
 * then ends the thread.  False: it hangs in a query and was left alone; then
 * the process should end without freeing anything.
 */
bool	apply_stop(struct apply **apply, int patience_ms);

#endif

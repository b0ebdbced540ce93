/*
 * journal_internal.h: the journal's state, for journal.c, journal_file.c and
 * journal_recover.c.
 * Layer: flusher.
 * Written by: the flush thread.
 */
#ifndef FLUSHER_JOURNAL_INTERNAL_H
#define FLUSHER_JOURNAL_INTERNAL_H

#include "flusher/frame.h"
#include "flusher/journal.h"

#define JOURNAL_PATH_BYTES 768
#define JOURNAL_BATCH 4096	/* records between two commits at most, */

struct journal_file {
	uint64_t first_seq;
	uint64_t bytes;		/* on disk */
};

struct journal {
	struct journal_config config;
	uint64_t id;
	uint64_t next_seq;	/* of the next append */
	uint64_t durable_seq;
	uint64_t foreign_seq;
	uint64_t *position;	/* of each seat, this incarnation; 0: unknown */

	struct journal_file *file; /* sorted; the last is the active one */
	size_t files, files_cap;

	int fd;			/* the active file; -1: not begun */
	uint64_t active_first;
	uint64_t active_frames;	/* that fit into it */
	bool spare;		/* the next file is allocated: spare_path */
	bool failed;
	bool over_budget;

	struct journal_frame *batch; /* appended, not committed */
	uint32_t batch_max;	/* and no more than fit into a file */
	uint32_t batched;
	uint32_t written;	/* of them, into files */
	uint32_t synced;	/* of those, durable */
	bool unlink_said;
	uint64_t fsyncs;
};

/* journal_file.c: the files. */
bool	journal_file_add(struct journal *j, uint64_t first_seq, uint64_t bytes);
/* Makes the spare file; JOURNAL_FULL, JOURNAL_FAILED. */
enum journal_result journal_spare_make(struct journal *j);
/* Turns the spare into the file that begins with first_seq, with n frames in
 * it already, durable; it becomes the active one. */
enum journal_result journal_spare_use(struct journal *j, uint64_t first_seq,
	    const struct journal_frame *frames, uint32_t n);
uint64_t journal_frames_per_file(const struct journal *j);

/* journal_recover.c: fills id, next_seq, durable_seq, foreign_seq, position,
 * file, and batch with the frames that are not proven durable. */
enum journal_result journal_recover(struct journal *j,
	    char why_r[JOURNAL_WHY_BYTES]);

#endif

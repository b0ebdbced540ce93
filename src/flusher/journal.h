/*
 * journal.h: the append-only journal of call records.
 * Layer: flusher.
 * Written by: the flush thread alone; the apply thread reads the files
 * (journal_read.h).
 */
#ifndef FLUSHER_JOURNAL_H
#define FLUSHER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flusher/file.h"
#include "shm/record.h"

struct journal;

#define JOURNAL_WHY_BYTES 768

struct journal_config {
	const char *dir;		/* exists; borrowed for its life */
	uint64_t segment_bytes;
	uint64_t budget_bytes;
	uint64_t incarnation;
	uint32_t seats;
	uint32_t node;
	const struct file_ops *ops;
};

enum journal_result {
	JOURNAL_OK,
	JOURNAL_FULL,		/* no room on the disk now; nothing is lost */
	JOURNAL_FAILED,		/* a write or fsync failed: over for good */
	JOURNAL_CORRUPT,	/* what is there can't be trusted */
	JOURNAL_IO		/* can't be opened or read */
};

/*
 * Reads and verifies what there is.  JOURNAL_CORRUPT and JOURNAL_IO: why_r
 * names file, offset and reason.  Nothing is changed on the disk, but left
 * over temporary files are removed.
 */
enum journal_result journal_open(const struct journal_config *config,
	    struct journal **journal_r, char why_r[JOURNAL_WHY_BYTES])
	    __attribute__((warn_unused_result));
void	journal_close(struct journal **journal);

/*
 * Begins a new file, with the frames of the last one that are not proven to be
 * durable; to be called until it is JOURNAL_OK, before the first append.
 */
enum journal_result journal_begin(struct journal *journal)
	    __attribute__((warn_unused_result));

/* Random, made with the first file. */
uint64_t journal_id(const struct journal *journal);
/* The oldest and the last number on disk; last < first: empty. */
uint64_t journal_first_seq(const struct journal *journal);
uint64_t journal_durable_seq(const struct journal *journal);
/* The last number given to a record, durable or not. */
uint64_t journal_last_seq(const struct journal *journal);
/* The last number of another incarnation than config's; 0: none. */
uint64_t journal_foreign_seq(const struct journal *journal);

/* Where reading this seat's ring goes on; `tail` if the journal has no later
 * position of this incarnation. */
uint64_t journal_position(const struct journal *journal, uint32_t seat,
	    uint64_t tail);

/* How many records can be appended before journal_commit(). */
uint32_t journal_room(const struct journal *journal);
/* How many were appended and are not durable yet. */
uint32_t journal_pending(const struct journal *journal);
/* n records from this position of a ring on; n ≤ journal_room(). */
void	journal_append(struct journal *journal, uint32_t seat,
	    uint64_t position, const struct call_record *records, uint32_t n);
/* Writes what was appended, so that it outlives this process; what of it is
 * durable, only journal_commit() says.  Results as there. */
enum journal_result journal_write(struct journal *journal)
	    __attribute__((warn_unused_result));
/*
 * Makes all that was appended durable by one fdatasync (two, when a file ends
 * within it).  JOURNAL_FULL: a new file can't be made now; what was appended
 * stays and is tried again by the next call.  JOURNAL_FAILED: never again.
 */
enum journal_result journal_commit(struct journal *journal)
	    __attribute__((warn_unused_result));

/* Everything up to seq is applied: deletes what isn't needed any more and
 * prepares the next file.  Cheap when there is nothing to do. */
void	journal_tend(struct journal *journal, uint64_t applied_seq);
/* No more new calls: the budget is reached or the disk is full. */
bool	journal_over_budget(const struct journal *journal);
/* On disk, allocated. */
uint64_t journal_disk_bytes(const struct journal *journal);
uint64_t journal_fsyncs(const struct journal *journal);

#endif

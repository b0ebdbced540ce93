/*
 * disk_model.h: a disk in memory, for file_ops: it fails when it is told to,
 * and knows what a power cut would leave.
 * Layer: tests.
 * Written by: one thread; there is one disk.
 *
 * A write is in the cache until a sync; each 512-byte sector of it may reach
 * the disk before that, or not, and in any of the states that it went through.
 * A name is in the cache until its directory is synced; each change may reach
 * the disk before that, or not, in any order.  A sync that failed leaves what
 * was dirty clean and unwritten: a later one writes nothing of it.
 */
#ifndef TESTS_DISK_MODEL_H
#define TESTS_DISK_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "flusher/file.h"

enum disk_op {
	DISK_OPEN, DISK_READ, DISK_WRITE, DISK_ALLOCATE, DISK_DATASYNC,
	DISK_SYNC, DISK_RENAME, DISK_UNLINK, DISK_LINK, DISK_SIZE, DISK_LIST
};

enum disk_fault {
	DISK_GOOD,
	DISK_ERROR,		/* EIO, and nothing is done */
	DISK_NO_SPACE,		/* ENOSPC by what takes room */
	DISK_SHORT,		/* reads and writes do half of it */
	DISK_INTERRUPTED,	/* reads and writes: EINTR */
	DISK_HALF_ERROR,	/* half a write is done, and then EIO */
	DISK_CUT		/* the power goes: this and all after it fail */
};

extern const struct file_ops disk_ops;

/* An empty disk with one directory, whatever it is called. */
void	disk_reset(void);
/* Operations since the last call of disk_plan() or disk_reset(). */
unsigned disk_count(void);
/* The power is out. */
bool	disk_is_dead(void);
/* What the last operation that a fault was planned for was. */
enum disk_op disk_struck(void);
const char *disk_op_name(enum disk_op op);
const char *disk_fault_name(enum disk_fault fault);
/* Counts anew; operations `at` to `at` + `times` - 1 have that fault; times 0:
 * none has. */
void	disk_plan(unsigned at, unsigned times, enum disk_fault fault);

/* From here on the disk holds what the power cut left, chosen by *seed, which
 * moves on; all descriptors are closed, and the power is back. */
void	disk_power_cut(uint64_t *seed);

/* A step of splitmix64: for all random choices of a test. */
uint64_t random_next(uint64_t *seed);

#endif

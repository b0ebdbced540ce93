/*
 * top.h: what goes on in a node now, seen from its segment.
 * Layer: admin.
 * Written by: nobody; the segment is attached for reading only.
 *
 * Rates come from the call records that pass through the rings between two
 * looks, which cost the workers nothing.  A ring that went round in between
 * has lost some for us (not for the flusher): `missed` says how many.
 */
#ifndef ADMIN_TOP_H
#define ADMIN_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shm;
struct top;

/* One customer or channel in the interval. */
struct top_line {
	uint64_t id;			/* the database's */
	int64_t calls;			/* ended: all of them */
	int64_t failed;			/* of those, with an error */
	int64_t tokens;
	int64_t fee_nano;
	int64_t open;			/* calls now */
	int64_t held_nano;		/* of customers, now */
	int64_t available_nano;		/* likewise; this node's part */
};

struct top_lines {
	struct top_line *line;
	size_t n;
	size_t room;
};

struct top_look {
	int64_t interval_ms;
	struct top_line total;		/* id 0 */
	int64_t missed;			/* records that were not seen */
	int64_t connections;
	int64_t ring_most;		/* records in the fullest ring */
	int64_t ring_records;		/* that fit in */
	int64_t journal_waiting;	/* records durable, not applied */
	int64_t journal_bytes;
	bool database_up;
	bool flusher_beats;
	uint32_t workers;
	uint32_t stops;			/* SHM_STOP_… */
	/* Those that did something or have calls open, the most fees first. */
	struct top_lines customers;
	struct top_lines channels;
};

/* NULL when memory is short.  shm is borrowed. */
struct top *top_open(const struct shm *shm);
void	top_close(struct top **top);

/* What went on since the last look (or top_open()); borrowed until the next. */
const struct top_look *top_look(struct top *top);

/* n for each second of an interval, in tenths; rounded down. */
int64_t	top_rate_tenths(int64_t n, int64_t interval_ms);
/* An amount for each second. */
int64_t	top_rate_nano(int64_t nano, int64_t interval_ms);

#endif

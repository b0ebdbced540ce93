/*
 * attest_scan.h: what was searched, and what was found where.
 * Layer: admin.
 * Written by: attest_memory.c, attest_files.c and attest_database.c, as they
 * go along.
 */
#ifndef ADMIN_ATTEST_SCAN_H
#define ADMIN_ATTEST_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/attest_search.h"

enum scan_area {
	AREA_MASTER,		/* memory of processes */
	AREA_WORKER,
	AREA_FLUSHER,
	AREA_PORTAL,
	AREA_MAILER,
	AREA_POSTGRES,
	AREA_HELPER,		/* what holds the control in memory */
	AREA_SEGMENT,
	AREA_JOURNAL,
	AREA_STATE,		/* the state directory, but for: */
	AREA_DATABASE,		/* its columns, by SQL */
	AREA_CLUSTER,		/* the embedded database's files and WAL */
	AREA_LOGS,
	AREA_TEMPORARY,
	AREA_CORES
};
#define SCAN_AREAS 15

#define SCAN_WHERE_BYTES 192

struct scan_finding {
	enum scan_area area;
	int canary;
	enum canary_form form;
	uint64_t halves[2];	/* how often */
	char where[SCAN_WHERE_BYTES];
};

struct scan_total {
	uint64_t bytes;
	uint64_t targets;	/* processes, files, columns */
	uint64_t unread;	/* of them, what could not be read */
	char why[SCAN_WHERE_BYTES];	/* the first of these */
};

struct scan {
	const struct search *search;
	struct search_stream stream;
	enum scan_area area;
	char where[SCAN_WHERE_BYTES];
	struct scan_total total[SCAN_AREAS];
	struct scan_finding *finding;	/* owned */
	size_t findings, room;
	bool lost;		/* a finding did not fit in memory */
	bool (*stopped)(void);	/* somebody wants it to end; may be NULL */
};

void	scan_init(struct scan *scan, const struct search *search);
void	scan_free(struct scan *scan);

/* What follows is another target, of which bytes are fed. */
void	scan_target(struct scan *scan, enum scan_area area, const char *fmt,
	    ...) __attribute__((format(printf, 3, 4)));
/* Bytes that don't follow those before; where: within the target, or NULL. */
void	scan_gap(struct scan *scan);
void	scan_feed(struct scan *scan, const void *bytes, size_t len);
/* Found by other means. */
void	scan_found(struct scan *scan, int canary, enum canary_form form);
/* Part of the target can't be read; why: strerror(), or a sentence. */
void	scan_unread(struct scan *scan, const char *why);

/* From a descriptor's place to its end, holes left out; false: not all. */
bool	scan_descriptor(struct scan *scan, int fd);

/* Findings that aren't of controls. */
size_t	scan_leaks(const struct scan *scan);
/* A control must be found in its area, by its first half. */
bool	scan_has(const struct scan *scan, enum scan_area area, int canary,
	    enum canary_form form);

/* "worker", for reports; static. */
const char *scan_area_name(enum scan_area area);

#endif

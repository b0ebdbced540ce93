#ifndef _GNU_SOURCE
#define _GNU_SOURCE		/* SEEK_DATA */
#endif
#include "admin/attest_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES (1u << 20)
/* More are not told apart. */
#define FINDINGS_MAX 4096

static struct scan_finding *
finding_of(struct scan *scan, int canary, enum canary_form form)
{
	struct scan_finding *f;
	size_t room;

	for (size_t i = scan->findings; i-- > 0; ) {
		f = &scan->finding[i];
		if (f->canary == canary && f->form == form &&
		    f->area == scan->area && strcmp(f->where, scan->where) == 0)
			return f;
	}
	if (scan->findings == scan->room) {
		room = scan->room == 0 ? 64 : 2 * scan->room;
		f = room > FINDINGS_MAX ? NULL :
		    realloc(scan->finding, room * sizeof(*f));
		if (f == NULL) {
			scan->lost = true;
			return NULL;
		}
		scan->finding = f;
		scan->room = room;
	}
	f = &scan->finding[scan->findings++];
	memset(f, 0, sizeof(*f));
	f->area = scan->area;
	f->canary = canary;
	f->form = form;
	memcpy(f->where, scan->where, sizeof(f->where));
	return f;
}

static void
on_hit(const struct search_hit *hit, void *arg)
{
	struct scan_finding *f = finding_of(arg, hit->canary, hit->form);

	if (f != NULL)
		f->halves[hit->half]++;
}

void
scan_init(struct scan *scan, const struct search *search)
{
	memset(scan, 0, sizeof(*scan));
	scan->search = search;
}

void
scan_free(struct scan *scan)
{
	free(scan->finding);
	scan->finding = NULL;
	scan->findings = scan->room = 0;
}

void
scan_target(struct scan *scan, enum scan_area area, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(scan->where, sizeof(scan->where), fmt, ap);
	va_end(ap);
	scan->area = area;
	scan->total[area].targets++;
	scan_gap(scan);
}

void
scan_gap(struct scan *scan)
{
	search_begin(&scan->stream, scan->search, on_hit, scan);
}

void
scan_feed(struct scan *scan, const void *bytes, size_t len)
{
	search_feed(&scan->stream, bytes, len);
	scan->total[scan->area].bytes += len;
}

void
scan_found(struct scan *scan, int canary, enum canary_form form)
{
	struct scan_finding *f = finding_of(scan, canary, form);

	if (f != NULL)
		f->halves[0]++;
}

void
scan_unread(struct scan *scan, const char *why)
{
	struct scan_total *total = &scan->total[scan->area];

	if (total->unread++ == 0)
		snprintf(total->why, sizeof(total->why), "%.120s: %.60s",
		    scan->where, why);
}

/* Where the next data is; -1: there is none. */
static off_t
next_data(int fd, off_t at)
{
	off_t data = lseek(fd, at, SEEK_DATA);

	/* A file system that knows of no holes. */
	return data < 0 && errno != ENXIO ? at : data;
}

bool
scan_descriptor(struct scan *scan, int fd)
{
	char *buffer = malloc(READ_BYTES);
	off_t at = 0, data;
	ssize_t n = buffer == NULL ? -1 : 1;

	while (n > 0 && (data = next_data(fd, at)) >= 0) {
		if (data != at)
			scan_gap(scan);
		n = pread(fd, buffer, READ_BYTES, data);
		if (n <= 0)
			break;
		scan_feed(scan, buffer, (size_t)n);
		at = data + n;
		if (scan->stopped != NULL && scan->stopped())
			break;
	}
	if (n < 0)
		scan_unread(scan, strerror(errno));
	free(buffer);
	return n >= 0;
}

size_t
scan_leaks(const struct scan *scan)
{
	size_t n = 0;

	for (size_t i = 0; i < scan->findings; i++)
		if (scan->finding[i].canary <= CANARY_KEY)
			n++;
	return n;
}

bool
scan_has(const struct scan *scan, enum scan_area area, int canary,
    enum canary_form form)
{
	for (size_t i = 0; i < scan->findings; i++)
		if (scan->finding[i].area == area &&
		    scan->finding[i].canary == canary &&
		    scan->finding[i].halves[0] > 0 &&
		    scan->finding[i].form == form)
			return true;
	return false;
}

const char *
scan_area_name(enum scan_area area)
{
	static const char *const names[SCAN_AREAS] = {
		"master", "worker", "flusher", "portal", "mailer", "postgres",
		"helper", "segment", "journal", "state directory", "database",
		"database's files", "logs", "temporary files", "core dumps"
	};

	return names[area];
}

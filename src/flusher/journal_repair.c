/*
 * Writes each flawed file anew beside the old one: what is whole as it was, a
 * FRAME_LOST in the place of what isn't, a header as its neighbours say.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flusher/journal_check.h"
#include "flusher/journal_internal.h"

#define REPAIR_NAME "repair.tmp"
#define REPAIR_FRAMES 256
#define ASIDE_TRIES 100
#define WHY_PATH_BYTES 500

struct repair {
	const struct file_ops *ops;
	const char *dir;
	const struct journal_survey *survey;
	/* How far the rings had been read where we are: a lost header is
	 * reckoned from the files before it. */
	uint64_t incarnation;
	uint32_t seats;
	uint64_t position[JOURNAL_SEATS_MAX];
	uint64_t given_up;		/* in the file at hand */
	struct journal_frame frame[REPAIR_FRAMES];
	bool valid[REPAIR_FRAMES];
	char path[JOURNAL_PATH_BYTES];	/* of the file at hand */
	char temporary[JOURNAL_PATH_BYTES];
	char *why;
};

static enum journal_result
fail(const struct repair *r, const char *what)
{
	/* The end of a long path matters more than its beginning. */
	size_t len = strlen(r->path);
	const char *path = r->path + (len > WHY_PATH_BYTES ?
	    len - WHY_PATH_BYTES : 0);

	snprintf(r->why, JOURNAL_WHY_BYTES, "file=%.*s could not %s: %s",
	    WHY_PATH_BYTES, path, what, strerror(errno));
	return JOURNAL_IO;
}

static void
new_incarnation(struct repair *r, uint64_t incarnation)
{
	if (r->incarnation == incarnation)
		return;
	r->incarnation = incarnation;
	memset(r->position, 0, sizeof(r->position));
}

static void
note_header(struct repair *r, int fd, const struct journal_found *f)
{
	uint8_t *block = malloc(f->header_bytes);
	struct journal_header h;
	const uint64_t *position;
	uint32_t i;

	if (block != NULL && file_read_full(r->ops, fd, block,
	    f->header_bytes, 0) == (ssize_t)f->header_bytes &&
	    header_decode(block, f->header_bytes, &h, &position)) {
		new_incarnation(r, h.incarnation);
		r->seats = h.seats;
		for (i = 0; i < h.seats; i++)
			if (position[i] > r->position[i])
				r->position[i] = position[i];
	}
	free(block);
}

static void
note_frame(struct repair *r, const struct journal_frame *f)
{
	if (f->type != FRAME_RECORD || f->seat >= JOURNAL_SEATS_MAX)
		return;
	new_incarnation(r, f->incarnation);
	if (f->seat >= r->seats)
		r->seats = f->seat + 1;
	r->position[f->seat] = f->position + 1;
}

/* Stands for a record that nobody can read any more. */
static void
make_lost(struct repair *r, uint64_t seq, struct journal_frame *f)
{
	memset(f, 0, sizeof(*f));
	f->length = FRAME_BYTES;
	f->type = FRAME_LOST;
	f->seq = seq;
	f->durable = seq - 1;	/* repaired files are synced as a whole */
	f->incarnation = r->incarnation;
	frame_seal(f);
	r->given_up++;
}

static bool
write_header(struct repair *r, int out, const struct journal_found *f,
    uint32_t *size_r)
{
	struct journal_header h = f->header;
	void *block;
	bool ok;

	if (!f->header_ok) {
		memset(&h, 0, sizeof(h));
		h.magic = JOURNAL_MAGIC;
		h.version = JOURNAL_VERSION;
		h.frame_bytes = FRAME_BYTES;
		h.seats = r->seats;
		h.header_bytes = header_size(h.seats);
		h.journal_id = r->survey->journal_id;
		h.first_seq = f->first_seq;
		h.incarnation = r->incarnation;
		h.created_us = clock_wall().us;
		h.node = r->survey->node;
	}
	*size_r = h.header_bytes;
	block = malloc(h.header_bytes);
	if (block == NULL)
		return false;
	header_encode(&h, r->position, block);
	ok = file_write_all(r->ops, out, block, h.header_bytes, 0);
	free(block);
	return ok;
}

/* Frames of one file, in order; out -1: to take note of positions only. */
static bool
copy_frames(struct repair *r, int in, int out, const struct journal_found *f,
    uint32_t header_bytes)
{
	uint64_t seq = f->first_seq, left;
	uint32_t n, there, i;

	while (seq <= f->last_seq) {
		left = f->last_seq - seq + 1;
		n = left < REPAIR_FRAMES ? (uint32_t)left : REPAIR_FRAMES;
		there = f->header_bytes == 0 ? 0 : journal_look(r->ops, in, f,
		    seq, r->frame, r->valid, n);
		for (i = 0; i < n; i++) {
			if (i < there && r->valid[i])
				note_frame(r, &r->frame[i]);
			else
				make_lost(r, seq + i, &r->frame[i]);
		}
		if (out >= 0 && !file_write_all(r->ops, out, r->frame, n *
		    FRAME_BYTES, (off_t)(header_bytes + (seq - f->first_seq) *
		    FRAME_BYTES)))
			return false;
		seq += n;
	}
	return true;
}

/* The old file keeps its bytes under another name, and its own until the new
 * one takes it over. */
static enum journal_result
put_aside(struct repair *r)
{
	char aside[JOURNAL_PATH_BYTES];
	int i, n;

	for (i = 0; i < ASIDE_TRIES; i++) {
		n = i == 0 ? snprintf(aside, sizeof(aside), "%s.damaged",
		    r->path) : snprintf(aside, sizeof(aside), "%s.damaged.%d",
		    r->path, i);
		if (n <= 0 || (size_t)n >= sizeof(aside)) {
			errno = ENAMETOOLONG;
			break;
		}
		if (r->ops->link(r->path, aside) == 0)
			return JOURNAL_OK;
		if (errno != EEXIST)
			break;
	}
	return fail(r, "keep the damaged file");
}

/* What was found, and shown, and agreed to. */
static uint64_t
may_give_up(const struct repair *r, const struct journal_found *f)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < r->survey->flaws; i++)
		if (r->survey->flaw[i].file == f->first_seq)
			n += r->survey->flaw[i].records;
	return n;
}

static enum journal_result
replace(struct repair *r, int in, const struct journal_found *f)
{
	enum journal_result result;
	uint32_t size;
	int out;

	out = r->ops->open(r->temporary, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (out < 0)
		return fail(r, "make " REPAIR_NAME);
	if (!f->header_ok && r->seats == 0)
		r->seats = 1;
	result = JOURNAL_OK;
	r->given_up = 0;
	if (!write_header(r, out, f, &size) ||
	    !copy_frames(r, in, out, f, size) || r->ops->sync(out) != 0)
		result = fail(r, "write " REPAIR_NAME);
	(void)r->ops->close(out);
	if (result == JOURNAL_OK && r->given_up != may_give_up(r, f)) {
		errno = EIO;
		result = fail(r, "be read as it was when it was checked");
	}
	if (result == JOURNAL_OK)
		result = put_aside(r);
	if (result == JOURNAL_OK && (!file_sync_dir(r->ops, r->dir) ||
	    r->ops->rename(r->temporary, r->path) != 0 ||
	    !file_sync_dir(r->ops, r->dir)))
		result = fail(r, "put the new file in its place");
	return result;
}

static enum journal_result
remove_strange(struct repair *r)
{
	enum journal_result result = put_aside(r);

	if (result == JOURNAL_OK && (!file_sync_dir(r->ops, r->dir) ||
	    r->ops->unlink(r->path) != 0 || !file_sync_dir(r->ops, r->dir)))
		result = fail(r, "set the file aside");
	return result;
}

static enum journal_result
repair_file(struct repair *r, const struct journal_found *f)
{
	enum journal_result result = JOURNAL_OK;
	int in;

	if (!journal_path(r->dir, f->first_seq, r->path, sizeof(r->path))) {
		errno = ENAMETOOLONG;
		return fail(r, "name it");
	}
	if (f->strange)
		return remove_strange(r);
	in = r->ops->open(r->path, O_RDONLY, 0);
	if (in < 0)
		return fail(r, "open it");
	if (f->header_ok)
		note_header(r, in, f);
	if (f->flawed)
		result = replace(r, in, f);
	else if (!copy_frames(r, in, -1, f, 0))
		result = fail(r, "read it");
	(void)r->ops->close(in);
	return result;
}

enum journal_result
journal_repair(const struct file_ops *ops, const char *dir,
    const struct journal_survey *survey, char why[JOURNAL_WHY_BYTES])
{
	struct repair *r = calloc(1, sizeof(*r));
	enum journal_result result = JOURNAL_OK;
	uint32_t i;
	int n;

	if (r == NULL) {
		snprintf(why, JOURNAL_WHY_BYTES, "out of memory");
		return JOURNAL_IO;
	}
	r->ops = ops;
	r->dir = dir;
	r->survey = survey;
	r->why = why;
	n = snprintf(r->temporary, sizeof(r->temporary), "%s/" REPAIR_NAME,
	    dir);
	if (n <= 0 || (size_t)n >= sizeof(r->temporary)) {
		errno = ENAMETOOLONG;
		result = fail(r, "name a new file");
	}
	for (i = 0; i < survey->files && result == JOURNAL_OK; i++)
		result = repair_file(r, &survey->file[i]);
	free(r);
	return result;
}

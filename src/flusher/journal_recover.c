/*
 * What a start finds on the disk.
 *
 * A frame that cannot be read is either damage or the end of what a crash
 * left.  Each frame says up to where all was durable when it was written: is a
 * later one there that was written after the bad one had been made durable,
 * it is damage, and we refuse; otherwise nobody was ever promised the bad one,
 * and the journal ends before it.
 *
 * Frames after the last number that is proven durable are whole but were
 * perhaps never synced, or worse, their sync failed and the kernel forgot.
 * They are kept as the first batch of the next file and written again.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flusher/journal_internal.h"

#define CHUNK_FRAMES 256

struct scan {
	struct journal *j;
	char path[JOURNAL_PATH_BYTES];
	int fd;
	struct journal_header header;
	uint64_t end_seq;	/* first of the next file; 0: the last file */
	uint64_t proven;	/* durable for certain */
	uint64_t expect;	/* the next number */
	struct journal_frame *chunk;
	char *why;
};

static enum journal_result refuse(const struct scan *s,
	    enum journal_result result, uint64_t offset, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

static enum journal_result
refuse(const struct scan *s, enum journal_result result, uint64_t offset,
    const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(s->why, JOURNAL_WHY_BYTES, "file=%s offset=%" PRIu64 " ",
	    s->path, offset);
	if (n > 0 && n < JOURNAL_WHY_BYTES) {
		va_start(ap, fmt);
		vsnprintf(s->why + n, JOURNAL_WHY_BYTES - (size_t)n, fmt, ap);
		va_end(ap);
	}
	return result;
}

static uint64_t
offset_of(const struct scan *s, uint64_t seq)
{
	return s->header.header_bytes +
	    (seq - s->header.first_seq) * FRAME_BYTES;
}

/* Takes in the header: identity and positions. */
static enum journal_result
scan_header(struct scan *s, uint64_t first_seq)
{
	struct journal *j = s->j;
	uint32_t size = header_size(JOURNAL_SEATS_MAX), i;
	const uint64_t *position;
	uint8_t *block = malloc(size);
	enum journal_result result = JOURNAL_OK;
	ssize_t n;

	if (block == NULL)
		return refuse(s, JOURNAL_IO, 0, "out of memory");
	n = file_read_full(j->config.ops, s->fd, block, size, 0);
	if (n < 0)
		result = refuse(s, JOURNAL_IO, 0, "%s", strerror(errno));
	else if (!header_decode(block, (size_t)n, &s->header, &position) ||
	    s->header.first_seq != first_seq)
		result = refuse(s, JOURNAL_CORRUPT, 0,
		    "the header is damaged");
	else if (j->id != 0 && s->header.journal_id != j->id)
		result = refuse(s, JOURNAL_CORRUPT, 0,
		    "the file belongs to another journal");
	else if (s->header.node != j->config.node)
		result = refuse(s, JOURNAL_CORRUPT, 0,
		    "the file was written by node %" PRIu32, s->header.node);
	if (result == JOURNAL_OK) {
		j->id = s->header.journal_id;
		for (i = 0; s->header.incarnation == j->config.incarnation &&
		    i < s->header.seats && i < j->config.seats; i++)
			if (position[i] > j->position[i])
				j->position[i] = position[i];
	}
	free(block);
	return result;
}

static void
take_frame(struct scan *s, const struct journal_frame *f)
{
	struct journal *j = s->j;

	if (f->durable > s->proven)
		s->proven = f->durable;
	if (f->type == FRAME_LOST)
		;
	else if (f->incarnation != j->config.incarnation)
		j->foreign_seq = f->seq;
	else if (f->seat < j->config.seats &&
	    f->position + 1 > j->position[f->seat])
		j->position[f->seat] = f->position + 1;
	s->expect = f->seq + 1;
}

/* Is there a frame behind the bad one that proves that it was durable? */
static enum journal_result
look_behind(struct scan *s, bool *damage_r)
{
	const struct journal *j = s->j;
	uint64_t bad = s->expect, seq = bad + 1;
	ssize_t n;
	size_t i, got;

	*damage_r = false;
	for (;;) {
		n = file_read_full(j->config.ops, s->fd, s->chunk,
		    CHUNK_FRAMES * FRAME_BYTES, (off_t)offset_of(s, seq));
		if (n < 0)
			return refuse(s, JOURNAL_IO, offset_of(s, seq), "%s",
			    strerror(errno));
		got = (size_t)n / FRAME_BYTES;
		for (i = 0; i < got; i++, seq++) {
			if (frame_valid(&s->chunk[i], seq) &&
			    s->chunk[i].durable >= bad)
				*damage_r = true;
		}
		if (got < CHUNK_FRAMES || *damage_r)
			return JOURNAL_OK;
	}
}

/* The first frame that is not whole. */
static enum journal_result
judge_bad(struct scan *s)
{
	enum journal_result result;
	bool damage = s->end_seq != 0 || s->expect <= s->proven;

	if (!damage) {
		result = look_behind(s, &damage);
		if (result != JOURNAL_OK)
			return result;
	}
	if (!damage)
		return JOURNAL_OK;
	return refuse(s, JOURNAL_CORRUPT, offset_of(s, s->expect),
	    "the frame of record %" PRIu64 " is damaged and others follow it",
	    s->expect);
}

static enum journal_result
scan_frames(struct scan *s)
{
	const struct journal *j = s->j;
	size_t i, want, got;
	ssize_t n;

	for (;;) {
		want = CHUNK_FRAMES;
		if (s->end_seq != 0 && s->end_seq - s->expect < want)
			want = (size_t)(s->end_seq - s->expect);
		if (want == 0)
			return JOURNAL_OK;
		n = file_read_full(j->config.ops, s->fd, s->chunk,
		    want * FRAME_BYTES, (off_t)offset_of(s, s->expect));
		if (n < 0)
			return refuse(s, JOURNAL_IO, offset_of(s, s->expect),
			    "%s", strerror(errno));
		got = (size_t)n / FRAME_BYTES;
		for (i = 0; i < got; i++) {
			if (!frame_valid(&s->chunk[i], s->expect))
				return judge_bad(s);
			take_frame(s, &s->chunk[i]);
		}
		if (got < want)
			return s->end_seq == 0 ? JOURNAL_OK : judge_bad(s);
	}
}

static enum journal_result
scan_file(struct scan *s, uint64_t first_seq, uint64_t end_seq)
{
	struct journal *j = s->j;
	enum journal_result result;
	off_t size;

	if (!journal_path(j->config.dir, first_seq, s->path, sizeof(s->path)))
		return refuse(s, JOURNAL_IO, 0, "the path is too long");
	s->fd = j->config.ops->open(s->path, O_RDONLY, 0);
	if (s->fd < 0)
		return refuse(s, JOURNAL_IO, 0, "%s", strerror(errno));
	s->end_seq = end_seq;
	result = scan_header(s, first_seq);
	/* A file is only begun when all before it is durable. */
	if (result == JOURNAL_OK && first_seq != 0 &&
	    first_seq - 1 > s->proven)
		s->proven = first_seq - 1;
	if (result == JOURNAL_OK && first_seq > s->expect && s->expect != 0)
		result = refuse(s, JOURNAL_CORRUPT, 0,
		    "records %" PRIu64 " to %" PRIu64 " are missing before it",
		    s->expect, first_seq - 1);
	if (result == JOURNAL_OK) {
		s->expect = first_seq;
		result = scan_frames(s);
	}
	if (result == JOURNAL_OK && ((size = j->config.ops->size(s->fd)) < 0 ||
	    !journal_file_add(j, first_seq, (uint64_t)size)))
		result = refuse(s, JOURNAL_IO, 0, "%s", strerror(errno));
	(void)j->config.ops->close(s->fd);
	return result;
}

/* A file takes what is carried over into it, whatever the setting says. */
static bool
make_batch(struct journal *j, uint64_t carried)
{
	uint64_t least = header_size(j->config.seats) +
	    (carried != 0 ? carried : 1) * FRAME_BYTES;
	uint64_t fit;

	if (j->config.segment_bytes < least)
		j->config.segment_bytes = least;
	fit = journal_frames_per_file(j);
	j->batch_max = fit < JOURNAL_BATCH ? (uint32_t)fit : JOURNAL_BATCH;
	j->batch = calloc(j->batch_max, sizeof(*j->batch));
	return j->batch != NULL;
}

/* Reads the frames after s->proven into the batch; they are in the last file,
 * which is where the last batch went. */
static enum journal_result
keep_unproven(struct scan *s)
{
	struct journal *j = s->j;
	uint64_t n = s->expect - 1 - s->proven;
	ssize_t got;

	j->durable_seq = s->proven;
	j->next_seq = s->expect;
	if (n > JOURNAL_BATCH ||
	    (n != 0 && s->proven + 1 < s->header.first_seq))
		return refuse(s, JOURNAL_CORRUPT, 0, "%" PRIu64
		    " records follow the last that is proven durable", n);
	if (!make_batch(j, n))
		return refuse(s, JOURNAL_IO, 0, "out of memory");
	if (n == 0)
		return JOURNAL_OK;
	s->fd = j->config.ops->open(s->path, O_RDONLY, 0);
	if (s->fd < 0)
		return refuse(s, JOURNAL_IO, 0, "%s", strerror(errno));
	got = file_read_full(j->config.ops, s->fd, j->batch,
	    (size_t)n * FRAME_BYTES, (off_t)offset_of(s, s->proven + 1));
	(void)j->config.ops->close(s->fd);
	if (got != (ssize_t)(n * FRAME_BYTES))
		return refuse(s, JOURNAL_IO, offset_of(s, s->proven + 1),
		    "read again, the file is shorter");
	j->batched = (uint32_t)n;
	return JOURNAL_OK;
}

/* What a start that was cut off left. */
static void
remove_temporary(struct journal *j)
{
	char path[JOURNAL_PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/next.tmp", j->config.dir);

	if (n > 0 && (size_t)n < sizeof(path))
		(void)j->config.ops->unlink(path);
}

enum journal_result
journal_recover(struct journal *j, char why_r[JOURNAL_WHY_BYTES])
{
	struct scan s = { .j = j, .why = why_r, .fd = -1 };
	enum journal_result result = JOURNAL_OK;
	uint64_t *first = NULL;
	int n, i;

	why_r[0] = '\0';
	snprintf(s.path, sizeof(s.path), "%s", j->config.dir);
	n = journal_list(j->config.ops, j->config.dir, &first);
	if (n < 0)
		return refuse(&s, JOURNAL_IO, 0, "%s", strerror(errno));
	remove_temporary(j);
	s.chunk = calloc(CHUNK_FRAMES, sizeof(*s.chunk));
	if (s.chunk == NULL)
		result = refuse(&s, JOURNAL_IO, 0, "out of memory");
	for (i = 0; i < n && result == JOURNAL_OK; i++)
		result = scan_file(&s, first[i], i + 1 < n ? first[i + 1] : 0);
	if (result == JOURNAL_OK && n == 0)
		s.expect = 1;
	if (result == JOURNAL_OK)
		result = keep_unproven(&s);
	free(s.chunk);
	free(first);
	return result;
}

/*
 * What a journal is worth, when the start refuses it: the same judgement as
 * in journal_recover.c, but it goes on behind what is damaged.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flusher/journal_check.h"
#include "flusher/journal_internal.h"

#define LOOK_FRAMES 256
/* More than that is no gap but another journal. */
#define MISSING_MAX UINT64_C(50000000)

struct survey_run {
	const struct file_ops *ops;
	const char *dir;
	struct journal_survey *survey;
	struct journal_frame frame[LOOK_FRAMES];
	bool valid[LOOK_FRAMES];
	char *why;
};

uint32_t
journal_look(const struct file_ops *ops, int fd,
    const struct journal_found *file, uint64_t seq,
    struct journal_frame *frame, bool *valid, uint32_t n)
{
	off_t at = (off_t)(file->header_bytes +
	    (seq - file->first_seq) * FRAME_BYTES);
	uint64_t there = file->bytes > (uint64_t)at ?
	    (file->bytes - (uint64_t)at) / FRAME_BYTES : 0;
	ssize_t got;
	uint32_t i;

	if (n > there)
		n = (uint32_t)there;
	got = file_read_full(ops, fd, frame, n * FRAME_BYTES, at);
	for (i = 0; i < n; i++) {
		/* Of a bad sector's neighbours what can be read is read. */
		if (got < 0 && file_read_full(ops, fd, &frame[i], FRAME_BYTES,
		    at + (off_t)(i * FRAME_BYTES)) != (ssize_t)FRAME_BYTES)
			valid[i] = false;
		else
			valid[i] = frame_valid(&frame[i], seq + i);
	}
	return n;
}

static bool
add_flaw(struct journal_survey *s, enum journal_flaw_kind kind,
    struct journal_found *f, uint64_t offset, uint64_t seq)
{
	struct journal_flaw *last = s->flaws == 0 ? NULL :
	    &s->flaw[s->flaws - 1], *more;

	f->flawed = true;
	if (last != NULL && last->kind == kind && last->file == f->first_seq &&
	    last->records != 0 && last->first_seq + last->records == seq) {
		last->records++;
		return true;
	}
	if (s->flaws == s->flaws_cap) {
		s->flaws_cap = s->flaws_cap == 0 ? 16 : 2 * s->flaws_cap;
		more = realloc(s->flaw, s->flaws_cap * sizeof(*more));
		if (more == NULL)
			return false;
		s->flaw = more;
	}
	s->flaw[s->flaws++] = (struct journal_flaw){ .kind = kind,
		.file = f->first_seq, .offset = offset, .first_seq = seq,
		.records = seq != 0 };
	return true;
}

static enum journal_result
refuse(const struct survey_run *run, const struct journal_found *f,
    const char *what)
{
	snprintf(run->why, JOURNAL_WHY_BYTES, "file=%s/%016" PRIx64
	    JOURNAL_SUFFIX " %s", run->dir, f->first_seq, what);
	return JOURNAL_IO;
}

static int
open_found(const struct survey_run *run, const struct journal_found *f)
{
	char path[JOURNAL_PATH_BYTES];

	if (!journal_path(run->dir, f->first_seq, path, sizeof(path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return run->ops->open(path, O_RDONLY, 0);
}

/* Where frames begin, if the header doesn't say: where one is that has the
 * right number. */
static uint32_t
guess_header(struct survey_run *run, int fd, struct journal_found *f)
{
	uint32_t size, i, n;

	for (size = HEADER_BLOCK; size <= header_size(JOURNAL_SEATS_MAX) &&
	    size < f->bytes; size += HEADER_BLOCK) {
		f->header_bytes = size;
		n = journal_look(run->ops, fd, f, f->first_seq, run->frame,
		    run->valid, LOOK_FRAMES);
		for (i = 0; i < n; i++)
			if (run->valid[i])
				return size;
	}
	return 0;
}

static enum journal_result
look_at_header(struct survey_run *run, struct journal_found *f)
{
	uint32_t size = header_size(JOURNAL_SEATS_MAX);
	uint8_t *block = calloc(1, size);
	enum journal_result result = JOURNAL_OK;
	struct journal_header h;
	const uint64_t *position;
	ssize_t n = -1;
	off_t bytes;
	int fd = open_found(run, f);

	if (fd < 0 || block == NULL || (bytes = run->ops->size(fd)) < 0) {
		result = refuse(run, f, strerror(errno));
		goto out;
	}
	f->bytes = (uint64_t)bytes;
	n = file_read_full(run->ops, fd, block, size, 0);
	memcpy(&h, block, sizeof(h));
	if (n >= (ssize_t)sizeof(h) && h.magic == JOURNAL_MAGIC &&
	    !journal_version_known(h.version)) {
		result = refuse(run, f,
		    "was written by another version of youyun");
		goto out;
	}
	f->header_ok = n > 0 && header_decode(block, (size_t)n, &f->header,
	    &position) && f->header.first_seq == f->first_seq;
	f->header_bytes = f->header_ok ? f->header.header_bytes :
	    guess_header(run, fd, f);
out:
	if (fd >= 0)
		(void)run->ops->close(fd);
	free(block);
	return result;
}

/* The journal is the one that most files belong to. */
static bool
find_identity(struct journal_survey *s)
{
	uint32_t i, k, votes, most = 0;

	for (i = 0; i < s->files; i++) {
		if (!s->file[i].header_ok)
			continue;
		for (votes = 0, k = 0; k < s->files; k++)
			votes += s->file[k].header_ok &&
			    s->file[k].header.journal_id ==
			    s->file[i].header.journal_id;
		if (votes < most)
			continue;
		most = votes;
		s->journal_id = s->file[i].header.journal_id;
		s->node = s->file[i].header.node;
	}
	for (i = 0; i < s->files; i++) {
		struct journal_found *f = &s->file[i];

		f->strange = f->header_ok &&
		    (f->header.journal_id != s->journal_id ||
		    f->header.node != s->node);
		if (f->strange && !add_flaw(s, FLAW_STRANGE, f, 0, 0))
			return false;
	}
	return true;
}

static void
count_frame(struct journal_survey *s, const struct journal_frame *f)
{
	if (f->type == FRAME_LOST)
		s->lost_before++;
	else
		s->whole++;
}

/* How far it is proven that frames were durable: what the last file's say. */
static uint64_t
find_proven(struct survey_run *run, int fd, const struct journal_found *f)
{
	uint64_t seq = f->first_seq, proven = f->first_seq - 1;
	uint32_t n, i;

	while (f->header_bytes != 0 && (n = journal_look(run->ops, fd, f, seq,
	    run->frame, run->valid, LOOK_FRAMES)) != 0) {
		for (i = 0; i < n; i++)
			if (run->valid[i] && run->frame[i].durable > proven)
				proven = run->frame[i].durable;
		seq += n;
	}
	return proven;
}

/* Frames up to where the file must go; the last file's end where nothing was
 * promised any more. */
static bool
walk(struct survey_run *run, int fd, struct journal_found *f, uint64_t must,
    bool is_last)
{
	struct journal_survey *s = run->survey;
	uint64_t seq = f->first_seq;
	uint32_t n = 0, i = 0;
	bool ended = false;

	f->last_seq = must;
	for (;; i++, seq++) {
		if (i == n) {
			n = f->header_bytes == 0 ? 0 : journal_look(run->ops,
			    fd, f, seq, run->frame, run->valid, LOOK_FRAMES);
			i = 0;
		}
		if (n == 0 ? seq > must : seq > must && !is_last)
			return true;
		if (n != 0 && run->valid[i]) {
			if (ended) {
				s->torn++;
				continue;
			}
			f->last_seq = seq > must ? seq : must;
			count_frame(s, &run->frame[i]);
			continue;
		}
		ended = ended || seq > must;
		if (ended)
			continue;
		s->lost++;
		if (!add_flaw(s, n == 0 ? FLAW_MISSING : FLAW_FRAMES, f,
		    f->header_bytes + (seq - f->first_seq) * FRAME_BYTES,
		    seq))
			return false;
	}
}

static enum journal_result
survey_file(struct survey_run *run, struct journal_found *f,
    const struct journal_found *next)
{
	struct journal_survey *s = run->survey;
	enum journal_result result = JOURNAL_OK;
	uint64_t must;
	int fd;

	if (!f->header_ok && !add_flaw(s, FLAW_HEADER, f, 0, 0))
		return refuse(run, f, "out of memory");
	fd = open_found(run, f);
	if (fd < 0)
		return refuse(run, f, strerror(errno));
	must = next != NULL ? next->first_seq - 1 : find_proven(run, fd, f);
	if (must > f->first_seq && must - f->first_seq > MISSING_MAX)
		result = refuse(run, f, "is too far from the next one");
	else if (!walk(run, fd, f, must, next == NULL))
		result = refuse(run, f, "out of memory");
	s->last_seq = f->last_seq;
	s->durable_seq = must;
	(void)run->ops->close(fd);
	return result;
}

static struct journal_found *
next_own(struct journal_survey *s, uint32_t i)
{
	while (i < s->files && s->file[i].strange)
		i++;
	return i < s->files ? &s->file[i] : NULL;
}

static enum journal_result
survey_all(struct survey_run *run)
{
	struct journal_survey *s = run->survey;
	enum journal_result result = JOURNAL_OK;
	struct journal_found *f;
	uint32_t i;

	for (i = 0; i < s->files && result == JOURNAL_OK; i++)
		result = look_at_header(run, &s->file[i]);
	if (result == JOURNAL_OK && !find_identity(s))
		result = refuse(run, &s->file[0], "out of memory");
	f = next_own(s, 0);
	if (f != NULL)
		s->first_seq = f->first_seq;
	for (; f != NULL && result == JOURNAL_OK;
	    f = next_own(s, (uint32_t)(f - s->file) + 1))
		result = survey_file(run, f,
		    next_own(s, (uint32_t)(f - s->file) + 1));
	return result;
}

enum journal_result
journal_survey(const struct file_ops *ops, const char *dir,
    struct journal_survey *survey, char why[JOURNAL_WHY_BYTES])
{
	struct survey_run *run = calloc(1, sizeof(*run));
	enum journal_result result = JOURNAL_IO;
	uint64_t *first = NULL;
	int n = journal_list(ops, dir, &first), i;

	memset(survey, 0, sizeof(*survey));
	snprintf(why, JOURNAL_WHY_BYTES, "dir=%s %s", dir, n < 0 ?
	    strerror(errno) : "out of memory");
	if (n < 0 || run == NULL)
		goto out;
	survey->file = calloc((size_t)n + 1, sizeof(*survey->file));
	if (survey->file == NULL)
		goto out;
	survey->files = (uint32_t)n;
	for (i = 0; i < n; i++)
		survey->file[i].first_seq = first[i];
	*run = (struct survey_run){ .ops = ops, .dir = dir, .survey = survey,
		.why = why };
	result = survey_all(run);
	if (result == JOURNAL_OK && survey->flaws != 0)
		result = JOURNAL_CORRUPT;
out:
	if (result == JOURNAL_IO)
		journal_survey_free(survey);
	free(run);
	free(first);
	return result;
}

void
journal_survey_free(struct journal_survey *survey)
{
	free(survey->file);
	free(survey->flaw);
	memset(survey, 0, sizeof(*survey));
}

bool
journal_survey_extend(struct journal_survey *s, uint64_t seq)
{
	struct journal_found *f = NULL;
	uint32_t i;

	if (seq <= s->last_seq)
		return true;
	for (i = 0; i < s->files; i++)
		if (!s->file[i].strange)
			f = &s->file[i];
	if (f == NULL || seq - s->last_seq > MISSING_MAX)
		return false;
	if (!add_flaw(s, FLAW_MISSING, f, f->header_bytes +
	    (s->last_seq + 1 - f->first_seq) * FRAME_BYTES, s->last_seq + 1))
		return false;
	s->flaw[s->flaws - 1].records = seq - s->flaw[s->flaws - 1].first_seq +
	    1;
	s->lost += seq - s->last_seq;
	s->last_seq = f->last_seq = s->durable_seq = seq;
	return true;
}

/*
 * The journal's files: the active one, and a spare that is allocated ahead of
 * time, so that a full disk is noticed while there is room for the calls that
 * are on their way.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "flusher/journal_internal.h"

#define SPARE_NAME "next.tmp"

uint64_t
journal_frames_per_file(const struct journal *j)
{
	return (j->config.segment_bytes - header_size(j->config.seats)) /
	    FRAME_BYTES;
}

static bool
spare_path(const struct journal *j, char path_r[JOURNAL_PATH_BYTES])
{
	int n = snprintf(path_r, JOURNAL_PATH_BYTES, "%s/" SPARE_NAME,
	    j->config.dir);

	return n > 0 && n < JOURNAL_PATH_BYTES;
}

bool
journal_file_add(struct journal *j, uint64_t first_seq, uint64_t bytes)
{
	struct journal_file *more;

	if (j->files != 0 && j->file[j->files - 1].first_seq == first_seq)
		j->files--;	/* a rename replaced it */
	if (j->files == j->files_cap) {
		size_t cap = j->files_cap == 0 ? 16 : 2 * j->files_cap;

		more = realloc(j->file, cap * sizeof(*more));
		if (more == NULL)
			return false;
		j->file = more;
		j->files_cap = cap;
	}
	j->file[j->files].first_seq = first_seq;
	j->file[j->files].bytes = bytes;
	j->files++;
	return true;
}

/* A disk that is full is a state, not a failure. */
static enum journal_result
judge_space(struct journal *j, const char *what, const char *path)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return JOURNAL_FULL;
	log_error("could not %s a journal file: file=%s why=%s", what, path,
	    strerror(errno));
	j->failed = true;
	return JOURNAL_FAILED;
}

enum journal_result
journal_spare_make(struct journal *j)
{
	const struct file_ops *ops = j->config.ops;
	char path[JOURNAL_PATH_BYTES];
	enum journal_result result = JOURNAL_OK;
	int fd, saved;

	if (j->spare)
		return JOURNAL_OK;
	if (!spare_path(j, path)) {
		errno = ENAMETOOLONG;
		return judge_space(j, "name", j->config.dir);
	}
	fd = ops->open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return judge_space(j, "make", path);
	if (ops->allocate(fd, (off_t)j->config.segment_bytes) != 0) {
		saved = errno;
		(void)ops->unlink(path);
		errno = saved;
		result = judge_space(j, "allocate", path);
	} else {
		j->spare = true;
	}
	(void)ops->close(fd);
	return result;
}

static void
fill_header(const struct journal *j, uint64_t first_seq,
    struct journal_header *h)
{
	memset(h, 0, sizeof(*h));
	h->magic = JOURNAL_MAGIC;
	h->version = JOURNAL_VERSION;
	h->header_bytes = header_size(j->config.seats);
	h->frame_bytes = FRAME_BYTES;
	h->seats = j->config.seats;
	h->journal_id = j->id;
	h->first_seq = first_seq;
	h->incarnation = j->config.incarnation;
	h->created_us = clock_wall().us;
	h->node = j->config.node;
}

static bool
write_start(struct journal *j, int fd, uint64_t first_seq,
    const struct journal_frame *frames, uint32_t n)
{
	const struct file_ops *ops = j->config.ops;
	uint32_t size = header_size(j->config.seats);
	struct journal_header h;
	void *block = malloc(size);
	bool ok;

	if (block == NULL)
		return false;
	fill_header(j, first_seq, &h);
	header_encode(&h, j->position, block);
	ok = file_write_all(ops, fd, block, size, 0) &&
	    file_write_all(ops, fd, frames, n * FRAME_BYTES, size) &&
	    ops->sync(fd) == 0;
	free(block);
	j->fsyncs++;
	return ok;
}

enum journal_result
journal_spare_use(struct journal *j, uint64_t first_seq,
    const struct journal_frame *frames, uint32_t n)
{
	const struct file_ops *ops = j->config.ops;
	char from[JOURNAL_PATH_BYTES], to[JOURNAL_PATH_BYTES];
	int fd;

	assert(j->spare && n <= journal_frames_per_file(j));
	if (!spare_path(j, from) ||
	    !journal_path(j->config.dir, first_seq, to, sizeof(to))) {
		errno = ENAMETOOLONG;
		return judge_space(j, "name", j->config.dir);
	}
	fd = ops->open(from, O_RDWR, 0);
	if (fd < 0)
		return judge_space(j, "open", from);
	/* Whole before it gets its name, so that a header that can't be read
	 * is always damage and never a beginning that was cut off. */
	if (!write_start(j, fd, first_seq, frames, n) ||
	    ops->rename(from, to) != 0 ||
	    !file_sync_dir(ops, j->config.dir) ||
	    !journal_file_add(j, first_seq, j->config.segment_bytes)) {
		log_error("could not begin a journal file: file=%s why=%s",
		    to, strerror(errno));
		(void)ops->close(fd);
		j->failed = true;
		return JOURNAL_FAILED;
	}
	j->spare = false;
	if (j->fd >= 0)
		(void)ops->close(j->fd);
	j->fd = fd;
	j->active_first = first_seq;
	j->active_frames = journal_frames_per_file(j);
	return JOURNAL_OK;
}

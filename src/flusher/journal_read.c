#include "flusher/journal_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define READER_PATH_BYTES 768

struct journal_reader {
	const char *dir;
	const struct file_ops *ops;
	int fd;
	uint64_t first_seq;
	uint64_t end_seq;	/* first of the next file; 0: none yet */
	uint32_t header_bytes;
};

struct journal_reader *
journal_reader_open(const char *dir, const struct file_ops *ops)
{
	struct journal_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->dir = dir;
	r->ops = ops;
	r->fd = -1;
	return r;
}

static void
let_go(struct journal_reader *r)
{
	if (r->fd >= 0)
		(void)r->ops->close(r->fd);
	r->fd = -1;
}

void
journal_reader_close(struct journal_reader **reader)
{
	if (*reader == NULL)
		return;
	let_go(*reader);
	free(*reader);
	*reader = NULL;
}

/* The block's size stands in its first bytes; recovery or ourselves have
 * checked or written all of it. */
static bool
open_file(struct journal_reader *r, uint64_t first_seq)
{
	char path[READER_PATH_BYTES];
	struct journal_header h;

	if (!journal_path(r->dir, first_seq, path, sizeof(path))) {
		errno = ENAMETOOLONG;
		return false;
	}
	r->fd = r->ops->open(path, O_RDONLY, 0);
	if (r->fd < 0)
		return false;
	if (file_read_full(r->ops, r->fd, &h, sizeof(h), 0) != sizeof(h) ||
	    h.magic != JOURNAL_MAGIC || !journal_version_known(h.version) ||
	    h.first_seq != first_seq ||
	    h.header_bytes != header_size(h.seats)) {
		let_go(r);
		errno = EILSEQ;
		return false;
	}
	r->first_seq = first_seq;
	r->header_bytes = h.header_bytes;
	return true;
}

/* Opens the last file that begins at seq or before it. */
static bool
find_file(struct journal_reader *r, uint64_t seq)
{
	uint64_t *list = NULL;
	int n = journal_list(r->ops, r->dir, &list), i;
	bool ok = false;

	let_go(r);
	if (n < 0)
		return false;
	errno = EILSEQ;
	for (i = n - 1; i >= 0; i--) {
		if (list[i] > seq)
			continue;
		r->end_seq = i + 1 < n ? list[i + 1] : 0;
		ok = open_file(r, list[i]);
		break;
	}
	free(list);
	return ok;
}

static uint32_t
read_here(struct journal_reader *r, uint64_t seq, struct journal_frame *frames,
    uint32_t max)
{
	uint32_t n = 0, got;
	ssize_t bytes;

	if (r->end_seq != 0 && r->end_seq - seq < max)
		max = (uint32_t)(r->end_seq - seq);
	bytes = file_read_full(r->ops, r->fd, frames, max * FRAME_BYTES,
	    (off_t)(r->header_bytes + (seq - r->first_seq) * FRAME_BYTES));
	if (bytes < 0)
		return 0;
	got = (uint32_t)((size_t)bytes / FRAME_BYTES);
	while (n < got && frame_valid(&frames[n], seq + n))
		n++;
	if (n == 0)
		errno = EILSEQ;
	return n;
}

uint32_t
journal_read(struct journal_reader *r, uint64_t seq, uint64_t last,
    struct journal_frame *frames, uint32_t max)
{
	uint32_t n;

	if (last - seq + 1 < max)
		max = (uint32_t)(last - seq + 1);
	if (r->fd >= 0 && seq >= r->first_seq &&
	    (r->end_seq == 0 || seq < r->end_seq)) {
		n = read_here(r, seq, frames, max);
		/* None: it may go on in a file that is newer than our list. */
		if (n != 0)
			return n;
	}
	if (!find_file(r, seq))
		return 0;
	return read_here(r, seq, frames, max);
}

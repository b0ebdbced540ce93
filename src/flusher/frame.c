#include "flusher/frame.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "flusher/file.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the journal is written as it is in memory: little-endian only"
#endif

uint32_t
header_size(uint32_t seats)
{
	uint64_t n = sizeof(struct journal_header) + 8 * (uint64_t)seats + 8;

	return (uint32_t)((n + HEADER_BLOCK - 1) / HEADER_BLOCK *
	    HEADER_BLOCK);
}

void
header_encode(const struct journal_header *header, const uint64_t *position,
    void *block)
{
	uint8_t *p = block;
	uint32_t size = header_size(header->seats);
	uint64_t sum;

	memset(p, 0, size);
	memcpy(p, header, sizeof(*header));
	memcpy(p + sizeof(*header), position, 8 * (size_t)header->seats);
	sum = XXH3_64bits(p, size - 8);
	memcpy(p + size - 8, &sum, 8);
}

bool
journal_version_known(uint32_t version)
{
	return version == JOURNAL_VERSION || version == JOURNAL_VERSION_READ;
}

bool
header_decode(const void *block, size_t len, struct journal_header *h,
    const uint64_t **position_r)
{
	const uint8_t *p = block;
	uint64_t sum;

	if (len < sizeof(*h))
		return false;
	memcpy(h, p, sizeof(*h));
	if (h->magic != JOURNAL_MAGIC || !journal_version_known(h->version) ||
	    h->frame_bytes != FRAME_BYTES || h->seats > JOURNAL_SEATS_MAX ||
	    h->header_bytes != header_size(h->seats) || len < h->header_bytes)
		return false;
	memcpy(&sum, p + h->header_bytes - 8, 8);
	if (sum != XXH3_64bits(p, h->header_bytes - 8))
		return false;
	*position_r = (const uint64_t *)(const void *)(p + sizeof(*h));
	return true;
}

void
frame_seal(struct journal_frame *frame)
{
	frame->checksum = XXH3_64bits(frame,
	    offsetof(struct journal_frame, checksum));
}

bool
frame_valid(const struct journal_frame *frame, uint64_t seq)
{
	return frame->length == FRAME_BYTES &&
	    (frame->type == FRAME_RECORD || frame->type == FRAME_LOST) &&
	    frame->seq == seq && frame->durable < seq &&
	    frame->checksum == XXH3_64bits(frame,
	    offsetof(struct journal_frame, checksum));
}

bool
journal_path(const char *dir, uint64_t first_seq, char *path_r, size_t size)
{
	int n = snprintf(path_r, size, "%s/%016" PRIx64 JOURNAL_SUFFIX, dir,
	    first_seq);

	return n > 0 && (size_t)n < size;
}

bool
journal_name_parse(const char *name, uint64_t *first_seq_r)
{
	char *end;

	if (strlen(name) != 16 + strlen(JOURNAL_SUFFIX) ||
	    strspn(name, "0123456789abcdef") != 16 ||
	    strcmp(name + 16, JOURNAL_SUFFIX) != 0)
		return false;
	errno = 0;
	*first_seq_r = strtoull(name, &end, 16);
	return errno == 0;
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct listing {
	uint64_t *first;
	int n, cap;
	bool short_of_memory;
};

static void
add_name(const char *name, void *arg)
{
	struct listing *l = arg;
	uint64_t first, *more;

	if (!journal_name_parse(name, &first) || l->short_of_memory)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : 2 * l->cap;
		more = realloc(l->first, (size_t)l->cap * sizeof(*more));
		if (more == NULL) {
			l->short_of_memory = true;
			return;
		}
		l->first = more;
	}
	l->first[l->n++] = first;
}

int
journal_list(const struct file_ops *ops, const char *dir, uint64_t **list_r)
{
	struct listing l = { .first = NULL };
	int saved;

	if (ops->list(dir, add_name, &l) != 0 || l.short_of_memory) {
		saved = l.short_of_memory ? ENOMEM : errno;
		free(l.first);
		errno = saved;
		return -1;
	}
	if (l.n != 0)
		qsort(l.first, (size_t)l.n, sizeof(*l.first), by_number);
	*list_r = l.first;
	return l.n;
}

#include "flusher/frame.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

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
header_decode(const void *block, size_t len, struct journal_header *h,
    const uint64_t **position_r)
{
	const uint8_t *p = block;
	uint64_t sum;

	if (len < sizeof(*h))
		return false;
	memcpy(h, p, sizeof(*h));
	if (h->magic != JOURNAL_MAGIC || h->version != JOURNAL_VERSION ||
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
	return frame->length == FRAME_BYTES && frame->type == FRAME_RECORD &&
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

int
journal_list(const char *dir, uint64_t **list_r)
{
	DIR *d = opendir(dir);
	uint64_t *list = NULL, *more, first;
	int n = 0, cap = 0, saved;
	struct dirent *e;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (!journal_name_parse(e->d_name, &first))
			continue;
		if (n == cap) {
			cap = cap == 0 ? 16 : 2 * cap;
			more = realloc(list, (size_t)cap * sizeof(*list));
			if (more == NULL) {
				saved = errno;
				free(list);
				closedir(d);
				errno = saved;
				return -1;
			}
			list = more;
		}
		list[n++] = first;
	}
	closedir(d);
	if (n != 0)
		qsort(list, (size_t)n, sizeof(*list), by_number);
	*list_r = list;
	return n;
}

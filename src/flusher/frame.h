/*
 * frame.h: the journal's bytes on disk.
 * Layer: flusher.
 * Written by: the flush thread; read by recovery and the apply thread.
 *
 *	journal_dir/<first seq, 16 hex digits>.yyj
 *
 *	0		header, HEADER_BLOCK bytes or a multiple
 *	header_bytes	frame of first_seq
 *	+ FRAME_BYTES	frame of first_seq + 1 …
 *
 * A file's content ends where the next file begins, so a file may be begun
 * again from an earlier number than the former one reached.  After the last
 * frame of the last file come zeros (preallocated) or what a crash left of
 * frames that never were made durable.  Numbers grow by one over the whole
 * life of a journal.  All integers are little-endian.
 */
#ifndef FLUSHER_FRAME_H
#define FLUSHER_FRAME_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shm/record.h"

struct file_ops;

#define JOURNAL_MAGIC UINT64_C(0x316c6e72756f7979)	/* "yyournl1" */
#define JOURNAL_VERSION 3
/* Read, too: what version 3 added to records was 0 in them. */
#define JOURNAL_VERSION_READ 2
#define JOURNAL_SUFFIX ".yyj"
#define HEADER_BLOCK 4096
#define JOURNAL_SEATS_MAX 65536

struct journal_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes;	/* of the whole block, positions included */
	uint32_t frame_bytes;
	uint32_t seats;
	uint64_t journal_id;	/* random; the same in all files */
	uint64_t first_seq;
	uint64_t incarnation;	/* of the segment that was there */
	int64_t created_us;
	uint32_t node;
	uint32_t reserved;
	/* uint64_t position[seats]: where reading each ring goes on,
	 * zeros up to header_bytes - 8, uint64_t xxh3 of all before it */
};

#define FRAME_RECORD 1
/* In the place of one that was damaged or missing, put there by a repair: its
 * number is used up, its call is lost; zeros but for number and checksum. */
#define FRAME_LOST 2

struct journal_frame {
	uint32_t length;	/* FRAME_BYTES */
	uint32_t type;		/* FRAME_… */
	uint64_t seq;
	uint64_t durable;	/* all up to here was, when it was written */
	uint64_t incarnation;	/* which segment, */
	uint64_t position;	/* where in */
	uint32_t seat;		/* whose ring */
	uint32_t reserved;
	struct call_record record;
	uint64_t checksum;	/* xxh3 of all before it */
};
#define FRAME_BYTES ((size_t)sizeof(struct journal_frame))
static_assert(sizeof(struct journal_frame) == 568,
    "the journal's format: frames have no padding and a fixed size");

/* Can files of this version be read? */
bool	journal_version_known(uint32_t version);

/* The size of a header block for so many seats. */
uint32_t header_size(uint32_t seats);
/* Fills block (header_size() bytes) with header, positions and checksum. */
void	header_encode(const struct journal_header *header,
	    const uint64_t *position, void *block);
/* True when it is one of ours, whole; *header_r and *position_r (borrowed from
 * the block) are set. */
bool	header_decode(const void *block, size_t len,
	    struct journal_header *header_r, const uint64_t **position_r)
	    __attribute__((warn_unused_result));

void	frame_seal(struct journal_frame *frame);
/* Whole, and of this number? */
bool	frame_valid(const struct journal_frame *frame, uint64_t seq);

/* path_r: dir/<first seq>.yyj; false when it doesn't fit. */
bool	journal_path(const char *dir, uint64_t first_seq, char *path_r,
	    size_t size) __attribute__((warn_unused_result));
/* The number in a file's name. */
bool	journal_name_parse(const char *name, uint64_t *first_seq_r);

/* First numbers of the journal's files, sorted; *list_r is the caller's to
 * free.  -1 with errno. */
int	journal_list(const struct file_ops *ops, const char *dir,
	    uint64_t **list_r);

#endif

/*
 * journal_read.h: reads the journal's files in order, for applying.
 * Layer: flusher.
 * Written by: nobody; the apply thread reads what the flush thread made
 * durable.
 */
#ifndef FLUSHER_JOURNAL_READ_H
#define FLUSHER_JOURNAL_READ_H

#include <stdint.h>

#include "flusher/file.h"
#include "flusher/frame.h"

struct journal_reader;

/* dir and ops are borrowed.  NULL: no memory. */
struct journal_reader *journal_reader_open(const char *dir,
	    const struct file_ops *ops);
void	journal_reader_close(struct journal_reader **reader);

/*
 * Reads frames seq, seq + 1 … into frames_r, at most max and none after
 * `last`, which must be durable.  Returns how many, 0 only with errno: EILSEQ
 * when a durable frame isn't there or is damaged.
 */
uint32_t journal_read(struct journal_reader *reader, uint64_t seq,
	    uint64_t last, struct journal_frame *frames_r, uint32_t max);

#endif

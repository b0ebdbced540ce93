/*
 * fuzz.h: what the fuzz targets share: cutting inputs, comparing transcripts.
 * Layer: tests.
 * Written by: each target.
 *
 * Every target holds one invariant above all: an input gives the same result
 * however it is cut.  So a target reads the input whole, byte by byte, and in
 * pieces whose sizes follow from the input itself, and compares what it noted.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process in a way that a fuzzer and a test both notice. */
static inline void
fuzz_check(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* How an input is cut. */
enum fuzz_cut {
	FUZZ_WHOLE,
	FUZZ_BYTES,
	FUZZ_PIECES,
	FUZZ_CUTS
};

struct fuzz_cutter {
	enum fuzz_cut cut;
	uint32_t state;
};

static inline struct fuzz_cutter
fuzz_cutter(enum fuzz_cut cut, const uint8_t *data, size_t size)
{
	struct fuzz_cutter cutter = { cut, 2166136261u };
	size_t i;

	for (i = 0; i < size; i++)
		cutter.state = (cutter.state ^ data[i]) * 16777619u;
	return cutter;
}

/* The size of the next piece, at most left, at least 1. */
static inline size_t
fuzz_piece(struct fuzz_cutter *cutter, size_t left)
{
	size_t n = left;

	if (cutter->cut == FUZZ_BYTES)
		n = 1;
	else if (cutter->cut == FUZZ_PIECES) {
		cutter->state = cutter->state * 1664525u + 1013904223u;
		n = 1 + (cutter->state >> 16) %
		    ((cutter->state >> 28) < 8 ? 5 : 200);
	}
	return n < left ? n : left;
}

/* A piece in memory of its own, so that a sanitizer sees its borders.  Freed by
 * the caller, at once, so that nothing can keep it. */
static inline char *
fuzz_copy(const void *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

/* What a reading noted. */
struct fuzz_notes {
	char *text;
	size_t len;
	size_t size;
};

static inline void
fuzz_note(struct fuzz_notes *notes, const void *data, size_t len)
{
	if (notes->len + len > notes->size) {
		notes->size = (notes->len + len) * 2 + 64;
		notes->text = realloc(notes->text, notes->size);
		if (notes->text == NULL)
			abort();
	}
	if (len > 0)
		memcpy(notes->text + notes->len, data, len);
	notes->len += len;
}

static inline void
fuzz_note_number(struct fuzz_notes *notes, uint64_t number)
{
	fuzz_note(notes, &number, sizeof(number));
}

static inline void
fuzz_same(const struct fuzz_notes *a, const struct fuzz_notes *b,
    const char *what)
{
	fuzz_check(a->len == b->len && (a->len == 0 ||
	    memcmp(a->text, b->text, a->len) == 0), what);
}

typedef void fuzz_read_fn(const uint8_t *data, size_t size,
    struct fuzz_cutter *cutter, struct fuzz_notes *notes);

/* Read the input in each way of cutting; all notes must be equal. */
static inline void
fuzz_every_cut(fuzz_read_fn *read, const uint8_t *data, size_t size)
{
	struct fuzz_notes notes[FUZZ_CUTS];
	struct fuzz_cutter cutter;
	int cut;

	memset(notes, 0, sizeof(notes));
	for (cut = FUZZ_WHOLE; cut < FUZZ_CUTS; cut++) {
		cutter = fuzz_cutter((enum fuzz_cut)cut, data, size);
		read(data, size, &cutter, &notes[cut]);
		if (cut > FUZZ_WHOLE)
			fuzz_same(&notes[FUZZ_WHOLE], &notes[cut],
			    "the result depends on the cut");
	}
	for (cut = FUZZ_WHOLE; cut < FUZZ_CUTS; cut++)
		free(notes[cut].text);
}

#endif

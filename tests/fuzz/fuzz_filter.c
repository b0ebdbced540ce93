/*
 * fuzz_filter.c: streams through the filter, whole and cut.  What comes out is
 * a part of what went in, in its order; where nothing was hidden and the last
 * frame is complete, it is all of it.
 */
#include "tests/fuzz/fuzz.h"
#include "wire/filter.h"

static void
feed_piece(struct wire_filter *filter, const char *piece, size_t len,
    struct fuzz_notes *notes)
{
	struct span span;
	size_t at = 0, used;
	int idle = 0;

	while (at < len) {
		wire_filter_feed(filter, piece + at, len - at, &used, &span);
		fuzz_check(used <= len - at, "took too much");
		idle = used == 0 ? idle + 1 : 0;
		fuzz_check(idle < 2, "no progress");
		fuzz_note(notes, span.p, span.len);
		at += used;
	}
}

static void
read_stream(const uint8_t *data, size_t size, struct fuzz_cutter *cutter,
    struct fuzz_notes *notes)
{
	struct wire_filter filter;
	struct span span;
	size_t at, n, before, i;
	char *piece;

	wire_filter_init(&filter);
	for (at = 0; at < size; at += n) {
		n = fuzz_piece(cutter, size - at);
		piece = fuzz_copy(data + at, n);
		feed_piece(&filter, piece, n, notes);
		free(piece);
	}
	before = notes->len;
	wire_filter_finish(&filter, &span);
	fuzz_note(notes, span.p, span.len);
	fuzz_check(notes->len <= size, "more than went in");
	if (filter.frames_hidden == 0)
		fuzz_check(notes->len == 0 || memcmp(notes->text, data,
		    notes->len) == 0, "changed without hiding");
	if (filter.frames_hidden == 0 && size - before == span.len)
		fuzz_check(notes->len == size, "lost without hiding");
	for (i = at = 0; i < notes->len; i++, at++)
		while (at < size && (char)data[at] != notes->text[i])
			at++;
	fuzz_check(at <= size, "not in order");
	fuzz_note_number(notes, filter.frames_hidden);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_every_cut(read_stream, data, size);
	return 0;
}

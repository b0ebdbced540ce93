/*
 * fuzz_sse.c: event streams, whole and cut.
 */
#include "http/sse.h"
#include "tests/fuzz/fuzz.h"

static void
read_events(const uint8_t *data, size_t size, struct fuzz_cutter *cutter,
    struct fuzz_notes *notes)
{
	struct sse sse;
	struct span span;
	size_t at = 0, n, used;
	char *piece;

	sse_init(&sse);
	while (at < size) {
		n = fuzz_piece(cutter, size - at);
		piece = fuzz_copy(data + at, n);
		switch (sse_next(&sse, piece, n, &used, &span)) {
		case SSE_DATA:
			fuzz_check(span.len > 0, "empty span");
			fuzz_note(notes, span.p, span.len);
			break;
		case SSE_END:
			fuzz_check(!sse.open, "open at its end");
			fuzz_note_number(notes, sse.has_data);
			fuzz_note(notes, sse.name, strlen(sse.name) + 1);
			break;
		case SSE_MORE:
			fuzz_check(used == n, "took too little");
			break;
		}
		free(piece);
		fuzz_check(used > 0 && used <= n, "progress");
		at += used;
	}
	fuzz_note_number(notes, sse.open);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_every_cut(read_events, data, size);
	return 0;
}

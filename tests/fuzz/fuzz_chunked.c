/*
 * fuzz_chunked.c: chunked bodies, whole and cut.
 */
#include "http/chunked.h"
#include "tests/fuzz/fuzz.h"

static void
read_chunks(const uint8_t *data, size_t size, struct fuzz_cutter *cutter,
    struct fuzz_notes *notes)
{
	struct chunked chunked;
	enum http_result result = HTTP_MORE;
	struct span span;
	size_t at = 0, n, used;
	char *piece;

	chunked_init(&chunked);
	while (at < size && result == HTTP_MORE) {
		n = fuzz_piece(cutter, size - at);
		piece = fuzz_copy(data + at, n);
		result = chunked_feed(&chunked, piece, n, &used, &span);
		fuzz_check(used > 0 && used <= n, "progress");
		fuzz_check(span.len == 0 || (span.p >= piece &&
		    span.p + span.len <= piece + used), "span");
		fuzz_note(notes, span.p, span.len);
		free(piece);
		at += used;
	}
	fuzz_note_number(notes, (uint64_t)result);
	if (result == HTTP_DONE)
		fuzz_note_number(notes, at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_every_cut(read_chunks, data, size);
	return 0;
}

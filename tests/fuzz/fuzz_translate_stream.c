/*
 * fuzz_translate_stream.c: a stream gives whole events of JSON, the same ones
 * however it is cut, and an error of ours can always end it.
 */
#include "tests/fuzz/translate_pair.h"

/* Every line is a data line, an event's name, a comment, or blank. */
static void
check_events(const char *p, size_t len)
{
	const char *end = p + len, *line;

	fuzz_check_utf8(p, len);
	fuzz_check(len == 0 || (len > 1 && memcmp(end - 2, "\n\n", 2) == 0),
	    "half an event");
	for (; p < end; p = line + 1) {
		line = memchr(p, '\n', (size_t)(end - p));
		fuzz_check(line != NULL, "half a line");
		if (line == p || *p == ':' || memcmp(p, "event: ", 7) == 0)
			continue;
		fuzz_check(line - p > 6 && memcmp(p, "data: ", 6) == 0,
		    "no field");
		if (line - p == 12 && memcmp(p + 6, "[DONE]", 6) == 0)
			continue;
		fuzz_check_document(p + 6, (size_t)(line - p) - 6);
	}
}

static void
read_stream(const uint8_t *data, size_t size, struct fuzz_cutter *cutter,
    struct fuzz_notes *notes)
{
	struct translate_answer_options options = fuzz_options(data[0]);
	struct translate_stream *stream = translate_stream_new(&options);
	enum translate_result result = TRANSLATE_OK;
	struct buf out;
	size_t at, n;
	char *piece;

	fuzz_check(stream != NULL, "no memory");
	buf_init(&out, 256u << 20);
	for (at = 1; at < size && result == TRANSLATE_OK; at += n) {
		n = fuzz_piece(cutter, size - at);
		piece = fuzz_copy(data + at, n);
		result = translate_stream_feed(stream, piece, n, &out);
		free(piece);
	}
	if (result == TRANSLATE_OK)
		result = translate_stream_end(stream, &out);
	fuzz_note_number(notes, result);
	if (result != TRANSLATE_OK)
		fuzz_check(translate_stream_fail(stream, 502, "cut", &out),
		    "no room");
	check_events(out.len > 0 ? buf_head(&out) : "", out.len);
	fuzz_note(notes, out.len > 0 ? buf_head(&out) : "", out.len);
	buf_free(&out);
	translate_stream_free(stream);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		fuzz_every_cut(read_stream, data, size);
	return 0;
}

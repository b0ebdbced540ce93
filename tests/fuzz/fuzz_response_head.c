/*
 * fuzz_response_head.c: heads of answers, whole and cut.
 */
#include "http/response_head.h"
#include "tests/fuzz/fuzz.h"

static void
note_head(const struct response_head *head, struct fuzz_notes *notes)
{
	const char *value;
	int i;

	fuzz_note_number(notes, (uint64_t)head->status);
	fuzz_note_number(notes, head->content_length);
	fuzz_note_number(notes, (uint64_t)head->retry_after_ms);
	fuzz_note_number(notes, (uint64_t)head->coding);
	fuzz_note_number(notes, (uint64_t)(head->keep_alive * 4 +
	    head->is_event_stream * 2 + head->is_json));
	fuzz_note_number(notes, (uint64_t)response_head_body(head, false));
	for (i = 0; i < RESPONSE_HEADERS; i++) {
		value = response_head_get(head, (enum response_header)i);
		if (value != NULL)
			fuzz_note(notes, value, strlen(value) + 1);
	}
	fuzz_check(head->status >= 200 && head->status <= 599, "status");
	fuzz_check(!head->chunked || !head->has_length, "two framings");
}

static void
read_head(const uint8_t *data, size_t size, struct fuzz_cutter *cutter,
    struct fuzz_notes *notes)
{
	struct response_head head;
	enum http_result result = HTTP_MORE;
	size_t at = 0, n, used;
	char *piece;

	response_head_init(&head);
	while (at < size && result == HTTP_MORE) {
		n = fuzz_piece(cutter, size - at);
		piece = fuzz_copy(data + at, n);
		result = response_head_feed(&head, piece, n, &used);
		free(piece);
		fuzz_check(used <= n, "took too much");
		fuzz_check(result != HTTP_MORE || used == n, "took too little");
		at += used;
	}
	fuzz_note_number(notes, (uint64_t)result);
	if (result == HTTP_DONE) {
		fuzz_note_number(notes, at);
		note_head(&head, notes);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_every_cut(read_head, data, size);
	return 0;
}

/*
 * fuzz_json_pull.c: the incremental reader, whole and cut.
 */
#include "http/json_pull.h"
#include "tests/fuzz/fuzz.h"

enum node {
	NODE_ROOT,
	NODE_A,
	NODE_B,
	NODE_LIST,
	NODE_ELEMENT,
	NODES
};

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = JSON_NODE("", NODE_A, 3, JSON_NODE_EDGES),
	[NODE_A] = JSON_NODE("a", NODE_A, 3,
	    JSON_NODE_EDGES | JSON_NODE_REPORT_REST),
	[NODE_B] = JSON_NODE("b", NODE_A, 1, JSON_NODE_COUNT_TEXT),
	[NODE_LIST] = JSON_NODE("list", NODE_ELEMENT, 1, JSON_NODE_EDGES),
	[NODE_ELEMENT] = JSON_NODE("[]", NODE_A, 4, JSON_NODE_EDGES),
};

static void
report(void *context, const struct json_pull_value *value)
{
	struct fuzz_notes *notes = context;

	fuzz_check(value->node < NODES, "node");
	fuzz_note_number(notes, value->node);
	fuzz_note_number(notes, (uint64_t)value->edge * 16 + value->type);
	fuzz_note_number(notes, value->number);
	fuzz_note_number(notes, (uint64_t)(value->unlisted * 16 +
	    value->negative * 8 + value->fraction * 4 + value->absurd * 2 +
	    value->text_cut));
	fuzz_check(value->text_len <= JSON_PULL_TEXT_BYTES &&
	    value->name_len <= JSON_PULL_TEXT_BYTES, "too long");
	fuzz_note(notes, value->text, value->text_len);
	fuzz_note(notes, value->name, value->name_len);
}

static void
read_text(const uint8_t *data, size_t size, struct fuzz_cutter *cutter,
    struct fuzz_notes *notes)
{
	struct json_pull pull;
	size_t at, n;
	char *piece;

	json_pull_init(&pull, nodes, report, notes);
	for (at = 0; at < size; at += n) {
		n = fuzz_piece(cutter, size - at);
		piece = fuzz_copy(data + at, n);
		json_pull_feed(&pull, piece, n);
		free(piece);
	}
	fuzz_note_number(notes, (uint64_t)json_pull_feed(&pull, NULL, 0));
	/* What counts of a text that is broken off depends on no cut. */
	fuzz_note_number(notes, pull.text_bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_every_cut(read_text, data, size);
	return 0;
}

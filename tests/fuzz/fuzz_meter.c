/*
 * fuzz_meter.c: answers of every kind, streamed and not, whole and cut.
 */
#include "tests/fuzz/fuzz.h"
#include "wire/meter.h"

static enum wire_route route;
static bool streamed;

static void
note_usage(struct wire_meter *meter, struct fuzz_notes *notes)
{
	const struct usage *usage = wire_meter_usage(meter);
	int i;

	for (i = 0; i < USAGE_SLOTS; i++) {
		fuzz_check(usage->count[i] <= USAGE_COUNT_MAX, "count");
		fuzz_note_number(notes, usage->count[i]);
	}
	fuzz_check(usage->reasoning <= usage->count[USAGE_OUTPUT],
	    "reasoning");
	fuzz_note_number(notes, usage->reasoning);
	fuzz_note_number(notes, usage->marks);
	for (i = 0; i < USAGE_OTHER_DIMS; i++) {
		fuzz_check(usage->other.count[i] <= USAGE_COUNT_MAX, "other");
		fuzz_note_number(notes, usage->other.count[i]);
	}
	fuzz_check(memchr(usage->other.model, '\0',
	    sizeof(usage->other.model)) != NULL, "model");
	fuzz_note(notes, usage->other.model, strlen(usage->other.model));
	fuzz_note_number(notes, (uint64_t)usage->tier << 24 |
	    (uint64_t)usage->speed << 16 | (uint64_t)usage->region << 8 |
	    usage->image_quality);
	fuzz_note_number(notes, (uint64_t)usage->image_width << 16 |
	    usage->image_height);
}

static void
read_answer(const uint8_t *data, size_t size, struct fuzz_cutter *cutter,
    struct fuzz_notes *notes)
{
	struct wire_meter meter;
	size_t at, n;
	char *piece;

	wire_meter_init(&meter, route, streamed);
	for (at = 0; at < size; at += n) {
		n = fuzz_piece(cutter, size - at);
		piece = fuzz_copy(data + at, n);
		wire_meter_feed(&meter, piece, n);
		free(piece);
	}
	fuzz_note_number(notes, wire_meter_frame_open(&meter));
	note_usage(&meter, notes);
	wire_meter_finish(&meter);
	note_usage(&meter, notes);
	fuzz_note_number(notes, meter.output_bytes_seen);
	fuzz_note_number(notes, (uint64_t)(meter.finished * 4 +
	    meter.error_seen * 2 + meter.malformed));
	fuzz_note(notes, meter.id, strlen(meter.id));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum wire_route routes[] = {
		WIRE_ROUTE_CHAT_COMPLETIONS, WIRE_ROUTE_MESSAGES,
		WIRE_ROUTE_RESPONSES, WIRE_ROUTE_EMBEDDINGS,
		WIRE_ROUTE_IMAGES, WIRE_ROUTE_TRANSCRIPTIONS,
		WIRE_ROUTE_SPEECH, WIRE_ROUTE_STREAM_GENERATE,
		WIRE_ROUTE_INTERACTIONS
	};
	size_t i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		route = routes[i];
		streamed = false;
		fuzz_every_cut(read_answer, data, size);
		streamed = true;
		fuzz_every_cut(read_answer, data, size);
	}
	return 0;
}

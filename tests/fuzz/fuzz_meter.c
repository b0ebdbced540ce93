/*
 * fuzz_meter.c: answers of both protocols, streamed and not, whole and cut.
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
	fuzz_note(notes, meter.service_tier, strlen(meter.service_tier));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int i;

	for (i = 0; i < 4; i++) {
		route = (i & 1) != 0 ? WIRE_ROUTE_MESSAGES :
		    WIRE_ROUTE_CHAT_COMPLETIONS;
		streamed = (i & 2) != 0;
		fuzz_every_cut(read_answer, data, size);
	}
	return 0;
}

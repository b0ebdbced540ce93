/*
 * fuzz_form.c: forms, whole and cut: what is read of them must not depend on
 * how they came, and what goes up must be read alike.
 */
#include "tests/fuzz/fuzz.h"
#include "wire/form.h"
#include "wire/splice.h"

static const struct span type = { "multipart/form-data; boundary=B", 31 };

static void
read_form(const uint8_t *data, size_t size, struct fuzz_cutter *cutter,
    struct fuzz_notes *notes)
{
	struct wire_request req;
	struct wire_fault fault;
	struct wire_form form;
	bool good;
	char *piece;
	size_t at, n;

	good = wire_form_init(&form, WIRE_ROUTE_IMAGE_EDITS, type, &req,
	    &fault);
	fuzz_check(good, "init");
	for (at = 0; good && at < size; at += n) {
		n = fuzz_piece(cutter, size - at);
		piece = fuzz_copy(data + at, n);
		good = wire_form_feed(&form, piece, n, &req, &fault);
		free(piece);
	}
	good = good && wire_form_finish(&form, &req, &fault);
	fuzz_note_number(notes, good);
	if (!good) {
		fuzz_check(wire_error_status(fault.error) == 400, "fault");
		return;
	}
	fuzz_note(notes, req.model, strlen(req.model));
	fuzz_note_number(notes, req.n);
	fuzz_note_number(notes, req.model_value.start);
	fuzz_note_number(notes, form.file_bytes);
	fuzz_check(req.model_value.end <= size, "place");
	fuzz_check(memcmp(data + req.model_value.start, req.model,
	    strlen(req.model)) == 0, "model");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_every_cut(read_form, data, size);
	return 0;
}

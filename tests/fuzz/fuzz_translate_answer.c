/*
 * fuzz_translate_answer.c: a whole answer is translated into JSON, or refused
 * with nothing written; any bytes make a good error.
 */
#include "tests/fuzz/translate_pair.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct translate_answer_options options;
	struct buf out;
	char *body;

	if (size == 0)
		return 0;
	options = fuzz_options(data[0]);
	body = fuzz_copy(data + 1, size - 1);
	buf_init(&out, 64u << 20);
	if (translate_answer(&options, body, size - 1, &out) == TRANSLATE_OK)
		fuzz_check_document(buf_head(&out), out.len);
	else
		fuzz_check(out.len == 0, "failed, but written");
	buf_consume(&out, out.len);
	fuzz_check(translate_error(&options, 400 + data[0], body, size - 1,
	    &out), "no room");
	fuzz_check_document(buf_head(&out), out.len);
	buf_free(&out);
	free(body);
	return 0;
}

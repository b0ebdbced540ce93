/*
 * fuzz_translate_request.c: a request is translated into JSON, or refused with
 * a reason and nothing written.
 */
#include "tests/fuzz/translate_pair.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct translate_request_options options = {
		.model = "claude-sonnet-4-5"
	};
	struct translate_answer_options pair;
	struct translate_refusal refusal;
	struct translate_wish wish;
	enum translate_result result;
	char text[512], *body;
	struct buf out;

	if (size == 0)
		return 0;
	pair = fuzz_options(data[0]);
	body = fuzz_copy(data + 1, size - 1);
	buf_init(&out, 64u << 20);
	result = translate_request(pair.client, pair.upstream, body, size - 1,
	    &options, &out, &wish, &refusal);
	free(body);
	if (result == TRANSLATE_OK) {
		fuzz_check_document(buf_head(&out), out.len);
	} else {
		fuzz_check(result == TRANSLATE_REFUSED, "no room");
		fuzz_check(out.len == 0, "refused, but written");
		translate_refusal_text(&refusal, text, sizeof(text));
		fuzz_check_utf8(text, strlen(text));
	}
	buf_free(&out);
	return 0;
}

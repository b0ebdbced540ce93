#include "admin/attest_answer.h"

#include "admin/attest_upstream.h"

#define BODY_MAX_BYTES (UINT32_C(1) << 20)
#define TEXT_BYTES 1000
#define LARGE_BYTES 100000

/* {"id":…,"choices":[{"index":0,"delta":{"content":"…"},…, an event. */
static bool
put_chat_delta(struct buf *b, const char *canary)
{
	return buf_printf(b, "data: {\"id\":\"attest\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":1,\"model\":\"attest\","
	    "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"") &&
	    canary_text(b, canary, TEXT_BYTES) &&
	    buf_printf(b, "\"},\"finish_reason\":null}]}\n\n");
}

static bool
put_chat_end(struct buf *b)
{
	return buf_printf(b, "data: {\"id\":\"attest\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":1,\"model\":\"attest\","
	    "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
	    "\"stop\"}]}\n\n"
	    "data: {\"id\":\"attest\",\"object\":\"chat.completion.chunk\","
	    "\"created\":1,\"model\":\"attest\",\"choices\":[],\"usage\":"
	    "{\"prompt_tokens\":%d,\"completion_tokens\":%d,"
	    "\"total_tokens\":%d}}\n\ndata: [DONE]\n\n", ATTEST_INPUT_TOKENS,
	    ATTEST_OUTPUT_TOKENS, ATTEST_INPUT_TOKENS + ATTEST_OUTPUT_TOKENS);
}

static bool
put_chat(struct buf *b, const char *canary, size_t bytes)
{
	return buf_printf(b, "{\"id\":\"attest\",\"object\":"
	    "\"chat.completion\",\"created\":1,\"model\":\"attest\","
	    "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
	    "\"content\":\"") && canary_text(b, canary, bytes) &&
	    buf_printf(b, "\"},\"finish_reason\":\"stop\"}],\"usage\":"
	    "{\"prompt_tokens\":%d,\"completion_tokens\":%d,"
	    "\"total_tokens\":%d}}", ATTEST_INPUT_TOKENS,
	    ATTEST_OUTPUT_TOKENS, ATTEST_INPUT_TOKENS + ATTEST_OUTPUT_TOKENS);
}

static bool
put_message(struct buf *b, const char *canary)
{
	return buf_printf(b, "{\"id\":\"attest\",\"type\":\"message\","
	    "\"role\":\"assistant\",\"model\":\"attest\",\"content\":"
	    "[{\"type\":\"text\",\"text\":\"") &&
	    canary_text(b, canary, TEXT_BYTES) &&
	    buf_printf(b, "\"}],\"stop_reason\":\"end_turn\","
	    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":%d,"
	    "\"output_tokens\":%d}}", ATTEST_INPUT_TOKENS,
	    ATTEST_OUTPUT_TOKENS);
}

static bool
put_message_stream(struct buf *b, const char *canary)
{
	return buf_printf(b, "event: message_start\ndata: {\"type\":"
	    "\"message_start\",\"message\":{\"id\":\"attest\",\"type\":"
	    "\"message\",\"role\":\"assistant\",\"model\":\"attest\","
	    "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
	    "\"usage\":{\"input_tokens\":%d,\"output_tokens\":1}}}\n\n"
	    "event: content_block_start\ndata: {\"type\":"
	    "\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
	    "\"text\",\"text\":\"\"}}\n\n"
	    "event: content_block_delta\ndata: {\"type\":"
	    "\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
	    "\"text_delta\",\"text\":\"", ATTEST_INPUT_TOKENS) &&
	    canary_text(b, canary, TEXT_BYTES) &&
	    buf_printf(b, "\"}}\n\n"
	    "event: content_block_stop\ndata: {\"type\":"
	    "\"content_block_stop\",\"index\":0}\n\n"
	    "event: message_delta\ndata: {\"type\":\"message_delta\","
	    "\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"
	    "\"usage\":{\"output_tokens\":%d}}\n\n"
	    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	    ATTEST_OUTPUT_TOKENS);
}

static bool
put_error(struct buf *b, const char *canary)
{
	return buf_printf(b, "{\"error\":{\"message\":\"") &&
	    canary_text(b, canary, TEXT_BYTES) &&
	    buf_printf(b, "\",\"type\":\"invalid_request_error\","
	    "\"param\":null,\"code\":null}}");
}

bool
attest_answer_make(struct attest_answer *a, const struct canaries *canaries,
    enum canary_path path)
{
	const char *canary = canaries->text[canary_of(path, PLACE_ANSWER)];

	*a = (struct attest_answer){ .status = 200, .canary = canary };
	buf_init(&a->body, BODY_MAX_BYTES);
	switch (path) {
	case PATH_STREAMED:
		a->streamed = a->ends = true;
		return put_chat_delta(&a->body, canary) &&
		    put_chat_delta(&a->body, canary) && put_chat_end(&a->body);
	case PATH_BROKEN:
		a->closes = true;
		a->streamed = true;
		return put_chat_delta(&a->body, canary);
	case PATH_STALLED:
	case PATH_DISCONNECT:
	case PATH_KILLED:
		a->streamed = true;
		return put_chat_delta(&a->body, canary);
	case PATH_LARGE:
		return put_chat(&a->body, canary, LARGE_BYTES);
	case PATH_UPSTREAM_4XX:
		a->status = 400;
		return put_error(&a->body, canary);
	case PATH_UPSTREAM_5XX:
		a->status = 500;
		return put_error(&a->body, canary);
	case PATH_TRANSLATED:
		return put_message(&a->body, canary);
	case PATH_TRANSLATED_STREAMED:
		a->streamed = a->ends = true;
		return put_message_stream(&a->body, canary);
	case PATH_TIMEOUT:
		a->silent = true;
		return true;
	case PATH_ANSWERED:
	case PATH_REFUSED:
	case PATH_UNKNOWN_MODEL:
		break;
	}
	return put_chat(&a->body, canary, TEXT_BYTES);
}

void
attest_answer_free(struct attest_answer *a)
{
	buf_free(&a->body);
}

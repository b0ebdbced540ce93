#include <stdio.h>
#include <string.h>

#include "tests/peer/speak.h"

#define CREATED 1700000000

static void
put_usage(const struct peer_plan *plan, long long said, struct peer_buf *out)
{
	const struct peer_usage *usage = &plan->usage;
	long long prompt = usage->input + usage->cached + usage->write_5m +
	    usage->write_1h;

	if (plan->answer->scenario->usage == PEER_USAGE_RAW) {
		peer_buf_printf(out, "\"usage\":{\"prompt_tokens\":%s,"
		    "\"completion_tokens\":%s}",
		    plan->answer->scenario->said[0],
		    plan->answer->scenario->said[1]);
		return;
	}
	peer_buf_printf(out, "\"usage\":{\"prompt_tokens\":%lld,"
	    "\"completion_tokens\":%lld,\"total_tokens\":%lld,"
	    "\"prompt_tokens_details\":{\"cached_tokens\":%lld,"
	    "\"audio_tokens\":0", prompt, said, prompt + said, usage->cached);
	if (usage->write_5m > 0)
		peer_buf_printf(out, ",\"cache_write_tokens\":%lld",
		    usage->write_5m + usage->write_1h);
	peer_buf_text(out, "},\"completion_tokens_details\":"
	    "{\"reasoning_tokens\":0,\"audio_tokens\":0}}");
}

static void
put_base(const struct peer_plan *plan, const char *object,
    struct peer_buf *out)
{
	peer_buf_printf(out, "{\"id\":\"chatcmpl-peer-%lu\",\"object\":\"%s\","
	    "\"created\":%d,\"model\":\"", plan->answer->serial, object,
	    CREATED);
	peer_buf_json(out, plan->model, strlen(plan->model));
	peer_buf_text(out, "\",\"service_tier\":\"default\",");
}

static const char *
finish_reason(const struct peer_plan *plan)
{
	return plan->cut_short ? "length" : "stop";
}

static void
openai_whole(const struct peer_plan *plan, struct peer_buf *body)
{
	put_base(plan, "chat.completion", body);
	peer_buf_text(body, "\"choices\":[{\"index\":0,\"message\":"
	    "{\"role\":\"assistant\",\"content\":\"");
	peer_buf_json(body, plan->text, plan->text_len);
	peer_buf_printf(body, "\",\"refusal\":null},\"logprobs\":null,"
	    "\"finish_reason\":\"%s\"}]", finish_reason(plan));
	if (plan->answer->scenario->usage == PEER_USAGE_NULL) {
		peer_buf_text(body, ",\"usage\":null");
	} else if (plan->answer->scenario->usage != PEER_USAGE_NONE) {
		peer_buf_text(body, ",");
		put_usage(plan, plan->usage.output, body);
	}
	peer_buf_text(body, "}\n");
}

/* With include_usage, every chunk but the last says "usage":null. */
static void
put_chunk_end(const struct peer_plan *plan, const char *reason,
    long long said, struct peer_buf *out)
{
	enum peer_usage_kind kind = plan->answer->scenario->usage;

	peer_buf_printf(out, "},\"logprobs\":null,\"finish_reason\":%s}]",
	    reason);
	if (kind == PEER_USAGE_EVERY_CHUNK ||
	    (kind == PEER_USAGE_ON_CHOICES && reason[0] == '"')) {
		peer_buf_text(out, ",");
		put_usage(plan, said, out);
	} else if (plan->answer->request->include_usage) {
		peer_buf_text(out, ",\"usage\":null");
	}
	peer_buf_text(out, "}");
}

static void
put_chunk_begin(const struct peer_plan *plan, struct peer_buf *out)
{
	put_base(plan, "chat.completion.chunk", out);
	peer_buf_text(out, "\"choices\":[{\"index\":0,\"delta\":{");
}

static bool
openai_begin(const struct peer_plan *plan)
{
	struct peer_buf data = { 0 };
	bool good;

	put_chunk_begin(plan, &data);
	peer_buf_text(&data, "\"role\":\"assistant\",\"content\":\"\"");
	if (plan->answer->scenario->usage == PEER_USAGE_FIRST) {
		peer_buf_text(&data, "}}],");
		put_usage(plan, 0, &data);
		peer_buf_text(&data, "}");
	} else {
		put_chunk_end(plan, "null", 0, &data);
	}
	good = peer_answer_event(plan->answer, NULL, data.data);
	peer_buf_reset(&data);
	return good;
}

static void
openai_piece(const struct peer_plan *plan, const char *text, size_t len,
    long long said, struct peer_buf *data)
{
	put_chunk_begin(plan, data);
	peer_buf_text(data, "\"content\":\"");
	peer_buf_json(data, text, len);
	peer_buf_text(data, "\"");
	put_chunk_end(plan, "null", said, data);
}

static bool
wants_usage_chunk(const struct peer_plan *plan)
{
	enum peer_usage_kind kind = plan->answer->scenario->usage;

	return plan->answer->request->include_usage &&
	    kind != PEER_USAGE_NONE && kind != PEER_USAGE_EVERY_CHUNK &&
	    kind != PEER_USAGE_ON_CHOICES && kind != PEER_USAGE_FIRST &&
	    kind != PEER_USAGE_LATE;
}

static bool
send_usage_chunk(const struct peer_plan *plan, long long said)
{
	struct peer_buf data = { 0 };
	bool good;

	put_base(plan, "chat.completion.chunk", &data);
	peer_buf_text(&data, "\"choices\":[],");
	if (plan->answer->scenario->usage == PEER_USAGE_NULL)
		peer_buf_text(&data, "\"usage\":null");
	else
		put_usage(plan, said, &data);
	peer_buf_text(&data, "}");
	good = peer_answer_event(plan->answer, NULL, data.data);
	peer_buf_reset(&data);
	return good;
}

static bool
openai_end(const struct peer_plan *plan)
{
	struct peer_answer *answer = plan->answer;
	struct peer_buf data = { 0 };
	char reason[16];
	bool good;

	snprintf(reason, sizeof(reason), "\"%s\"", finish_reason(plan));
	put_chunk_begin(plan, &data);
	put_chunk_end(plan, reason, plan->usage.output, &data);
	good = peer_answer_event(answer, NULL, data.data);
	peer_buf_reset(&data);
	if (good && wants_usage_chunk(plan))
		good = send_usage_chunk(plan, plan->usage.output);
	if (good && answer->scenario->usage == PEER_USAGE_SHRINKING)
		good = send_usage_chunk(plan, 1);
	if (good && !answer->scenario->no_done)
		good = peer_answer_event(answer, NULL, "[DONE]");
	if (good && answer->scenario->usage == PEER_USAGE_LATE)
		good = send_usage_chunk(plan, plan->usage.output);
	return good;
}

static void
openai_error(int status, struct peer_buf *body)
{
	const char *type = status == 401 ? "authentication_error" :
	    status == 429 ? "rate_limit_exceeded" :
	    status >= 500 ? "server_error" : "invalid_request_error";

	peer_buf_printf(body, "{\"error\":{\"message\":\"The peer says %d to "
	    "sk-upstream-secret.\",\"type\":\"%s\",\"param\":null,"
	    "\"code\":null}}", status, type);
}

const struct peer_voice peer_voice_openai = {
	.whole = openai_whole,
	.begin = openai_begin,
	.piece = openai_piece,
	.end = openai_end,
	.error = openai_error,
};

#include <string.h>

#include "tests/peer/speak.h"

static void
put_usage(const struct peer_plan *plan, long long said, struct peer_buf *out)
{
	const struct peer_usage *usage = &plan->usage;

	if (plan->answer->scenario->usage == PEER_USAGE_RAW) {
		peer_buf_printf(out, "\"usage\":{\"input_tokens\":%s,"
		    "\"output_tokens\":%s}",
		    plan->answer->scenario->said[0],
		    plan->answer->scenario->said[1]);
		return;
	}
	peer_buf_printf(out, "\"usage\":{\"input_tokens\":%lld,"
	    "\"cache_creation_input_tokens\":%lld,"
	    "\"cache_read_input_tokens\":%lld,\"cache_creation\":"
	    "{\"ephemeral_5m_input_tokens\":%lld,"
	    "\"ephemeral_1h_input_tokens\":%lld},\"output_tokens\":%lld,"
	    "\"service_tier\":\"standard\"}", usage->input,
	    usage->write_5m + usage->write_1h, usage->cached, usage->write_5m,
	    usage->write_1h, said);
}

/* ,"usage":{...} as the scenario tells it, or nothing. */
static void
put_member_usage(const struct peer_plan *plan, long long said,
    struct peer_buf *out)
{
	if (plan->answer->scenario->usage == PEER_USAGE_NONE)
		return;
	peer_buf_text(out, ",");
	if (plan->answer->scenario->usage == PEER_USAGE_NULL)
		peer_buf_text(out, "\"usage\":null");
	else
		put_usage(plan, said, out);
}

static void
put_base(const struct peer_plan *plan, struct peer_buf *out)
{
	peer_buf_printf(out, "{\"id\":\"msg_peer_%lu\",\"type\":\"message\","
	    "\"role\":\"assistant\",\"model\":\"", plan->answer->serial);
	peer_buf_json(out, plan->model, strlen(plan->model));
	peer_buf_text(out, "\",");
}

static const char *
stop_reason(const struct peer_plan *plan)
{
	return plan->cut_short ? "max_tokens" : "end_turn";
}

static void
anthropic_whole(const struct peer_plan *plan, struct peer_buf *body)
{
	put_base(plan, body);
	peer_buf_text(body, "\"content\":[{\"type\":\"text\",\"text\":\"");
	peer_buf_json(body, plan->text, plan->text_len);
	peer_buf_printf(body, "\"}],\"stop_reason\":\"%s\","
	    "\"stop_sequence\":null", stop_reason(plan));
	put_member_usage(plan, plan->usage.output, body);
	peer_buf_text(body, "}");
}

static bool
anthropic_begin(const struct peer_plan *plan)
{
	struct peer_answer *answer = plan->answer;
	struct peer_buf data = { 0 };
	bool good;

	peer_buf_text(&data, "{\"type\":\"message_start\",\"message\":");
	put_base(plan, &data);
	peer_buf_text(&data, "\"content\":[],\"stop_reason\":null,"
	    "\"stop_sequence\":null");
	if (answer->scenario->usage != PEER_USAGE_LATE)
		put_member_usage(plan, 1, &data);
	peer_buf_text(&data, "}}");
	good = peer_answer_event(answer, "message_start", data.data);
	peer_buf_reset(&data);
	return good &&
	    peer_answer_event(answer, "content_block_start",
	    "{\"type\":\"content_block_start\",\"index\":0,"
	    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}") &&
	    peer_answer_event(answer, "ping", "{\"type\": \"ping\"}");
}

static void
anthropic_piece(const struct peer_plan *plan, const char *text, size_t len,
    long long said, struct peer_buf *data)
{
	(void)plan;
	(void)said;
	peer_buf_text(data, "{\"type\":\"content_block_delta\",\"index\":0,"
	    "\"delta\":{\"type\":\"text_delta\",\"text\":\"");
	peer_buf_json(data, text, len);
	peer_buf_text(data, "\"}}");
}

/* said: -1: without a usage. */
static bool
send_delta(const struct peer_plan *plan, long long said)
{
	struct peer_buf data = { 0 };
	bool good;

	peer_buf_printf(&data, "{\"type\":\"message_delta\",\"delta\":"
	    "{\"stop_reason\":\"%s\",\"stop_sequence\":null}",
	    stop_reason(plan));
	if (said >= 0 || plan->answer->scenario->usage ==
	    PEER_USAGE_NEGATIVE)
		put_member_usage(plan, said, &data);
	peer_buf_text(&data, "}");
	good = peer_answer_event(plan->answer, "message_delta", data.data);
	peer_buf_reset(&data);
	return good;
}

static bool
anthropic_end(const struct peer_plan *plan)
{
	struct peer_answer *answer = plan->answer;
	enum peer_usage_kind kind = answer->scenario->usage;
	bool late = kind == PEER_USAGE_FIRST || kind == PEER_USAGE_LATE;

	return peer_answer_event(answer, "content_block_stop",
	    "{\"type\":\"content_block_stop\",\"index\":0}") &&
	    send_delta(plan, late ? -1 : plan->usage.output) &&
	    (kind != PEER_USAGE_SHRINKING || send_delta(plan, 1)) &&
	    peer_answer_event(answer, "message_stop",
	    "{\"type\":\"message_stop\"}") &&
	    (kind != PEER_USAGE_LATE || send_delta(plan, plan->usage.output));
}

static void
anthropic_error(int status, struct peer_buf *body)
{
	const char *type = status == 401 ? "authentication_error" :
	    status == 404 ? "not_found_error" :
	    status == 429 ? "rate_limit_error" :
	    status == 529 ? "overloaded_error" :
	    status >= 500 ? "api_error" : "invalid_request_error";

	peer_buf_printf(body, "{\"type\":\"error\",\"error\":{\"type\":\"%s\","
	    "\"message\":\"The peer says %d to sk-upstream-secret.\"}}", type,
	    status);
}

const struct peer_voice peer_voice_anthropic = {
	.whole = anthropic_whole,
	.begin = anthropic_begin,
	.piece = anthropic_piece,
	.end = anthropic_end,
	.error = anthropic_error,
	.piece_name = "content_block_delta",
	.error_name = "error",
};

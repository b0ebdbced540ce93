/*
 * answer_to_chat.c: an answer as chat completions' clients read it.
 *
 * Reasoning goes out as reasoning_content, which most clients know.  Where the
 * provider signs it, reasoning_details repeats it with the signature: a client
 * that gives these back lets the model go on thinking.  A signed call carries
 * extra_content.google.thought_signature.
 */
#include "translate/answer.h"

static const char claude[] = "\"format\":\"anthropic-claude-v1\",\"index\":";

static void
put_head(struct answer *answer)
{
	struct buf *out = answer->out;

	answer_add(answer, out, "{\"id\":");
	answer_put_id(answer, out, "chatcmpl-");
	answer_add(answer, out, answer->whole ?
	    ",\"object\":\"chat.completion\",\"created\":" :
	    ",\"object\":\"chat.completion.chunk\",\"created\":");
	answer_put_count(answer, out, (uint64_t)answer->options->created_s);
	answer_add(answer, out, ",\"model\":");
	answer_put_word(answer, out, answer->model);
	answer_add(answer, out, ",\"choices\":[");
}

static void
begin_delta(struct answer *answer)
{
	answer_add(answer, answer->out, "data: ");
	put_head(answer);
	answer_add(answer, answer->out, "{\"index\":0,\"delta\":{");
}

static void
end_delta(struct answer *answer)
{
	answer_add(answer, answer->out, "},\"finish_reason\":null}]}\n\n");
}

static void
begin(struct answer *answer)
{
	if (answer->whole)
		return;
	begin_delta(answer);
	answer_add(answer, answer->out,
	    "\"role\":\"assistant\",\"content\":\"\"");
	end_delta(answer);
}

/* A call up to its arguments' text; pending is the signature before it. */
static void
put_call(struct answer *answer, struct buf *to)
{
	answer_add(answer, to, "\"id\":");
	answer_put_word(answer, to, answer->call_id);
	answer_add(answer, to, ",\"type\":\"function\"");
	if (answer->details.len > 0 &&
	    answer->options->upstream == TRANSLATE_GEMINI) {
		answer_add(answer, to,
		    ",\"extra_content\":{\"google\":{\"thought_signature\":\"");
		answer_put_span(answer, to, answer_held(&answer->details));
		answer_add(answer, to, "\"}}");
		buf_consume(&answer->details, answer->details.len);
	}
	answer_add(answer, to, ",\"function\":{\"name\":");
	answer_put_word(answer, to, answer->call_name);
	answer_add(answer, to, ",\"arguments\":\"");
}

static bool
is_signed(const struct answer *answer)
{
	return answer->options->upstream == TRANSLATE_MESSAGES;
}

static void
open_part(struct answer *answer)
{
	struct buf *to = answer->whole ? &answer->output : answer->out;

	if (answer->kind != ANSWER_CALL)
		return;
	if (!answer->whole) {
		begin_delta(answer);
		answer_add(answer, to, "\"tool_calls\":[{\"index\":");
		answer_put_count(answer, to, answer->calls - 1);
		answer_add(answer, to, ",");
	} else
		answer_add(answer, to, answer->calls > 1 ? ",{" : "{");
	put_call(answer, to);
	if (!answer->whole) {
		answer_add(answer, to, "\"}}]");
		end_delta(answer);
	}
}

static void
begin_detail(struct answer *answer, struct buf *to, bool encrypted)
{
	answer_add(answer, to, encrypted ?
	    "{\"type\":\"reasoning.encrypted\"," :
	    "{\"type\":\"reasoning.text\",");
	answer_add(answer, to, claude);
	answer_put_count(answer, to, answer->thoughts - 1);
}

static void
whole_delta(struct answer *answer, struct span text)
{
	switch (answer->kind) {
	case ANSWER_TEXT:
		answer_put_escaped(answer, &answer->content, text);
		break;
	case ANSWER_CALL:
		answer_put_escaped(answer, &answer->output, text);
		break;
	case ANSWER_THINKING:
		answer_put_escaped(answer, &answer->thinking, text);
		if (!is_signed(answer))
			break;
		if (answer->empty) {
			answer_add(answer, &answer->details,
			    answer->details.len > 0 ? "," : "");
			begin_detail(answer, &answer->details, false);
			answer_add(answer, &answer->details, ",\"text\":\"");
		}
		answer_put_escaped(answer, &answer->details, text);
		break;
	}
}

static void
delta(struct answer *answer, struct span text)
{
	struct buf *out = answer->out;

	if (answer->whole) {
		whole_delta(answer, text);
		return;
	}
	begin_delta(answer);
	switch (answer->kind) {
	case ANSWER_TEXT:
		answer_add(answer, out, "\"content\":");
		answer_put_string(answer, out, text);
		break;
	case ANSWER_CALL:
		answer_add(answer, out, "\"tool_calls\":[{\"index\":");
		answer_put_count(answer, out, answer->calls - 1);
		answer_add(answer, out, ",\"function\":{\"arguments\":");
		answer_put_string(answer, out, text);
		answer_add(answer, out, "}}]");
		break;
	case ANSWER_THINKING:
		answer_add(answer, out, "\"reasoning_content\":");
		answer_put_string(answer, out, text);
		if (!is_signed(answer))
			break;
		answer_add(answer, out, ",\"reasoning_details\":[");
		begin_detail(answer, out, false);
		answer_add(answer, out, ",\"text\":");
		answer_put_string(answer, out, text);
		answer_add(answer, out, "}]");
		break;
	}
	end_delta(answer);
}

static void
put_signature(struct answer *answer, struct buf *to)
{
	answer_add(answer, to, answer->redacted ? ",\"data\":" :
	    ",\"signature\":");
	answer_put_string(answer, to, answer_held(&answer->signature));
	answer_add(answer, to, "}");
}

static void
close_thinking(struct answer *answer)
{
	struct buf *details = &answer->details;

	if (answer->origin == CONVERSATION_GEMINI) {
		/* It waits for the call that it is given with. */
		buf_consume(details, details->len);
		answer_put_escaped(answer, details,
		    answer_held(&answer->signature));
		return;
	}
	if (!is_signed(answer))
		return;
	if (answer->whole) {
		if (answer->empty) {
			answer_add(answer, details, details->len > 0 ? "," :
			    "");
			begin_detail(answer, details, answer->redacted);
		} else
			answer_add(answer, details, "\"");
		put_signature(answer, details);
	} else if (answer->signature.len > 0) {
		begin_delta(answer);
		answer_add(answer, answer->out, "\"reasoning_details\":[");
		begin_detail(answer, answer->out, answer->redacted);
		put_signature(answer, answer->out);
		answer_add(answer, answer->out, "]");
		end_delta(answer);
	}
}

static void
close_part(struct answer *answer)
{
	if (answer->kind == ANSWER_THINKING)
		close_thinking(answer);
	else if (answer->kind == ANSWER_CALL && answer->whole)
		answer_add(answer, &answer->output, "\"}}");
}

static void
put_usage(struct answer *answer)
{
	const struct answer_usage *usage = &answer->usage;
	uint64_t prompt = usage->input + usage->cache_read +
	    usage->cache_write;
	struct buf *out = answer->out;

	answer_add(answer, out, "\"usage\":{\"prompt_tokens\":");
	answer_put_count(answer, out, prompt);
	answer_add(answer, out, ",\"completion_tokens\":");
	answer_put_count(answer, out, usage->output);
	answer_add(answer, out, ",\"total_tokens\":");
	answer_put_count(answer, out, prompt + usage->output);
	answer_add(answer, out,
	    ",\"prompt_tokens_details\":{\"cached_tokens\":");
	answer_put_count(answer, out, usage->cache_read);
	if (usage->cache_write > 0) {
		answer_add(answer, out, ",\"cache_write_tokens\":");
		answer_put_count(answer, out, usage->cache_write);
	}
	answer_add(answer, out,
	    "},\"completion_tokens_details\":{\"reasoning_tokens\":");
	answer_put_count(answer, out, usage->reasoning);
	answer_add(answer, out, "}}");
}

static const char *
finish_reason(const struct answer *answer)
{
	switch (answer->stop) {
	case ANSWER_STOP_LENGTH:
		return "length";
	case ANSWER_STOP_CALL:
		return "tool_calls";
	case ANSWER_STOP_FILTER:
		return "content_filter";
	case ANSWER_STOP_UNSAID:
	case ANSWER_STOP_END:
	case ANSWER_STOP_SEQUENCE:
		break;
	}
	return "stop";
}

static void
put_quoted(struct answer *answer, const struct buf *held, const char *before)
{
	answer_add(answer, answer->out, before);
	answer_add(answer, answer->out, "\"");
	answer_put_span(answer, answer->out, answer_held(held));
	answer_add(answer, answer->out, "\"");
}

static void
put_message(struct answer *answer)
{
	struct buf *out = answer->out;

	answer_add(answer, out, "{\"index\":0,\"message\":{"
	    "\"role\":\"assistant\"");
	if (answer->content.len > 0 || answer->calls == 0)
		put_quoted(answer, &answer->content, ",\"content\":");
	else
		answer_add(answer, out, ",\"content\":null");
	answer_add(answer, out, ",\"refusal\":null");
	if (answer->thinking.len > 0)
		put_quoted(answer, &answer->thinking,
		    ",\"reasoning_content\":");
	if (answer->details.len > 0 && is_signed(answer)) {
		answer_add(answer, out, ",\"reasoning_details\":[");
		answer_put_span(answer, out, answer_held(&answer->details));
		answer_add(answer, out, "]");
	}
	if (answer->calls > 0) {
		answer_add(answer, out, ",\"tool_calls\":[");
		answer_put_span(answer, out, answer_held(&answer->output));
		answer_add(answer, out, "]");
	}
	answer_add(answer, out, "},\"logprobs\":null,\"finish_reason\":");
	answer_put_word(answer, out, finish_reason(answer));
	answer_add(answer, out, "}],");
}

static void
finish(struct answer *answer)
{
	struct buf *out = answer->out;

	if (answer->whole) {
		put_head(answer);
		put_message(answer);
		put_usage(answer);
		answer_add(answer, out, "}");
		return;
	}
	answer_add(answer, out, "data: ");
	put_head(answer);
	answer_add(answer, out, "{\"index\":0,\"delta\":{},"
	    "\"finish_reason\":");
	answer_put_word(answer, out, finish_reason(answer));
	answer_add(answer, out, "}]}\n\n");
	if (answer->options->include_usage) {
		answer_add(answer, out, "data: ");
		put_head(answer);
		answer_add(answer, out, "],");
		put_usage(answer);
		answer_add(answer, out, "}\n\n");
	}
	answer_add(answer, out, "data: [DONE]\n\n");
}

static void
error(struct answer *answer, const struct answer_error *what)
{
	answer_add(answer, answer->out, "data: ");
	answer_put_error(answer, answer->out, what);
	answer_add(answer, answer->out, "\n\n");
}

const struct answer_writer answer_to_chat = {
	begin, open_part, delta, close_part, finish, error
};

/*
 * answer_to_gemini.c: an answer as generateContent's clients read it.
 *
 * A stream is a row of answers, as events or, for clients that did not ask for
 * events, as the elements of one array.  A call goes out when its arguments
 * are complete, for they are an object here.  A signature is bytes here, and
 * goes in base64.
 */
#include "translate/answer.h"

/* One answer of the row, up to its parts; and what is behind them. */
static void
begin_answer(struct answer *answer)
{
	if (!answer->whole)
		answer_add(answer, answer->out, !answer->options->as_array ?
		    "data: " : answer->sequence == 0 ? "[" : ",\r\n");
	answer->sequence++;
	answer_add(answer, answer->out,
	    "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[");
}

static void
put_usage(struct answer *answer)
{
	const struct answer_usage *usage = &answer->usage;
	uint64_t prompt = usage->input + usage->cache_read +
	    usage->cache_write;
	struct buf *out = answer->out;

	answer_add(answer, out, ",\"usageMetadata\":{\"promptTokenCount\":");
	answer_put_count(answer, out, prompt);
	answer_add(answer, out, ",\"candidatesTokenCount\":");
	answer_put_count(answer, out, usage->output - usage->reasoning);
	if (usage->reasoning > 0) {
		answer_add(answer, out, ",\"thoughtsTokenCount\":");
		answer_put_count(answer, out, usage->reasoning);
	}
	if (usage->cache_read > 0) {
		answer_add(answer, out, ",\"cachedContentTokenCount\":");
		answer_put_count(answer, out, usage->cache_read);
	}
	answer_add(answer, out, ",\"totalTokenCount\":");
	answer_put_count(answer, out, prompt + usage->output);
	answer_add(answer, out, "}");
}

static const char *
finish_reason(const struct answer *answer)
{
	switch (answer->stop) {
	case ANSWER_STOP_LENGTH:
		return "MAX_TOKENS";
	case ANSWER_STOP_FILTER:
		return "SAFETY";
	case ANSWER_STOP_UNSAID:
	case ANSWER_STOP_END:
	case ANSWER_STOP_CALL:
	case ANSWER_STOP_SEQUENCE:
		break;
	}
	return "STOP";
}

static void
end_answer(struct answer *answer)
{
	struct buf *out = answer->out;

	answer_add(answer, out, "]}");
	if (answer->finished) {
		answer_add(answer, out, ",\"finishReason\":");
		answer_put_word(answer, out, finish_reason(answer));
	}
	answer_add(answer, out, ",\"index\":0}]");
	if (answer->finished)
		put_usage(answer);
	answer_add(answer, out, ",\"modelVersion\":");
	answer_put_word(answer, out, answer->model);
	answer_add(answer, out, ",\"responseId\":");
	answer_put_id(answer, out, "");
	answer_add(answer, out, answer->whole || answer->options->as_array ?
	    "}" : "}\n\n");
}

static void
begin(struct answer *answer)
{
	(void)answer;
}

static void
open_part(struct answer *answer)
{
	buf_consume(&answer->raw, answer->raw.len);
}

/* Where a part goes: into a stream at once, or to the others. */
static struct buf *
begin_part(struct answer *answer)
{
	if (!answer->whole) {
		begin_answer(answer);
		return answer->out;
	}
	answer_add(answer, &answer->output, answer->output.len > 0 ? "," : "");
	return &answer->output;
}

static void
end_part(struct answer *answer)
{
	if (!answer->whole)
		end_answer(answer);
}

static void
put_text(struct answer *answer, struct span text)
{
	struct buf *to = begin_part(answer);

	answer_add(answer, to, "{\"text\":");
	answer_put_string(answer, to, text);
	answer_add(answer, to, answer->kind == ANSWER_THINKING ?
	    ",\"thought\":true}" : "}");
	end_part(answer);
}

static void
delta(struct answer *answer, struct span text)
{
	/* In a whole answer a part's text is one. */
	if (answer->kind == ANSWER_CALL || answer->whole)
		answer_put_span(answer, &answer->raw, text);
	else
		put_text(answer, text);
}

static void
put_call(struct answer *answer)
{
	struct span raw = answer_held(&answer->raw);
	struct json_object *args = document_parse(raw.p, raw.len, true);
	struct buf *to = begin_part(answer);

	answer_add(answer, to, "{\"functionCall\":{\"id\":");
	answer_put_word(answer, to, answer->call_id);
	answer_add(answer, to, ",\"name\":");
	answer_put_word(answer, to, answer->call_name);
	answer_add(answer, to, ",\"args\":");
	if (args != NULL)
		answer_put_span(answer, to, document_print(args));
	else {
		answer_add(answer, to, "{\"invalid_json\":");
		answer_put_string(answer, to, raw);
		answer_add(answer, to, "}");
	}
	answer_add(answer, to, "}}");
	json_object_put(args);
	end_part(answer);
}

static void
put_signature(struct answer *answer)
{
	struct buf *to = begin_part(answer);

	answer_add(answer, to, "{\"text\":\"\",\"thought\":true,"
	    "\"thoughtSignature\":\"");
	answer_put_base64(answer, to);
	answer_add(answer, to, "\"}");
	end_part(answer);
}

static void
close_part(struct answer *answer)
{
	if (answer->kind == ANSWER_CALL)
		put_call(answer);
	else if (answer->whole && answer->raw.len > 0)
		put_text(answer, answer_held(&answer->raw));
	if (answer->kind == ANSWER_THINKING && answer->signature.len > 0)
		put_signature(answer);
}

static void
finish(struct answer *answer)
{
	begin_answer(answer);
	if (answer->whole)
		answer_put_span(answer, answer->out,
		    answer_held(&answer->output));
	end_answer(answer);
	if (!answer->whole && answer->options->as_array)
		answer_add(answer, answer->out, "]");
}

static void
error(struct answer *answer, const struct answer_error *what)
{
	bool array = answer->options->as_array;

	answer_add(answer, answer->out, !array ? "data: " :
	    answer->sequence == 0 ? "[" : ",\r\n");
	answer_put_error(answer, answer->out, what);
	answer_add(answer, answer->out, array ? "]" : "\n\n");
}

const struct answer_writer answer_to_gemini = {
	begin, open_part, delta, close_part, finish, error
};

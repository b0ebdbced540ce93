/*
 * answer_to_messages.c: an answer as messages' clients read it.
 *
 * The usage is complete in message_delta only: most upstreams tell the input's
 * tokens at the end.  The official clients take it from there.
 */
#include "translate/answer.h"

static void
begin_event(struct answer *answer, const char *name)
{
	struct buf *out = answer->out;

	answer_add(answer, out, "event: ");
	answer_add(answer, out, name);
	answer_add(answer, out, "\ndata: {\"type\":\"");
	answer_add(answer, out, name);
	answer_add(answer, out, "\"");
}

static void
begin_indexed(struct answer *answer, const char *name)
{
	begin_event(answer, name);
	answer_add(answer, answer->out, ",\"index\":");
	answer_put_count(answer, answer->out, answer->parts - 1);
}

static void
end_event(struct answer *answer)
{
	answer_add(answer, answer->out, "}\n\n");
}

static void
put_head(struct answer *answer)
{
	struct buf *out = answer->out;

	answer_add(answer, out, "{\"id\":");
	answer_put_id(answer, out, "msg_");
	answer_add(answer, out, ",\"type\":\"message\","
	    "\"role\":\"assistant\",\"model\":");
	answer_put_word(answer, out, answer->model);
	answer_add(answer, out, ",\"content\":[");
}

static void
put_usage(struct answer *answer)
{
	const struct answer_usage *usage = &answer->usage;
	struct buf *out = answer->out;

	answer_add(answer, out, "\"usage\":{\"input_tokens\":");
	answer_put_count(answer, out, usage->input);
	answer_add(answer, out, ",\"cache_creation_input_tokens\":");
	answer_put_count(answer, out, usage->cache_write);
	answer_add(answer, out, ",\"cache_read_input_tokens\":");
	answer_put_count(answer, out, usage->cache_read);
	answer_add(answer, out, ",\"output_tokens\":");
	answer_put_count(answer, out, usage->output);
	if (usage->reasoning > 0) {
		answer_add(answer, out,
		    ",\"output_tokens_details\":{\"thinking_tokens\":");
		answer_put_count(answer, out, usage->reasoning);
		answer_add(answer, out, "}");
	}
	answer_add(answer, out, "}");
}

static void
begin(struct answer *answer)
{
	if (answer->whole)
		return;
	begin_event(answer, "message_start");
	answer_add(answer, answer->out, ",\"message\":");
	put_head(answer);
	answer_add(answer, answer->out, "],\"stop_reason\":null,"
	    "\"stop_sequence\":null,");
	put_usage(answer);
	answer_add(answer, answer->out, "}");
	end_event(answer);
}

/* A block up to what its deltas bring. */
static void
put_block(struct answer *answer, struct buf *to)
{
	switch (answer->kind) {
	case ANSWER_TEXT:
		answer_add(answer, to, "{\"type\":\"text\",\"text\":");
		break;
	case ANSWER_THINKING:
		answer_add(answer, to, "{\"type\":\"thinking\",\"thinking\":");
		break;
	case ANSWER_CALL:
		answer_add(answer, to, "{\"type\":\"tool_use\",\"id\":");
		answer_put_word(answer, to, answer->call_id);
		answer_add(answer, to, ",\"name\":");
		answer_put_word(answer, to, answer->call_name);
		answer_add(answer, to, ",\"input\":");
		break;
	}
}

static void
open_part(struct answer *answer)
{
	static const char *const empty[] = {
		[ANSWER_TEXT] = "\"\"}",
		[ANSWER_THINKING] = "\"\",\"signature\":\"\"}",
		[ANSWER_CALL] = "{}}",
	};

	if (answer->whole) {
		answer_add(answer, &answer->output,
		    answer->parts > 1 ? "," : "");
		put_block(answer, &answer->output);
		if (answer->kind != ANSWER_CALL)
			answer_add(answer, &answer->output, "\"");
		return;
	}
	begin_indexed(answer, "content_block_start");
	answer_add(answer, answer->out, ",\"content_block\":");
	put_block(answer, answer->out);
	answer_add(answer, answer->out, empty[answer->kind]);
	end_event(answer);
}

static void
delta(struct answer *answer, struct span text)
{
	static const char *const words[] = {
		[ANSWER_TEXT] = ",\"delta\":{\"type\":\"text_delta\","
		    "\"text\":",
		[ANSWER_THINKING] = ",\"delta\":{\"type\":\"thinking_delta\","
		    "\"thinking\":",
		[ANSWER_CALL] = ",\"delta\":{\"type\":\"input_json_delta\","
		    "\"partial_json\":",
	};

	if (answer->whole) {
		if (answer->kind == ANSWER_CALL)
			answer_put_span(answer, &answer->content, text);
		else
			answer_put_escaped(answer, &answer->output, text);
		return;
	}
	begin_indexed(answer, "content_block_delta");
	answer_add(answer, answer->out, words[answer->kind]);
	answer_put_string(answer, answer->out, text);
	answer_add(answer, answer->out, "}");
	end_event(answer);
}

/* The arguments must be an object, whatever the model wrote. */
static void
put_input(struct answer *answer)
{
	struct span text = answer_held(&answer->content);
	struct json_object *input = document_parse(text.p, text.len, true);
	struct buf *to = &answer->output;

	if (input != NULL)
		answer_put_span(answer, to, document_print(input));
	else {
		answer_add(answer, to, "{\"invalid_json\":");
		answer_put_string(answer, to, text);
		answer_add(answer, to, "}");
	}
	json_object_put(input);
	buf_consume(&answer->content, answer->content.len);
}

static void
close_whole(struct answer *answer)
{
	if (answer->kind == ANSWER_CALL)
		put_input(answer);
	else
		answer_add(answer, &answer->output, "\"");
	if (answer->kind == ANSWER_THINKING) {
		answer_add(answer, &answer->output, ",\"signature\":");
		answer_put_signature(answer, &answer->output);
	}
	answer_add(answer, &answer->output, "}");
}

static void
close_part(struct answer *answer)
{
	if (answer->whole) {
		close_whole(answer);
		return;
	}
	if (answer->kind == ANSWER_THINKING && answer->signature.len > 0) {
		begin_indexed(answer, "content_block_delta");
		answer_add(answer, answer->out, ",\"delta\":{"
		    "\"type\":\"signature_delta\",\"signature\":");
		answer_put_signature(answer, answer->out);
		answer_add(answer, answer->out, "}");
		end_event(answer);
	}
	begin_indexed(answer, "content_block_stop");
	end_event(answer);
}

static const char *
stop_reason(const struct answer *answer)
{
	switch (answer->stop) {
	case ANSWER_STOP_LENGTH:
		return "max_tokens";
	case ANSWER_STOP_CALL:
		return "tool_use";
	case ANSWER_STOP_SEQUENCE:
		return "stop_sequence";
	case ANSWER_STOP_FILTER:
		return "refusal";
	case ANSWER_STOP_UNSAID:
	case ANSWER_STOP_END:
		break;
	}
	return "end_turn";
}

static void
put_stop(struct answer *answer)
{
	answer_add(answer, answer->out, "\"stop_reason\":");
	answer_put_word(answer, answer->out, stop_reason(answer));
	answer_add(answer, answer->out, ",\"stop_sequence\":");
	if (answer->stop == ANSWER_STOP_SEQUENCE)
		answer_put_word(answer, answer->out, answer->stop_sequence);
	else
		answer_add(answer, answer->out, "null");
}

static void
finish(struct answer *answer)
{
	struct buf *out = answer->out;

	if (answer->whole) {
		put_head(answer);
		answer_put_span(answer, out, answer_held(&answer->output));
		answer_add(answer, out, "],");
		put_stop(answer);
		answer_add(answer, out, ",");
		put_usage(answer);
		answer_add(answer, out, "}");
		return;
	}
	begin_event(answer, "message_delta");
	answer_add(answer, out, ",\"delta\":{");
	put_stop(answer);
	answer_add(answer, out, "},");
	put_usage(answer);
	end_event(answer);
	begin_event(answer, "message_stop");
	end_event(answer);
}

static void
error(struct answer *answer, const struct answer_error *what)
{
	answer_add(answer, answer->out, "event: error\ndata: ");
	answer_put_error(answer, answer->out, what);
	answer_add(answer, answer->out, "\n\n");
}

const struct answer_writer answer_to_messages = {
	begin, open_part, delta, close_part, finish, error
};

/*
 * answer_from_anthropic.c: an upstream's message.
 *
 * Blocks of tools that run at the provider (server_tool_use and its results,
 * compaction and others) come only when a request asks for them, which no
 * translated one can; they are left out.
 */
#include "translate/answer.h"

#include <string.h>

static void
take_count(struct json_object *usage, const char *name, uint64_t *to)
{
	if (document_get(usage, name) != NULL)
		*to = document_count(usage, name);
}

/* Later ones replace what they say again. */
static void
read_usage(struct answer *answer, struct json_object *usage)
{
	struct answer_usage *to = &answer->usage;

	take_count(usage, "input_tokens", &to->input);
	take_count(usage, "cache_read_input_tokens", &to->cache_read);
	take_count(usage, "cache_creation_input_tokens", &to->cache_write);
	take_count(usage, "output_tokens", &to->output);
	take_count(document_get(usage, "output_tokens_details"),
	    "thinking_tokens", &to->reasoning);
	if (to->reasoning > to->output)
		to->reasoning = to->output;
}

static void
read_stop(struct answer *answer, struct json_object *delta)
{
	static const struct {
		const char *reason;
		enum answer_stop stop;
	} reasons[] = {
		{ "end_turn", ANSWER_STOP_END },
		{ "max_tokens", ANSWER_STOP_LENGTH },
		{ "model_context_window_exceeded", ANSWER_STOP_LENGTH },
		{ "tool_use", ANSWER_STOP_CALL },
		{ "stop_sequence", ANSWER_STOP_SEQUENCE },
		{ "refusal", ANSWER_STOP_FILTER },
	};
	struct json_object *reason = document_get(delta, "stop_reason");
	size_t i;

	if (reason == NULL)
		return;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (document_is(reason, reasons[i].reason)) {
			answer_stopped(answer, reasons[i].stop,
			    document_text(delta, "stop_sequence"));
			return;
		}
	answer_stopped(answer, ANSWER_STOP_END, SPAN(""));
}

/* Opens the block's part; false when it is of a kind that is left out. */
static bool
open_block(struct answer *answer, struct json_object *block)
{
	struct json_object *type = document_get(block, "type");

	if (document_is(type, "text"))
		answer_open(answer, ANSWER_TEXT);
	else if (document_is(type, "thinking"))
		answer_open(answer, ANSWER_THINKING);
	else if (document_is(type, "redacted_thinking")) {
		answer_open(answer, ANSWER_THINKING);
		answer->redacted = true;
		answer_sign(answer, CONVERSATION_ANTHROPIC,
		    document_text(block, "data"));
	} else if (document_is(type, "tool_use"))
		answer_open_call(answer, document_text(block, "id"),
		    document_text(block, "name"));
	else {
		answer_close(answer);
		return false;
	}
	return true;
}

/* What a block has from its start on; all of it when it is whole. */
static void
read_block(struct answer *answer, struct json_object *block)
{
	struct json_object *input = document_get(block, "input");

	if (!open_block(answer, block))
		return;
	answer_more(answer, document_text(block, "text"));
	answer_more(answer, document_text(block, "thinking"));
	answer_sign(answer, CONVERSATION_ANTHROPIC,
	    document_text(block, "signature"));
	if (json_object_is_type(input, json_type_object) &&
	    json_object_object_length(input) > 0)
		answer_more(answer, document_print(input));
}

void
answer_whole_from_anthropic(struct answer *answer,
    struct json_object *document)
{
	struct json_object *content = document_get(document, "content");
	size_t i;

	if (!json_object_is_type(content, json_type_array)) {
		answer_give_up(answer, TRANSLATE_BAD);
		return;
	}
	answer_begin(answer, document_text(document, "id"),
	    document_text(document, "model"));
	read_usage(answer, document_get(document, "usage"));
	for (i = 0; i < document_length(content); i++)
		read_block(answer, document_at(content, i));
	read_stop(answer, document);
	if (answer->stop == ANSWER_STOP_UNSAID)
		answer_stopped(answer, ANSWER_STOP_END, SPAN(""));
	answer_finish(answer);
}

static void
read_delta(struct answer *answer, struct json_object *delta)
{
	/* Of a block that is left out. */
	if (!answer->is_open)
		return;
	answer_more(answer, document_text(delta, "text"));
	answer_more(answer, document_text(delta, "thinking"));
	if (answer->kind == ANSWER_CALL)
		answer_more(answer, document_text(delta, "partial_json"));
	answer_sign(answer, CONVERSATION_ANTHROPIC,
	    document_text(delta, "signature"));
}

void
answer_event_from_anthropic(struct answer *answer,
    struct json_object *document)
{
	struct json_object *type = document_get(document, "type");
	struct json_object *message = document_get(document, "message");
	struct answer_error error;

	if (document_is(type, "content_block_delta"))
		read_delta(answer, document_get(document, "delta"));
	else if (document_is(type, "content_block_start"))
		read_block(answer, document_get(document, "content_block"));
	else if (document_is(type, "content_block_stop"))
		answer_close(answer);
	else if (document_is(type, "message_start")) {
		answer_begin(answer, document_text(message, "id"),
		    document_text(message, "model"));
		read_usage(answer, document_get(message, "usage"));
	} else if (document_is(type, "message_delta")) {
		read_usage(answer, document_get(document, "usage"));
		read_stop(answer, document_get(document, "delta"));
	} else if (document_is(type, "message_stop"))
		answer_finish(answer);
	else if (document_is(type, "error")) {
		answer_read_error(document, 502, &error);
		answer_failed(answer, &error);
	}
}

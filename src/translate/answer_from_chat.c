/*
 * answer_from_chat.c: an upstream's chat completion.
 *
 * Reasoning is spelled reasoning_content or reasoning; it is never signed.
 * Only the first choice is read: no translated request asks for more.
 */
#include "translate/answer.h"

#include <string.h>

static void
read_usage(struct answer *answer, struct json_object *document)
{
	struct json_object *usage = document_get(document, "usage"), *details;
	struct answer_usage *to = &answer->usage;
	uint64_t prompt, cached, written;

	if (usage == NULL)
		usage = document_get(document_get(document, "x_groq"),
		    "usage");
	if (!json_object_is_type(usage, json_type_object))
		return;
	details = document_get(usage, "prompt_tokens_details");
	prompt = document_count(usage, "prompt_tokens");
	cached = document_count(details, "cached_tokens");
	if (cached == 0)
		cached = document_count(usage, "prompt_cache_hit_tokens");
	if (cached == 0)
		cached = document_count(usage, "cached_tokens");
	if (cached == 0)
		cached = document_count(usage, "num_cached_tokens");
	written = document_count(details, "cache_write_tokens");
	if (cached > prompt)
		cached = prompt;
	if (written > prompt - cached)
		written = prompt - cached;
	to->cache_read = cached;
	to->cache_write = written;
	to->input = prompt - cached - written;
	to->output = document_count(usage, "completion_tokens");
	to->reasoning = document_count(document_get(usage,
	    "completion_tokens_details"), "reasoning_tokens");
	if (to->reasoning > to->output)
		to->reasoning = to->output;
}

static void
read_stop(struct answer *answer, struct json_object *choice)
{
	struct json_object *reason = document_get(choice, "finish_reason");
	struct span sequence = document_text(choice, "stop_reason");

	if (reason == NULL)
		return;
	if (document_is(reason, "length"))
		answer_stopped(answer, ANSWER_STOP_LENGTH, SPAN(""));
	else if (document_is(reason, "tool_calls") ||
	    document_is(reason, "function_call"))
		answer_stopped(answer, ANSWER_STOP_CALL, SPAN(""));
	else if (document_is(reason, "content_filter") ||
	    document_is(reason, "error"))
		answer_stopped(answer, ANSWER_STOP_FILTER, SPAN(""));
	else if (document_is(reason, "stop") && sequence.len > 0)
		answer_stopped(answer, ANSWER_STOP_SEQUENCE, sequence);
	else if (document_span(reason).len > 0)
		answer_stopped(answer, ANSWER_STOP_END, SPAN(""));
}

/* Some upstreams give content as a list of parts. */
static void
read_content(struct answer *answer, struct json_object *content)
{
	struct json_object *part, *inner;
	size_t i, j;

	if (json_object_is_type(content, json_type_string)) {
		answer_text(answer, ANSWER_TEXT, document_span(content));
		return;
	}
	for (i = 0; i < document_length(content); i++) {
		part = document_at(content, i);
		answer_text(answer, ANSWER_TEXT, document_text(part, "text"));
		inner = document_get(part, "thinking");
		for (j = 0; j < document_length(inner); j++)
			answer_text(answer, ANSWER_THINKING,
			    document_text(document_at(inner, j), "text"));
	}
}

static void
read_reasoning(struct answer *answer, struct json_object *message)
{
	struct span text = document_text(message, "reasoning_content");

	if (text.len == 0)
		text = document_text(message, "reasoning");
	answer_text(answer, ANSWER_THINKING, text);
}

/*
 * A call begins with a name.  Upstreams repeat the id with every piece or give
 * it once, and some give one index to all calls: a new id is a new call too.
 */
static bool
is_new_call(struct answer *answer, struct span id, uint64_t index)
{
	if (!answer->is_open || answer->kind != ANSWER_CALL)
		return true;
	return index != answer->call_index ||
	    (id.len > 0 && !span_is(id, answer->call_id));
}

static void
read_call(struct answer *answer, struct json_object *call, bool whole)
{
	struct json_object *function = document_get(call, "function");
	struct json_object *arguments = document_get(function, "arguments");
	struct span id = document_text(call, "id");
	struct span name = document_text(function, "name");
	uint64_t index = document_get(call, "index") == NULL ?
	    answer->call_index : document_count(call, "index");

	if (whole || is_new_call(answer, id, index)) {
		/* A piece of a call that is closed cannot be placed. */
		if (name.len == 0) {
			answer_give_up(answer, TRANSLATE_BAD);
			return;
		}
		answer->call_index = index;
		answer_open_call(answer, id, name);
	}
	answer_more(answer, json_object_is_type(arguments, json_type_object) ?
	    document_print(arguments) : document_span(arguments));
}

static void
read_message(struct answer *answer, struct json_object *message, bool whole)
{
	struct json_object *calls = document_get(message, "tool_calls");
	size_t i;

	read_reasoning(answer, message);
	read_content(answer, document_get(message, "content"));
	answer_text(answer, ANSWER_TEXT, document_text(message, "refusal"));
	for (i = 0; i < document_length(calls); i++)
		read_call(answer, document_at(calls, i), whole);
}

static void
read_choices(struct answer *answer, struct json_object *document,
    const char *name, bool whole)
{
	struct json_object *choices = document_get(document, "choices");
	struct json_object *choice;
	size_t i;

	for (i = 0; i < document_length(choices); i++) {
		choice = document_at(choices, i);
		if (document_count(choice, "index") != 0)
			continue;
		read_message(answer, document_get(choice, name), whole);
		read_stop(answer, choice);
	}
}

void
answer_whole_from_chat(struct answer *answer, struct json_object *document)
{
	if (document_length(document_get(document, "choices")) == 0) {
		answer_give_up(answer, TRANSLATE_BAD);
		return;
	}
	answer_begin(answer, document_text(document, "id"),
	    document_text(document, "model"));
	read_usage(answer, document);
	read_choices(answer, document, "message", true);
	if (answer->stop == ANSWER_STOP_UNSAID)
		answer_stopped(answer, ANSWER_STOP_END, SPAN(""));
	answer_finish(answer);
}

void
answer_event_from_chat(struct answer *answer, struct json_object *document)
{
	struct answer_error error;

	if (document_get(document, "error") != NULL) {
		answer_read_error(document, 502, &error);
		answer_failed(answer, &error);
		return;
	}
	/* Before the first choice come chunks of other matters. */
	if (document_length(document_get(document, "choices")) > 0)
		answer_begin(answer, document_text(document, "id"),
		    document_text(document, "model"));
	read_usage(answer, document);
	read_choices(answer, document, "delta", false);
}

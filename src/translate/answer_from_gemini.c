/*
 * answer_from_gemini.c: an upstream's generateContent answer, or one event of
 * a stream of them.
 *
 * A call comes whole, its arguments as an object, and signed where the model
 * thinks.  Parts of tools that run at the provider, and images, come only when
 * a request asks for them, which no translated one can; they are left out.
 */
#include "translate/answer.h"

#include <string.h>

static void
read_usage(struct answer *answer, struct json_object *usage)
{
	struct answer_usage *to = &answer->usage;
	uint64_t prompt, cached;

	if (!json_object_is_type(usage, json_type_object))
		return;
	prompt = document_count(usage, "promptTokenCount") +
	    document_count(usage, "toolUsePromptTokenCount");
	cached = document_count(usage, "cachedContentTokenCount");
	if (cached > prompt)
		cached = prompt;
	to->cache_read = cached;
	to->input = prompt - cached;
	to->reasoning = document_count(usage, "thoughtsTokenCount");
	to->output = document_count(usage, "candidatesTokenCount") +
	    to->reasoning;
}

static void
read_part(struct answer *answer, struct json_object *part)
{
	struct json_object *call = document_get(part, "functionCall"), *args;
	struct span signature = document_text(part, "thoughtSignature");

	if (call == NULL) {
		answer_text(answer, document_true(part, "thought") ?
		    ANSWER_THINKING : ANSWER_TEXT,
		    document_text(part, "text"));
		return;
	}
	/* A call's signature is that of the thinking before it: most clients
	 * have a place for it there only. */
	if (signature.len > 0) {
		if (!answer->is_open || answer->kind != ANSWER_THINKING)
			answer_open(answer, ANSWER_THINKING);
		answer_sign(answer, CONVERSATION_GEMINI, signature);
	}
	answer_open_call(answer, document_text(call, "id"),
	    document_text(call, "name"));
	args = document_get(call, "args");
	if (json_object_is_type(args, json_type_object))
		answer_more(answer, document_print(args));
	answer_close(answer);
}

static void
read_stop(struct answer *answer, struct json_object *candidate)
{
	struct json_object *reason = document_get(candidate, "finishReason");

	if (reason == NULL)
		return;
	if (document_is(reason, "STOP") ||
	    document_is(reason, "FINISH_REASON_UNSPECIFIED"))
		answer_stopped(answer, ANSWER_STOP_END, SPAN(""));
	else if (document_is(reason, "MAX_TOKENS"))
		answer_stopped(answer, ANSWER_STOP_LENGTH, SPAN(""));
	else
		/* Safety of all kinds, and calls that the model botched: the
		 * answer was broken off, and must not look complete. */
		answer_stopped(answer, ANSWER_STOP_FILTER, SPAN(""));
}

static void
read_candidate(struct answer *answer, struct json_object *candidate)
{
	struct json_object *parts = document_get(document_get(candidate,
	    "content"), "parts");
	size_t i;

	for (i = 0; i < document_length(parts); i++)
		read_part(answer, document_at(parts, i));
	read_stop(answer, candidate);
}

void
answer_from_gemini(struct answer *answer, struct json_object *document)
{
	struct json_object *candidates = document_get(document, "candidates");
	struct answer_error error;

	if (document_get(document, "error") != NULL) {
		answer_read_error(document, 502, &error);
		answer_failed(answer, &error);
		return;
	}
	answer_begin(answer, document_text(document, "responseId"),
	    document_text(document, "modelVersion"));
	read_usage(answer, document_get(document, "usageMetadata"));
	if (document_length(candidates) > 0)
		read_candidate(answer, document_at(candidates, 0));
	else if (document_get(document_get(document, "promptFeedback"),
	    "blockReason") != NULL)
		answer_stopped(answer, ANSWER_STOP_FILTER, SPAN(""));
	if (answer->whole) {
		if (answer->stop == ANSWER_STOP_UNSAID)
			answer_stopped(answer, ANSWER_STOP_END, SPAN(""));
		answer_finish(answer);
	}
}

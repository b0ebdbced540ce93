/*
 * answer_to_responses.c: an answer as responses' clients read it.
 *
 * Every part is an item of its own.  This protocol repeats an item when it is
 * complete and all of them at the end, so that here, and only here, a stream's
 * text is kept: up to TRANSLATE_OUTPUT_BYTES of it.  Reasoning carries its
 * signature as encrypted_content.  A call of free text comes as JSON of one
 * string, and goes out as text when that is complete.
 */
#include "translate/answer.h"

#include <string.h>

static void
begin_event(struct answer *answer, const char *name)
{
	struct buf *out = answer->out;

	answer_add(answer, out, "event: ");
	answer_add(answer, out, name);
	answer_add(answer, out, "\ndata: {\"type\":\"");
	answer_add(answer, out, name);
	answer_add(answer, out, "\",\"sequence_number\":");
	answer_put_count(answer, out, answer->sequence++);
}

static void
end_event(struct answer *answer)
{
	answer_add(answer, answer->out, "}\n\n");
}

static void
put_item_id(struct answer *answer, struct buf *to)
{
	static const char *const prefixes[] = {
		[ANSWER_TEXT] = "\"msg_",
		[ANSWER_THINKING] = "\"rs_",
		[ANSWER_CALL] = "\"fc_",
	};

	answer_add(answer, to, answer->is_custom ? "\"ctc_" :
	    prefixes[answer->kind]);
	answer_add(answer, to, answer->options->id);
	answer_add(answer, to, "_");
	answer_put_count(answer, to, answer->parts - 1);
	answer_add(answer, to, "\"");
}

static void
begin_item_event(struct answer *answer, const char *name)
{
	begin_event(answer, name);
	answer_add(answer, answer->out, ",\"output_index\":");
	answer_put_count(answer, answer->out, answer->parts - 1);
}

/* An event within an item, and which part of it. */
static void
begin_part_event(struct answer *answer, const char *name)
{
	static const char *const indices[] = {
		[ANSWER_TEXT] = ",\"content_index\":0",
		[ANSWER_THINKING] = ",\"summary_index\":0",
		[ANSWER_CALL] = "",
	};

	begin_item_event(answer, name);
	answer_add(answer, answer->out, ",\"item_id\":");
	put_item_id(answer, answer->out);
	answer_add(answer, answer->out, indices[answer->kind]);
}

/* The text so far, escaped already. */
static void
put_content(struct answer *answer, struct buf *to)
{
	answer_add(answer, to, "\"");
	answer_put_span(answer, to, answer_held(&answer->content));
	answer_add(answer, to, "\"");
}

static void
put_part(struct answer *answer, struct buf *to)
{
	answer_add(answer, to, answer->kind == ANSWER_TEXT ?
	    "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],"
	    "\"text\":" : "{\"type\":\"summary_text\",\"text\":");
	put_content(answer, to);
	answer_add(answer, to, "}");
}

static void
put_item(struct answer *answer, struct buf *to, bool complete)
{
	const char *status = !complete ? "\"in_progress\"" :
	    answer->stop == ANSWER_STOP_LENGTH ||
	    answer->stop == ANSWER_STOP_FILTER ? "\"incomplete\"" :
	    "\"completed\"";

	answer_add(answer, to, "{\"id\":");
	put_item_id(answer, to);
	switch (answer->kind) {
	case ANSWER_TEXT:
		answer_add(answer, to, ",\"type\":\"message\",\"status\":");
		answer_add(answer, to, status);
		answer_add(answer, to,
		    ",\"role\":\"assistant\",\"content\":[");
		if (complete)
			put_part(answer, to);
		answer_add(answer, to, "]}");
		break;
	case ANSWER_THINKING:
		answer_add(answer, to, ",\"type\":\"reasoning\","
		    "\"summary\":[");
		if (complete && answer->content.len > 0)
			put_part(answer, to);
		answer_add(answer, to, "]");
		if (answer->signature.len > 0) {
			answer_add(answer, to, ",\"encrypted_content\":");
			answer_put_signature(answer, to);
		}
		answer_add(answer, to, "}");
		break;
	case ANSWER_CALL:
		answer_add(answer, to, answer->is_custom ?
		    ",\"type\":\"custom_tool_call\",\"status\":" :
		    ",\"type\":\"function_call\",\"status\":");
		answer_add(answer, to, status);
		answer_add(answer, to, ",\"call_id\":");
		answer_put_word(answer, to, answer->call_id);
		answer_add(answer, to, ",\"name\":");
		answer_put_word(answer, to, answer->call_name);
		answer_add(answer, to, answer->is_custom ? ",\"input\":" :
		    ",\"arguments\":");
		put_content(answer, to);
		answer_add(answer, to, "}");
		break;
	}
}

static void
put_usage(struct answer *answer)
{
	const struct answer_usage *usage = &answer->usage;
	uint64_t input = usage->input + usage->cache_read +
	    usage->cache_write;
	struct buf *out = answer->out;

	answer_add(answer, out, "{\"input_tokens\":");
	answer_put_count(answer, out, input);
	answer_add(answer, out,
	    ",\"input_tokens_details\":{\"cached_tokens\":");
	answer_put_count(answer, out, usage->cache_read);
	if (usage->cache_write > 0) {
		answer_add(answer, out, ",\"cache_write_tokens\":");
		answer_put_count(answer, out, usage->cache_write);
	}
	answer_add(answer, out, "},\"output_tokens\":");
	answer_put_count(answer, out, usage->output);
	answer_add(answer, out,
	    ",\"output_tokens_details\":{\"reasoning_tokens\":");
	answer_put_count(answer, out, usage->reasoning);
	answer_add(answer, out, "},\"total_tokens\":");
	answer_put_count(answer, out, input + usage->output);
	answer_add(answer, out, "}");
}

/* The request's settings are not repeated: who sent them knows them. */
static void
put_response(struct answer *answer, const char *status, const char *reason)
{
	struct buf *out = answer->out;

	answer_add(answer, out, "{\"id\":");
	answer_put_id(answer, out, "resp_");
	answer_add(answer, out, ",\"object\":\"response\",\"created_at\":");
	answer_put_count(answer, out, (uint64_t)answer->options->created_s);
	answer_add(answer, out, ",\"status\":");
	answer_put_word(answer, out, status);
	answer_add(answer, out, ",\"background\":false,\"error\":null,"
	    "\"incomplete_details\":");
	if (reason != NULL) {
		answer_add(answer, out, "{\"reason\":");
		answer_put_word(answer, out, reason);
		answer_add(answer, out, "}");
	} else
		answer_add(answer, out, "null");
	answer_add(answer, out, ",\"instructions\":null,"
	    "\"max_output_tokens\":null,\"metadata\":{},\"model\":");
	answer_put_word(answer, out, answer->model);
	answer_add(answer, out, ",\"output\":[");
	answer_put_span(answer, out, answer_held(&answer->output));
	answer_add(answer, out, "],\"parallel_tool_calls\":true,"
	    "\"previous_response_id\":null,"
	    "\"reasoning\":{\"effort\":null,\"summary\":null},"
	    "\"store\":false,\"temperature\":null,"
	    "\"text\":{\"format\":{\"type\":\"text\"}},"
	    "\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":null,"
	    "\"truncation\":\"disabled\",\"usage\":");
	if (answer->finished)
		put_usage(answer);
	else
		answer_add(answer, out, "null");
	answer_add(answer, out, ",\"user\":null}");
}

static void
response_event(struct answer *answer, const char *name, const char *status,
    const char *reason)
{
	begin_event(answer, name);
	answer_add(answer, answer->out, ",\"response\":");
	put_response(answer, status, reason);
	end_event(answer);
}

static void
begin(struct answer *answer)
{
	if (answer->whole)
		return;
	response_event(answer, "response.created", "in_progress", NULL);
	response_event(answer, "response.in_progress", "in_progress", NULL);
}

/* The call's tool is one of the lines of the request's custom tools. */
static bool
is_custom_call(const struct answer *answer)
{
	const char *names = answer->options->custom_tools;
	size_t n, len = strlen(answer->call_name);

	if (answer->kind != ANSWER_CALL || names == NULL)
		return false;
	for (; *names != '\0'; names += n + 1) {
		n = strcspn(names, "\n");
		if (n == len && memcmp(names, answer->call_name, n) == 0)
			return true;
	}
	return false;
}

static void
open_part(struct answer *answer)
{
	buf_consume(&answer->content, answer->content.len);
	buf_consume(&answer->raw, answer->raw.len);
	answer->is_custom = is_custom_call(answer);
	if (answer->whole)
		return;
	begin_item_event(answer, "response.output_item.added");
	answer_add(answer, answer->out, ",\"item\":");
	put_item(answer, answer->out, false);
	end_event(answer);
	if (answer->kind != ANSWER_TEXT)
		return;
	begin_part_event(answer, "response.content_part.added");
	answer_add(answer, answer->out, ",\"part\":");
	put_part(answer, answer->out);
	end_event(answer);
}

static void
delta(struct answer *answer, struct span text)
{
	static const char *const names[] = {
		[ANSWER_TEXT] = "response.output_text.delta",
		[ANSWER_THINKING] = "response.reasoning_summary_text.delta",
		[ANSWER_CALL] = "response.function_call_arguments.delta",
	};

	if (answer->is_custom) {
		answer_put_span(answer, &answer->raw, text);
		return;
	}
	if (!answer->whole) {
		/* Not all reasoning has text; what has, has it in a part. */
		if (answer->kind == ANSWER_THINKING && answer->empty) {
			begin_part_event(answer,
			    "response.reasoning_summary_part.added");
			answer_add(answer, answer->out, ",\"part\":");
			put_part(answer, answer->out);
			end_event(answer);
		}
		begin_part_event(answer, names[answer->kind]);
		answer_add(answer, answer->out, ",\"delta\":");
		answer_put_string(answer, answer->out, text);
		if (answer->kind == ANSWER_TEXT)
			answer_add(answer, answer->out, ",\"logprobs\":[]");
		end_event(answer);
	}
	answer_put_escaped(answer, &answer->content, text);
}

/* What a model wrote amiss is the text as it is. */
static void
take_custom_input(struct answer *answer)
{
	struct span raw = answer_held(&answer->raw);
	struct json_object *arguments = document_parse(raw.p, raw.len, false);
	struct span input = document_text(arguments, "input");

	answer_put_escaped(answer, &answer->content, input.p != NULL ? input :
	    raw);
	json_object_put(arguments);
}

static void
custom_events(struct answer *answer)
{
	begin_part_event(answer, "response.custom_tool_call_input.delta");
	answer_add(answer, answer->out, ",\"delta\":");
	put_content(answer, answer->out);
	end_event(answer);
	begin_part_event(answer, "response.custom_tool_call_input.done");
	answer_add(answer, answer->out, ",\"input\":");
	put_content(answer, answer->out);
	end_event(answer);
}

static void
close_events(struct answer *answer)
{
	struct buf *out = answer->out;

	switch (answer->kind) {
	case ANSWER_TEXT:
		begin_part_event(answer, "response.output_text.done");
		answer_add(answer, out, ",\"logprobs\":[],\"text\":");
		put_content(answer, out);
		end_event(answer);
		begin_part_event(answer, "response.content_part.done");
		answer_add(answer, out, ",\"part\":");
		put_part(answer, out);
		end_event(answer);
		break;
	case ANSWER_THINKING:
		if (answer->empty)
			break;
		begin_part_event(answer,
		    "response.reasoning_summary_text.done");
		answer_add(answer, out, ",\"text\":");
		put_content(answer, out);
		end_event(answer);
		begin_part_event(answer,
		    "response.reasoning_summary_part.done");
		answer_add(answer, out, ",\"part\":");
		put_part(answer, out);
		end_event(answer);
		break;
	case ANSWER_CALL:
		if (answer->is_custom) {
			custom_events(answer);
			break;
		}
		begin_part_event(answer,
		    "response.function_call_arguments.done");
		answer_add(answer, out, ",\"name\":");
		answer_put_word(answer, out, answer->call_name);
		answer_add(answer, out, ",\"arguments\":");
		put_content(answer, out);
		end_event(answer);
		break;
	}
}

static void
close_part(struct answer *answer)
{
	struct buf *output = &answer->output;
	size_t from;

	if (answer->is_custom)
		take_custom_input(answer);
	if (!answer->whole)
		close_events(answer);
	answer_add(answer, output, output->len > 0 ? "," : "");
	from = output->len;
	put_item(answer, output, true);
	if (answer->whole || answer->result != TRANSLATE_OK)
		return;
	begin_item_event(answer, "response.output_item.done");
	answer_add(answer, answer->out, ",\"item\":");
	answer_put_span(answer, answer->out, (struct span){
	    buf_head(output) + from, output->len - from });
	end_event(answer);
}

static void
finish(struct answer *answer)
{
	const char *reason = NULL;

	if (answer->stop == ANSWER_STOP_LENGTH)
		reason = "max_output_tokens";
	else if (answer->stop == ANSWER_STOP_FILTER)
		reason = "content_filter";
	if (answer->whole)
		put_response(answer, reason != NULL ? "incomplete" :
		    "completed", reason);
	else if (reason != NULL)
		response_event(answer, "response.incomplete", "incomplete",
		    reason);
	else
		response_event(answer, "response.completed", "completed",
		    NULL);
}

static void
error(struct answer *answer, const struct answer_error *what)
{
	struct buf *out = answer->out;

	begin_event(answer, "error");
	answer_add(answer, out, ",\"code\":");
	if (what->code.len > 0)
		answer_put_string(answer, out, what->code);
	else
		answer_add(answer, out, "null");
	answer_add(answer, out, ",\"message\":");
	answer_put_string(answer, out, what->message);
	answer_add(answer, out, ",\"param\":null");
	end_event(answer);
}

const struct answer_writer answer_to_responses = {
	begin, open_part, delta, close_part, finish, error
};

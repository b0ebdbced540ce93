/*
 * request_to_anthropic.c: for an upstream that speaks messages.
 *
 * Later system messages become user text in their place: the models in use do
 * not all take a system turn.  JSON mode without a schema does not exist here
 * and becomes a sentence in the system prompt.
 *
 * Reasoning: models up to the 4.5 generation take a budget, later ones refuse
 * it and take an effort.  With a budget, a tool loop whose thinking the client
 * did not give back cannot go on thinking; it goes on without.  Nor does a
 * model think that is made to call a tool.
 */
#include "translate/request.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_MAX_TOKENS	4096
#define BUDGET_MIN		1024

static const char json_only[] =
    "Answer with one valid JSON object and nothing else.";

/* Blocks of nothing but white space are refused there. */
static bool
is_blank(struct span text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (memchr(" \t\r\n", text.p[i], 4) == NULL)
			return false;
	return true;
}

static void
put_text(struct json_object *content, struct span text,
    struct json_object *cache)
{
	struct json_object *block;

	if (is_blank(text))
		return;
	block = document_push(content, document_object());
	document_put_word(block, "type", "text");
	document_put_text(block, "text", text);
	if (cache != NULL)
		document_share(block, "cache_control", cache);
}

static void
put_source(struct json_object *block, const struct conversation_part *part)
{
	struct json_object *source;

	source = document_add(block, "source", document_object());
	if (part->url.p != NULL) {
		document_put_word(source, "type", "url");
		document_put_text(source, "url", part->url);
		return;
	}
	document_put_word(source, "type", "base64");
	document_put_text(source, "media_type", part->media_type);
	document_put_text(source, "data", part->data);
}

static bool
put_media(struct request_writer *writer, struct json_object *content,
    const struct conversation_part *part)
{
	struct json_object *block;
	bool image = part->kind == CONVERSATION_IMAGE;

	if (!image && part->url.p == NULL &&
	    !span_is(part->media_type, "application/pdf"))
		return request_refuse(writer, part->member, TRANSLATE_NO_WORD);
	block = document_push(content, document_object());
	document_put_word(block, "type", image ? "image" : "document");
	if (!image && part->name.len > 0)
		document_put_text(block, "title", part->name);
	put_source(block, part);
	return true;
}

static void
put_call(struct request_writer *writer, struct json_object *content,
    const struct conversation_part *part)
{
	struct json_object *block;

	block = document_push(content, document_object());
	document_put_word(block, "type", "tool_use");
	document_put_text(block, "id",
	    conversation_id(writer->conversation, part->id));
	document_put_text(block, "name", part->name);
	document_add(block, "input", conversation_input(part));
}

/* Unsigned: a piece, whose signature comes with a later one. */
static bool
is_piece(const struct conversation_part *part)
{
	return part->kind == CONVERSATION_THINKING &&
	    part->origin == CONVERSATION_ANTHROPIC && !part->redacted &&
	    part->signature.len == 0;
}

/* The pieces from run to part as one text, as they were thought. */
static struct span
join_pieces(struct request_writer *writer, const struct conversation_part *run,
    const struct conversation_part *part)
{
	const struct conversation_part *piece;
	size_t len = 0;
	char *text;

	for (piece = run; piece != part->next; piece = piece->next)
		len += piece->text.len;
	text = conversation_alloc(writer->conversation, len + 1);
	if (text == NULL)
		return SPAN("");
	for (len = 0, piece = run; piece != part->next; piece = piece->next) {
		if (piece->text.len > 0)
			memcpy(text + len, piece->text.p, piece->text.len);
		len += piece->text.len;
	}
	return (struct span){ text, len };
}

static void
put_thinking(struct json_object *content, const struct conversation_part *part,
    struct span text)
{
	struct json_object *block;

	if (part->origin != CONVERSATION_ANTHROPIC || part->signature.len == 0)
		return;
	block = document_push(content, document_object());
	document_put_word(block, "type",
	    part->redacted ? "redacted_thinking" : "thinking");
	if (!part->redacted)
		document_put_text(block, "thinking", text);
	document_put_text(block, part->redacted ? "data" : "signature",
	    part->signature);
}

static bool	put_part(struct request_writer *writer,
		    struct json_object *content,
		    const struct conversation_part *part);

static bool
put_result(struct request_writer *writer, struct json_object *content,
    const struct conversation_part *part)
{
	const struct conversation_part *child;
	struct json_object *block, *inner;

	block = document_push(content, document_object());
	document_put_word(block, "type", "tool_result");
	document_put_text(block, "tool_use_id",
	    conversation_id(writer->conversation, part->id));
	if (part->is_error)
		document_put_bool(block, "is_error", true);
	inner = document_add(block, "content", document_array());
	for (child = part->content; child != NULL; child = child->next)
		if (!put_part(writer, inner, child))
			return false;
	if (document_length(inner) == 0)
		json_object_object_del(block, "content");
	return true;
}

static bool
put_part(struct request_writer *writer, struct json_object *content,
    const struct conversation_part *part)
{
	switch (part->kind) {
	case CONVERSATION_TEXT:
		put_text(content, part->text, part->cache);
		return true;
	case CONVERSATION_IMAGE:
	case CONVERSATION_FILE:
		return put_media(writer, content, part);
	case CONVERSATION_CALL:
		put_call(writer, content, part);
		return true;
	case CONVERSATION_RESULT:
		return put_result(writer, content, part);
	case CONVERSATION_THINKING:
		put_thinking(content, part, part->text);
		return true;
	case CONVERSATION_AUDIO:
		break;
	}
	return request_refuse(writer, part->member, TRANSLATE_NO_WORD);
}

/* Results come first in their message, wherever the client had them. */
static bool
put_results(struct request_writer *writer, struct json_object *content,
    const struct conversation_turn *turn)
{
	const struct conversation_part *part;

	for (part = turn->parts; part != NULL; part = part->next)
		if (part->kind == CONVERSATION_RESULT &&
		    !put_result(writer, content, part))
			return false;
	return true;
}

static bool
put_parts(struct request_writer *writer, struct json_object *content,
    const struct conversation_turn *turn)
{
	const struct conversation_part *part, *run = NULL;

	if (!put_results(writer, content, turn))
		return false;
	for (part = turn->parts; part != NULL; part = part->next) {
		if (is_piece(part)) {
			run = run == NULL ? part : run;
			continue;
		}
		if (part->kind == CONVERSATION_THINKING && run != NULL &&
		    !part->redacted)
			put_thinking(content, part,
			    join_pieces(writer, run, part));
		else if (part->kind != CONVERSATION_RESULT &&
		    !put_part(writer, content, part))
			return false;
		run = NULL;
	}
	return true;
}

static bool
put_messages(struct request_writer *writer, struct conversation_turn *turn)
{
	struct json_object *messages, *message, *content = NULL;
	const char *role, *last = NULL;

	messages = document_add(writer->body, "messages", document_array());
	for (; turn != NULL; turn = turn->next) {
		role = turn->role == CONVERSATION_ASSISTANT ? "assistant" :
		    "user";
		if (last == NULL || strcmp(role, last) != 0) {
			content = document_array();
			message = document_object();
			document_put_word(message, "role", role);
			document_add(message, "content", content);
			document_push(messages, message);
		}
		if (!put_parts(writer, content, turn))
			return false;
		last = role;
		/* A turn of nothing but foreign reasoning is no turn. */
		if (document_length(content) == 0) {
			json_object_array_del_idx(messages,
			    document_length(messages) - 1, 1);
			last = NULL;
		}
	}
	return true;
}

static void
put_tools(struct request_writer *writer)
{
	const struct conversation_tool *tool;
	struct json_object *tools, *to, *schema;

	if (writer->conversation->tools == NULL)
		return;
	tools = document_add(writer->body, "tools", document_array());
	for (tool = writer->conversation->tools; tool != NULL;
	    tool = tool->next) {
		to = document_push(tools, document_object());
		document_put_text(to, "name", tool->name);
		if (tool->description.len > 0)
			document_put_text(to, "description",
			    tool->description);
		if (tool->schema != NULL) {
			document_share(to, "input_schema", tool->schema);
		} else {
			schema = document_add(to, "input_schema",
			    document_object());
			document_put_word(schema, "type", "object");
		}
		if (tool->strict)
			document_put_bool(to, "strict", true);
	}
}

static void
put_choice(struct request_writer *writer)
{
	static const char *const words[] = {
		[CONVERSATION_CHOICE_UNSAID] = "auto",
		[CONVERSATION_CHOICE_AUTO] = "auto",
		[CONVERSATION_CHOICE_NONE] = "none",
		[CONVERSATION_CHOICE_ANY] = "any",
		[CONVERSATION_CHOICE_ONE] = "tool",
	};
	struct conversation *conversation = writer->conversation;
	struct json_object *choice;

	if (conversation->tools == NULL ||
	    (conversation->choice == CONVERSATION_CHOICE_UNSAID &&
	    !conversation->one_call))
		return;
	choice = document_add(writer->body, "tool_choice", document_object());
	document_put_word(choice, "type", words[conversation->choice]);
	if (conversation->choice == CONVERSATION_CHOICE_ONE)
		document_put_text(choice, "name", conversation->choice_name);
	if (conversation->one_call &&
	    conversation->choice != CONVERSATION_CHOICE_NONE)
		document_put_bool(choice, "disable_parallel_tool_use", true);
}

/* The model is of the generations that take a budget of thinking. */
static bool
takes_budget(const char *model)
{
	static const char *const old[] = {
		"claude-3", "-4-0", "-4-1", "-4-5", "-4-2025", "claude-4",
		"-4.1", "-4.5", "claude-2",
	};
	size_t i;

	for (i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (strstr(model, old[i]) != NULL)
			return true;
	return false;
}

/* The last assistant turn called tools, and its thinking isn't here. */
static bool
thinking_was_lost(const struct conversation *conversation)
{
	const struct conversation_turn *turn, *calling = NULL;
	const struct conversation_part *part;

	for (turn = conversation->turns; turn != NULL; turn = turn->next)
		if (turn->role == CONVERSATION_ASSISTANT)
			calling = turn;
	if (calling == NULL || calling->calls == 0)
		return false;
	for (part = calling->parts; part != NULL; part = part->next)
		if (part->kind == CONVERSATION_THINKING &&
		    part->origin == CONVERSATION_ANTHROPIC &&
		    part->signature.len > 0)
			return false;
	return true;
}

static bool
is_forced(const struct conversation *conversation)
{
	return conversation->tools != NULL &&
	    (conversation->choice == CONVERSATION_CHOICE_ANY ||
	    conversation->choice == CONVERSATION_CHOICE_ONE);
}

static void
put_budget(struct request_writer *writer, uint64_t max_tokens)
{
	struct conversation *conversation = writer->conversation;
	struct json_object *thinking;
	uint64_t budget = conversation->budget;

	if (budget == 0)
		budget = conversation_effort_budget(conversation->effort);
	/* It is a part of max_tokens, and leaves some for the answer. */
	if (budget > max_tokens / 4 * 3)
		budget = max_tokens / 4 * 3;
	if (budget < BUDGET_MIN || thinking_was_lost(conversation) ||
	    is_forced(conversation))
		return;
	thinking = document_add(writer->body, "thinking", document_object());
	document_put_word(thinking, "type", "enabled");
	document_put_count(thinking, "budget_tokens", budget);
}

static void
put_effort(struct request_writer *writer, struct json_object *config)
{
	enum conversation_effort effort = writer->conversation->effort;
	struct json_object *thinking;

	if (!is_forced(writer->conversation)) {
		thinking = document_add(writer->body, "thinking",
		    document_object());
		document_put_word(thinking, "type", "adaptive");
		document_put_word(thinking, "display", "summarized");
	}
	if (effort == CONVERSATION_EFFORT_MINIMAL)
		effort = CONVERSATION_EFFORT_LOW;
	document_put_word(config, "effort", conversation_effort_word(effort));
}

static void
put_output_config(struct request_writer *writer, uint64_t max_tokens)
{
	struct conversation *conversation = writer->conversation;
	struct json_object *config = document_object(), *format;

	if (conversation->effort > CONVERSATION_EFFORT_NONE) {
		if (takes_budget(writer->options->model))
			put_budget(writer, max_tokens);
		else
			put_effort(writer, config);
	}
	if (conversation->format == CONVERSATION_FORMAT_SCHEMA) {
		format = document_add(config, "format", document_object());
		document_put_word(format, "type", "json_schema");
		document_share(format, "schema", conversation->format_schema);
	}
	if (json_object_object_length(config) > 0)
		document_add(writer->body, "output_config", config);
	else
		json_object_put(config);
}

static void
put_stop(struct request_writer *writer)
{
	struct json_object *stop =
	    writer->conversation->params[CONVERSATION_STOP].value;

	if (stop == NULL)
		return;
	if (json_object_is_type(stop, json_type_array)) {
		document_share(writer->body, "stop_sequences", stop);
		return;
	}
	document_push(document_add(writer->body, "stop_sequences",
	    document_array()), json_object_get(stop));
}

static void
put_system(struct request_writer *writer, struct span system)
{
	const struct conversation_turn *first = writer->conversation->turns;
	const struct conversation_part *part = NULL;
	struct json_object *blocks;
	bool cached = false;

	if (first != NULL && first->role == CONVERSATION_SYSTEM)
		part = first->parts;
	for (; part != NULL; part = part->next)
		cached = cached || part->cache != NULL;
	if (writer->conversation->format != CONVERSATION_FORMAT_JSON &&
	    !cached) {
		if (!is_blank(system))
			document_put_text(writer->body, "system", system);
		return;
	}
	blocks = document_add(writer->body, "system", document_array());
	if (!cached)
		put_text(blocks, system, NULL);
	for (part = cached ? first->parts : NULL; part != NULL;
	    part = part->next)
		put_text(blocks, part->text, part->cache);
	if (writer->conversation->format == CONVERSATION_FORMAT_JSON)
		put_text(blocks, SPAN(json_only), NULL);
}

static bool
check_params(struct request_writer *writer)
{
	static const enum conversation_param without[] = {
		CONVERSATION_SEED, CONVERSATION_FREQUENCY_PENALTY,
		CONVERSATION_PRESENCE_PENALTY, CONVERSATION_VERBOSITY,
		CONVERSATION_SERVICE_TIER,
	};
	struct conversation_value *temperature =
	    &writer->conversation->params[CONVERSATION_TEMPERATURE];

	if (temperature->value != NULL &&
	    json_object_get_double(temperature->value) > 1)
		return request_refuse(writer, temperature->member,
		    TRANSLATE_VALUE);
	return request_without(writer, without,
	    sizeof(without) / sizeof(without[0]));
}

bool
request_to_anthropic(struct request_writer *writer)
{
	struct conversation_value *params = writer->conversation->params;
	struct conversation_turn *turn;
	uint64_t max_tokens = writer->options->max_output > 0 ?
	    writer->options->max_output : DEFAULT_MAX_TOKENS;
	struct span system = request_system(writer, &turn);

	if (!check_params(writer))
		return false;
	document_put_word(writer->body, "model", writer->options->model);
	if (params[CONVERSATION_MAX_TOKENS].value != NULL) {
		max_tokens = (uint64_t)json_object_get_int64(
		    params[CONVERSATION_MAX_TOKENS].value);
		request_put_param(writer, writer->body,
		    CONVERSATION_MAX_TOKENS, "max_tokens");
	} else
		document_put_count(writer->body, "max_tokens", max_tokens);
	put_system(writer, system);
	if (!put_messages(writer, turn))
		return false;
	put_tools(writer);
	put_choice(writer);
	put_stop(writer);
	request_put_param(writer, writer->body, CONVERSATION_TEMPERATURE,
	    "temperature");
	request_put_param(writer, writer->body, CONVERSATION_TOP_P, "top_p");
	request_put_param(writer, writer->body, CONVERSATION_TOP_K, "top_k");
	put_output_config(writer, max_tokens);
	if (writer->conversation->wish.streamed)
		document_put_bool(writer->body, "stream", true);
	return true;
}

/*
 * request_from_messages.c: messages, as clients send them.
 *
 * Without effect, for they change nothing in the answer: metadata (whom the
 * client serves is not told to another provider), cache_control (each provider
 * caches in its own way), diagnostics, citations of earlier answers, a tool's
 * eager_input_streaming, and context_management as far as it clears thinking,
 * which does not go to another provider in the first place.
 */
#include "translate/request.h"

#include <string.h>

#include "translate/answer.h"

static bool
read_text_block(struct walk *walk, struct json_object *block)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "text", WALK_STRING, NULL, 0 },
		{ "citations", WALK_ARRAY, NULL, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
	};
	struct span text;

	return walk_object(walk, block, members, WALK_LEN(members)) &&
	    walk_text(walk, block, "text", &text) && walk_add_text(walk, text);
}

/* walk->part is the image or document. */
static bool
read_source(struct walk *walk, struct json_object *source)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "media_type", WALK_STRING, NULL, 0 },
		{ "data", WALK_STRING, NULL, 0 },
		{ "url", WALK_STRING, NULL, 0 },
	};
	struct conversation_part *part = walk->part;
	struct span type;

	if (!walk_text(walk, source, "type", &type))
		return false;
	if (span_is(type, "url"))
		return walk_object(walk, source, members, WALK_LEN(members)) &&
		    walk_text(walk, source, "url", &part->url);
	if (!span_is(type, "base64") &&
	    !(span_is(type, "text") && part->kind == CONVERSATION_FILE))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	if (!walk_object(walk, source, members, WALK_LEN(members)) ||
	    !walk_text(walk, source, "media_type", &part->media_type) ||
	    !walk_text(walk, source, "data", &part->data))
		return false;
	if (span_is(type, "text")) {
		part->kind = CONVERSATION_TEXT;
		part->text = part->data;
	}
	return true;
}

static bool
read_citations_config(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "enabled", WALK_BOOL, walk_false, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_media(struct walk *walk, struct json_object *block,
    enum conversation_kind kind)
{
	static const struct walk_member image[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "source", WALK_OBJECT, read_source, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
	};
	static const struct walk_member document[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "source", WALK_OBJECT, read_source, 0 },
		{ "title", WALK_STRING, NULL, 0 },
		{ "citations", WALK_OBJECT, read_citations_config, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
	};

	if (document_get(block, "source") == NULL)
		return walk_refuse_member(walk, "source", TRANSLATE_MISSING);
	if (!walk_part(walk, kind))
		return false;
	if (kind == CONVERSATION_IMAGE)
		return walk_object(walk, block, image, WALK_LEN(image));
	walk->part->name = document_text(block, "title");
	return walk_object(walk, block, document, WALK_LEN(document));
}

static bool
read_tool_use(struct walk *walk, struct json_object *block)
{
	static const struct walk_member caller[] = {
		{ "type", WALK_STRING, NULL, 0 },
	};
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "id", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "input", WALK_OBJECT, NULL, 0 },
		{ "caller", WALK_OBJECT, NULL, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
	};
	struct json_object *by = document_get(block, "caller");

	if (!walk_object(walk, block, members, WALK_LEN(members)) ||
	    !walk_part(walk, CONVERSATION_CALL) ||
	    !walk_text(walk, block, "id", &walk->part->id) ||
	    !walk_text(walk, block, "name", &walk->part->name))
		return false;
	if (by != NULL && (!walk_object(walk, by, caller, WALK_LEN(caller)) ||
	    !document_is(document_get(by, "type"), "direct")))
		return walk_refuse_member(walk, "caller", TRANSLATE_NO_WORD);
	walk->part->arguments = document_get(block, "input");
	return true;
}

/* The client's thinking goes back to whoever signed it. */
static bool
read_thinking(struct walk *walk, struct json_object *block)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "thinking", WALK_STRING, NULL, 0 },
		{ "signature", WALK_STRING, NULL, 0 },
		{ "data", WALK_STRING, NULL, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
	};
	struct span signature = document_text(block, "signature");

	if (!walk_object(walk, block, members, WALK_LEN(members)) ||
	    !walk_part(walk, CONVERSATION_THINKING))
		return false;
	walk->part->text = document_text(block, "thinking");
	answer_unmark(signature, walk->part);
	return true;
}

static bool	read_content(struct walk *walk, struct json_object *content);

static bool
read_tool_result(struct walk *walk, struct json_object *block)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "tool_use_id", WALK_STRING, NULL, 0 },
		{ "content", WALK_STRING | WALK_ARRAY, NULL, 0 },
		{ "is_error", WALK_BOOL, NULL, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
	};

	if (!walk_object(walk, block, members, WALK_LEN(members)) ||
	    !walk_part(walk, CONVERSATION_RESULT) ||
	    !walk_text(walk, block, "tool_use_id", &walk->part->id))
		return false;
	walk->part->is_error = document_true(block, "is_error");
	return walk_result(walk, block, "content", read_content);
}

static bool
read_block(struct walk *walk, struct json_object *block)
{
	static const struct {
		const char *type;
		walk_fn *read;
	} blocks[] = {
		{ "text", read_text_block },
		{ "tool_use", read_tool_use },
		{ "tool_result", read_tool_result },
		{ "thinking", read_thinking },
		{ "redacted_thinking", read_thinking },
	};
	struct span type;
	size_t i;

	if (!walk_text(walk, block, "type", &type))
		return false;
	if (span_is(type, "image"))
		return read_media(walk, block, CONVERSATION_IMAGE);
	if (span_is(type, "document"))
		return read_media(walk, block, CONVERSATION_FILE);
	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (span_is(type, blocks[i].type))
			return blocks[i].read(walk, block);
	return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
}

static bool
read_content(struct walk *walk, struct json_object *content)
{
	if (json_object_is_type(content, json_type_string))
		return walk_add_text(walk, document_span(content));
	return walk_each(walk, content, WALK_OBJECT, read_block);
}

static bool
read_message(struct walk *walk, struct json_object *message)
{
	static const struct walk_member members[] = {
		{ "role", WALK_STRING, NULL, 0 },
		{ "content", WALK_STRING | WALK_ARRAY, read_content, 0 },
	};
	struct span role;

	if (!walk_text(walk, message, "role", &role))
		return false;
	if (span_is(role, "user"))
		walk->role = CONVERSATION_USER;
	else if (span_is(role, "assistant"))
		walk->role = CONVERSATION_ASSISTANT;
	else if (span_is(role, "system"))
		walk->role = CONVERSATION_SYSTEM;
	else
		return walk_refuse_member(walk, "role", TRANSLATE_UNKNOWN);
	if (document_get(message, "content") == NULL)
		return walk_refuse_member(walk, "content", TRANSLATE_MISSING);
	return walk_object(walk, message, members, WALK_LEN(members));
}

static bool
read_messages(struct walk *walk, struct json_object *messages)
{
	return walk_each(walk, messages, WALK_OBJECT, read_message);
}

static bool
is_direct(struct walk *walk, struct json_object *value)
{
	return document_is(value, "direct") ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
read_callers(struct walk *walk, struct json_object *value)
{
	return walk_each(walk, value, WALK_STRING, is_direct);
}

static bool
read_tool(struct walk *walk, struct json_object *block)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "description", WALK_STRING, NULL, 0 },
		{ "input_schema", WALK_OBJECT, NULL, 0 },
		{ "strict", WALK_BOOL, NULL, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
		{ "eager_input_streaming", WALK_BOOL, NULL, 0 },
		{ "defer_loading", WALK_BOOL, walk_false, 0 },
		{ "allowed_callers", WALK_ARRAY, read_callers, 0 },
	};
	struct json_object *type = document_get(block, "type");
	struct conversation_tool *tool;

	/* Any other is a tool of the provider's own. */
	if (type != NULL && !document_is(type, "custom"))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	tool = conversation_tool(walk->conversation);
	if (tool == NULL)
		return walk_refuse(walk, TRANSLATE_MEMORY);
	if (!walk_text(walk, block, "name", &tool->name))
		return false;
	tool->description = document_text(block, "description");
	tool->schema = document_get(block, "input_schema");
	tool->strict = document_true(block, "strict");
	return walk_object(walk, block, members, WALK_LEN(members));
}

static bool
read_tools(struct walk *walk, struct json_object *tools)
{
	return walk_each(walk, tools, WALK_OBJECT, read_tool);
}

static bool
read_one_call(struct walk *walk, struct json_object *value)
{
	walk->conversation->one_call = json_object_get_boolean(value);
	walk->conversation->one_call_member = walk_path(walk);
	return true;
}

static bool
read_choice(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "disable_parallel_tool_use", WALK_BOOL, read_one_call, 0 },
	};
	enum conversation_choice *choice = &walk->conversation->choice;
	struct span type;

	if (!walk_text(walk, value, "type", &type))
		return false;
	if (span_is(type, "auto"))
		*choice = CONVERSATION_CHOICE_AUTO;
	else if (span_is(type, "any"))
		*choice = CONVERSATION_CHOICE_ANY;
	else if (span_is(type, "none"))
		*choice = CONVERSATION_CHOICE_NONE;
	else if (span_is(type, "tool"))
		*choice = CONVERSATION_CHOICE_ONE;
	else
		return walk_refuse_member(walk, "type", TRANSLATE_UNKNOWN);
	if (*choice == CONVERSATION_CHOICE_ONE && !walk_text(walk, value,
	    "name", &walk->conversation->choice_name))
		return false;
	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_effort(struct walk *walk, struct json_object *value)
{
	/* What thinking says itself is the nearer word. */
	if (walk->conversation->effort != CONVERSATION_EFFORT_UNSAID)
		return true;
	return walk_effort(walk, value);
}

static bool
read_format(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "schema", WALK_OBJECT, NULL, 0 },
	};
	struct conversation *conversation = walk->conversation;

	conversation->format_member = walk_path(walk);
	if (!document_is(document_get(value, "type"), "json_schema"))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	conversation->format_schema = document_get(value, "schema");
	if (conversation->format_schema == NULL)
		return walk_refuse_member(walk, "schema", TRANSLATE_MISSING);
	conversation->format = CONVERSATION_FORMAT_SCHEMA;
	conversation->format_strict = true;
	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_output_config(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "effort", WALK_STRING, read_effort, 0 },
		{ "format", WALK_OBJECT, read_format, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_edit(struct walk *walk, struct json_object *edit)
{
	struct span type;

	if (!walk_text(walk, edit, "type", &type))
		return false;
	return span_begins(type, "clear_thinking_") ||
	    walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
}

static bool
read_edits(struct walk *walk, struct json_object *edits)
{
	return walk_each(walk, edits, WALK_OBJECT, read_edit);
}

static bool
read_context_management(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "edits", WALK_ARRAY, read_edits, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
is_standard(struct walk *walk, struct json_object *value)
{
	return document_is(value, "auto") || document_is(value, "standard") ||
	    document_is(value, "standard_only") ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
read_system(struct walk *walk, struct json_object *system)
{
	walk->role = CONVERSATION_SYSTEM;
	if (json_object_is_type(system, json_type_string))
		return walk_add_text(walk, document_span(system));
	return walk_each(walk, system, WALK_OBJECT, read_text_block);
}

bool
request_from_messages(struct walk *walk, struct json_object *document)
{
	static const struct walk_member members[] = {
		{ "model", WALK_STRING, NULL, 0 },
		{ "system", WALK_STRING | WALK_ARRAY, NULL, 0 },
		{ "messages", WALK_ARRAY, NULL, 0 },
		{ "max_tokens", WALK_NUMBER, NULL, CONVERSATION_MAX_TOKENS },
		{ "stream", WALK_BOOL, walk_stream, 0 },
		{ "temperature", WALK_NUMBER, NULL,
		    CONVERSATION_TEMPERATURE },
		{ "top_p", WALK_NUMBER, NULL, CONVERSATION_TOP_P },
		{ "top_k", WALK_NUMBER, NULL, CONVERSATION_TOP_K },
		{ "stop_sequences", WALK_ARRAY, walk_strings,
		    CONVERSATION_STOP },
		{ "tools", WALK_ARRAY, read_tools, 0 },
		{ "tool_choice", WALK_OBJECT, read_choice, 0 },
		{ "thinking", WALK_OBJECT, NULL, 0 },
		{ "output_config", WALK_OBJECT, NULL, 0 },
		{ "output_format", WALK_OBJECT, read_format, 0 },
		{ "context_management", WALK_OBJECT, read_context_management,
		    0 },
		{ "service_tier", WALK_STRING, is_standard, 0 },
		{ "speed", WALK_STRING, is_standard, 0 },
		{ "mcp_servers", WALK_ARRAY, walk_empty, 0 },
		{ "thread", 0, NULL, 0 },
		{ "metadata", WALK_OBJECT, NULL, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
		{ "diagnostics", WALK_OBJECT, NULL, 0 },
	};

	if (document_get(document, "messages") == NULL)
		return walk_refuse_member(walk, "messages", TRANSLATE_MISSING);
	/* In this order: the system prompt leads, thinking outranks effort. */
	return walk_object(walk, document, members, WALK_LEN(members)) &&
	    walk_into(walk, document, "system", read_system) &&
	    walk_into(walk, document, "messages", read_messages) &&
	    walk_into(walk, document, "thinking", walk_thinking) &&
	    walk_into(walk, document, "output_config", read_output_config);
}

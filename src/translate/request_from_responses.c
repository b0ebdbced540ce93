/*
 * request_from_responses.c: responses, as clients send them, without state:
 * what refers to an earlier response or an item of one is refused.
 *
 * Without effect, for they change nothing in the answer: metadata, store
 * (nothing is ever stored), user, safety_identifier, prompt_cache_*,
 * max_tool_calls (it limits tools that are refused), reasoning.summary
 * (reasoning is passed on where there is any), an item's id, status and phase,
 * an image's detail, annotations, and parsed and parsed_arguments, which the
 * official client's helpers leave in what they give back.
 *
 * A custom tool takes free text.  Upstreams have it as a function of one
 * string; a grammar for the text is told to the model in the description.
 */
#include "translate/request.h"

#include <stdio.h>
#include <string.h>

#include "translate/answer.h"

static bool
read_text(struct walk *walk, struct json_object *part)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "text", WALK_STRING, NULL, 0 },
		{ "refusal", WALK_STRING, NULL, 0 },
		{ "annotations", WALK_ARRAY, NULL, 0 },
		{ "logprobs", WALK_ARRAY, NULL, 0 },
		{ "parsed", WALK_ANY, NULL, 0 },
		{ "prompt_cache_breakpoint", WALK_ANY, NULL, 0 },
	};
	bool refusal = document_is(document_get(part, "type"), "refusal");
	struct span text;

	return walk_object(walk, part, members, WALK_LEN(members)) &&
	    walk_text(walk, part, refusal ? "refusal" : "text", &text) &&
	    walk_add_text(walk, text);
}

static bool
read_image(struct walk *walk, struct json_object *part)
{
	/* file_id is another provider's: not among them. */
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "image_url", WALK_STRING, NULL, 0 },
		{ "detail", WALK_STRING, NULL, 0 },
		{ "prompt_cache_breakpoint", WALK_ANY, NULL, 0 },
		{ "file_id", 0, NULL, 0 },
	};
	struct span url;

	if (!walk_object(walk, part, members, WALK_LEN(members)) ||
	    !walk_text(walk, part, "image_url", &url) ||
	    !walk_part(walk, CONVERSATION_IMAGE))
		return false;
	conversation_url(walk->part, url);
	return true;
}

static bool
read_file(struct walk *walk, struct json_object *part)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "file_data", WALK_STRING, NULL, 0 },
		{ "file_url", WALK_STRING, NULL, 0 },
		{ "filename", WALK_STRING, NULL, 0 },
		{ "detail", WALK_STRING, NULL, 0 },
		{ "prompt_cache_breakpoint", WALK_ANY, NULL, 0 },
		{ "file_id", 0, NULL, 0 },
	};
	bool by_url = document_get(part, "file_url") != NULL;
	struct span url;

	if (!walk_object(walk, part, members, WALK_LEN(members)) ||
	    !walk_text(walk, part, by_url ? "file_url" : "file_data", &url) ||
	    !walk_part(walk, CONVERSATION_FILE))
		return false;
	conversation_url(walk->part, url);
	walk->part->name = document_text(part, "filename");
	return true;
}

static bool
read_content_part(struct walk *walk, struct json_object *part)
{
	struct span type;

	if (!walk_text(walk, part, "type", &type))
		return false;
	if (span_is(type, "input_text") || span_is(type, "output_text") ||
	    span_is(type, "refusal"))
		return read_text(walk, part);
	if (span_is(type, "input_image"))
		return read_image(walk, part);
	if (span_is(type, "input_file"))
		return read_file(walk, part);
	return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
}

static bool
read_content(struct walk *walk, struct json_object *content)
{
	if (json_object_is_type(content, json_type_string))
		return walk_add_text(walk, document_span(content));
	return walk_each(walk, content, WALK_OBJECT, read_content_part);
}

static bool
read_message(struct walk *walk, struct json_object *item)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "role", WALK_STRING, NULL, 0 },
		{ "content", WALK_STRING | WALK_ARRAY, read_content, 0 },
		{ "id", WALK_STRING, NULL, 0 },
		{ "status", WALK_STRING, NULL, 0 },
		{ "phase", WALK_STRING, NULL, 0 },
	};
	struct span role;

	if (!walk_text(walk, item, "role", &role))
		return false;
	if (span_is(role, "user"))
		walk->role = CONVERSATION_USER;
	else if (span_is(role, "assistant"))
		walk->role = CONVERSATION_ASSISTANT;
	else if (span_is(role, "system") || span_is(role, "developer"))
		walk->role = CONVERSATION_SYSTEM;
	else
		return walk_refuse_member(walk, "role", TRANSLATE_UNKNOWN);
	if (document_get(item, "content") == NULL)
		return walk_refuse_member(walk, "content", TRANSLATE_MISSING);
	return walk_object(walk, item, members, WALK_LEN(members));
}

static bool
is_direct(struct walk *walk, struct json_object *value)
{
	return document_is(document_get(value, "type"), "direct") ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
read_call(struct walk *walk, struct json_object *item)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "call_id", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "arguments", WALK_STRING, NULL, 0 },
		{ "parsed_arguments", WALK_ANY, NULL, 0 },
		{ "id", WALK_STRING, NULL, 0 },
		{ "status", WALK_STRING, NULL, 0 },
		{ "caller", WALK_OBJECT, is_direct, 0 },
	};
	struct span arguments;

	walk->role = CONVERSATION_ASSISTANT;
	if (!walk_object(walk, item, members, WALK_LEN(members)) ||
	    !walk_part(walk, CONVERSATION_CALL) ||
	    !walk_text(walk, item, "call_id", &walk->part->id) ||
	    !walk_text(walk, item, "name", &walk->part->name) ||
	    !walk_text(walk, item, "arguments", &arguments))
		return false;
	conversation_arguments(walk->conversation, walk->part, arguments);
	return true;
}

static bool
read_custom_call(struct walk *walk, struct json_object *item)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "call_id", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "input", WALK_STRING, NULL, 0 },
		{ "id", WALK_STRING, NULL, 0 },
		{ "status", WALK_STRING, NULL, 0 },
		{ "caller", WALK_OBJECT, is_direct, 0 },
	};
	struct span input;

	walk->role = CONVERSATION_ASSISTANT;
	if (!walk_object(walk, item, members, WALK_LEN(members)) ||
	    !walk_part(walk, CONVERSATION_CALL) ||
	    !walk_text(walk, item, "call_id", &walk->part->id) ||
	    !walk_text(walk, item, "name", &walk->part->name) ||
	    !walk_text(walk, item, "input", &input))
		return false;
	conversation_free_text(walk->conversation, walk->part, input);
	return true;
}

static bool
read_output(struct walk *walk, struct json_object *item)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "call_id", WALK_STRING, NULL, 0 },
		{ "output", WALK_STRING | WALK_ARRAY, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "id", WALK_STRING, NULL, 0 },
		{ "status", WALK_STRING, NULL, 0 },
		{ "caller", WALK_OBJECT, is_direct, 0 },
	};

	walk->role = CONVERSATION_USER;
	if (!walk_object(walk, item, members, WALK_LEN(members)) ||
	    !walk_part(walk, CONVERSATION_RESULT) ||
	    !walk_text(walk, item, "call_id", &walk->part->id))
		return false;
	return walk_result(walk, item, "output", read_content);
}

static bool
read_summary(struct walk *walk, struct json_object *summary)
{
	struct span text = document_text(summary, "text");

	/* We give one a piece of reasoning; others' are not signed for us. */
	if (walk->part->text.p == NULL)
		walk->part->text = text;
	return true;
}

static bool
read_summaries(struct walk *walk, struct json_object *value)
{
	return walk_each(walk, value, WALK_OBJECT, read_summary);
}

static bool
read_reasoning_item(struct walk *walk, struct json_object *item)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "id", WALK_STRING, NULL, 0 },
		{ "status", WALK_STRING, NULL, 0 },
		{ "summary", WALK_ARRAY, read_summaries, 0 },
		{ "content", WALK_ARRAY, NULL, 0 },
		{ "encrypted_content", WALK_STRING, NULL, 0 },
	};

	walk->role = CONVERSATION_ASSISTANT;
	if (!walk_part(walk, CONVERSATION_THINKING) ||
	    !walk_object(walk, item, members, WALK_LEN(members)))
		return false;
	answer_unmark(document_text(item, "encrypted_content"), walk->part);
	return true;
}

static bool
read_item(struct walk *walk, struct json_object *item)
{
	struct json_object *type = document_get(item, "type");

	if (type == NULL || document_is(type, "message"))
		return read_message(walk, item);
	if (document_is(type, "function_call"))
		return read_call(walk, item);
	if (document_is(type, "custom_tool_call"))
		return read_custom_call(walk, item);
	if (document_is(type, "function_call_output") ||
	    document_is(type, "custom_tool_call_output"))
		return read_output(walk, item);
	if (document_is(type, "reasoning"))
		return read_reasoning_item(walk, item);
	return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
}

static bool
read_input(struct walk *walk, struct json_object *input)
{
	walk->role = CONVERSATION_USER;
	if (json_object_is_type(input, json_type_string))
		return walk_add_text(walk, document_span(input));
	return walk_each(walk, input, WALK_OBJECT, read_item);
}

static bool
read_instructions(struct walk *walk, struct json_object *value)
{
	walk->role = CONVERSATION_SYSTEM;
	return walk_add_text(walk, document_span(value));
}

static bool
is_encrypted_reasoning(struct walk *walk, struct json_object *value)
{
	return document_is(value, "reasoning.encrypted_content") ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
read_include(struct walk *walk, struct json_object *value)
{
	return walk_each(walk, value, WALK_STRING, is_encrypted_reasoning);
}

static bool
is_disabled(struct walk *walk, struct json_object *value)
{
	return document_is(value, "disabled") ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
read_reasoning(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "effort", WALK_STRING, walk_effort, 0 },
		{ "summary", WALK_STRING, NULL, 0 },
		{ "generate_summary", WALK_STRING, NULL, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_format(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "description", WALK_STRING, NULL, 0 },
		{ "schema", WALK_OBJECT, NULL, 0 },
		{ "strict", WALK_BOOL, NULL, 0 },
	};
	struct conversation *conversation = walk->conversation;
	struct span type;

	conversation->format_member = walk_path(walk);
	if (!walk_text(walk, value, "type", &type))
		return false;
	if (span_is(type, "json_object"))
		conversation->format = CONVERSATION_FORMAT_JSON;
	else if (span_is(type, "json_schema"))
		conversation->format = CONVERSATION_FORMAT_SCHEMA;
	else if (!span_is(type, "text"))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	conversation->format_name = document_text(value, "name");
	conversation->format_description = document_text(value, "description");
	conversation->format_schema = document_get(value, "schema");
	conversation->format_strict = document_true(value, "strict");
	if (conversation->format == CONVERSATION_FORMAT_SCHEMA &&
	    conversation->format_schema == NULL)
		return walk_refuse_member(walk, "schema", TRANSLATE_MISSING);
	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_text_config(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "format", WALK_OBJECT, read_format, 0 },
		{ "verbosity", WALK_STRING, NULL, CONVERSATION_VERBOSITY },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

/* The one string that stands for free text. */
static struct json_object *
free_text_schema(struct conversation *conversation)
{
	static const char schema[] = "{\"type\":\"object\",\"properties\":"
	    "{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"],"
	    "\"additionalProperties\":false}";

	return conversation_keep(conversation, document_parse(schema,
	    sizeof(schema) - 1, true));
}

/* walk->tool's description, with the grammar behind it. */
static bool
read_grammar(struct walk *walk, struct json_object *format)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "syntax", WALK_STRING, NULL, 0 },
		{ "definition", WALK_STRING, NULL, 0 },
	};
	static const char words[] = "The input must be of this grammar (";
	struct span description = walk->tool->description, syntax, definition;
	size_t len;
	char *text;

	if (!walk_object(walk, format, members, WALK_LEN(members)))
		return false;
	if (document_is(document_get(format, "type"), "text"))
		return true;
	if (!walk_text(walk, format, "syntax", &syntax) ||
	    !walk_text(walk, format, "definition", &definition))
		return false;
	len = description.len + syntax.len + definition.len + sizeof(words) +
	    8;
	text = conversation_alloc(walk->conversation, len);
	if (text == NULL)
		return walk_refuse(walk, TRANSLATE_MEMORY);
	snprintf(text, len, "%.*s%s%s%.*s):\n%.*s",
	    (int)description.len, description.len > 0 ? description.p : "",
	    description.len > 0 ? "\n\n" : "", words, (int)syntax.len,
	    syntax.p, (int)definition.len, definition.p);
	walk->tool->description = (struct span){ text, strlen(text) };
	return true;
}

/* The answer's writer must know which calls are of free text. */
static bool
note_custom(struct walk *walk, struct span name)
{
	char *names = walk->conversation->wish.custom_tools;
	size_t at = strlen(names);

	if (name.len == 0 || memchr(name.p, '\n', name.len) != NULL ||
	    memchr(name.p, '\0', name.len) != NULL ||
	    name.len + 2 > TRANSLATE_CUSTOM_BYTES - at)
		return walk_refuse_member(walk, "name", TRANSLATE_VALUE);
	memcpy(names + at, name.p, name.len);
	memcpy(names + at + name.len, "\n", 2);
	return true;
}

static bool
read_custom_tool(struct walk *walk, struct json_object *object)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "description", WALK_STRING, NULL, 0 },
		{ "format", WALK_OBJECT, read_grammar, 0 },
		{ "defer_loading", WALK_BOOL, walk_false, 0 },
		{ "async", WALK_BOOL, walk_false, 0 },
	};
	struct conversation_tool *tool;

	tool = walk->tool = conversation_tool(walk->conversation);
	if (tool == NULL)
		return walk_refuse(walk, TRANSLATE_MEMORY);
	if (!walk_text(walk, object, "name", &tool->name) ||
	    !note_custom(walk, tool->name))
		return false;
	tool->description = document_text(object, "description");
	tool->schema = free_text_schema(walk->conversation);
	return walk_object(walk, object, members, WALK_LEN(members));
}

static bool
read_tool(struct walk *walk, struct json_object *object)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "description", WALK_STRING, NULL, 0 },
		{ "parameters", WALK_OBJECT, NULL, 0 },
		{ "strict", WALK_BOOL, NULL, 0 },
		{ "defer_loading", WALK_BOOL, walk_false, 0 },
		{ "async", WALK_BOOL, walk_false, 0 },
	};
	struct conversation_tool *tool;

	if (document_is(document_get(object, "type"), "custom"))
		return read_custom_tool(walk, object);
	if (!document_is(document_get(object, "type"), "function"))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	tool = conversation_tool(walk->conversation);
	if (tool == NULL)
		return walk_refuse(walk, TRANSLATE_MEMORY);
	if (!walk_text(walk, object, "name", &tool->name))
		return false;
	tool->description = document_text(object, "description");
	tool->schema = document_get(object, "parameters");
	tool->strict = document_true(object, "strict");
	return walk_object(walk, object, members, WALK_LEN(members));
}

static bool
read_tools(struct walk *walk, struct json_object *tools)
{
	return walk_each(walk, tools, WALK_OBJECT, read_tool);
}

static bool
read_choice(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
	};
	enum conversation_choice *choice = &walk->conversation->choice;

	if (document_is(value, "auto"))
		*choice = CONVERSATION_CHOICE_AUTO;
	else if (document_is(value, "none"))
		*choice = CONVERSATION_CHOICE_NONE;
	else if (document_is(value, "required"))
		*choice = CONVERSATION_CHOICE_ANY;
	else if (!json_object_is_type(value, json_type_object))
		return walk_refuse(walk, TRANSLATE_VALUE);
	else if (!document_is(document_get(value, "type"), "function") &&
	    !document_is(document_get(value, "type"), "custom"))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	else {
		*choice = CONVERSATION_CHOICE_ONE;
		return walk_object(walk, value, members, WALK_LEN(members)) &&
		    walk_text(walk, value, "name",
		    &walk->conversation->choice_name);
	}
	return true;
}

static bool
read_stream_options(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "include_obfuscation", WALK_BOOL, NULL, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

bool
request_from_responses(struct walk *walk, struct json_object *document)
{
	static const struct walk_member members[] = {
		{ "model", WALK_STRING, NULL, 0 },
		{ "instructions", WALK_STRING, NULL, 0 },
		{ "input", WALK_STRING | WALK_ARRAY, NULL, 0 },
		{ "stream", WALK_BOOL, walk_stream, 0 },
		{ "stream_options", WALK_OBJECT, read_stream_options, 0 },
		{ "max_output_tokens", WALK_NUMBER, NULL,
		    CONVERSATION_MAX_TOKENS },
		{ "temperature", WALK_NUMBER, NULL,
		    CONVERSATION_TEMPERATURE },
		{ "top_p", WALK_NUMBER, NULL, CONVERSATION_TOP_P },
		{ "top_logprobs", WALK_NUMBER, walk_zero, 0 },
		{ "tools", WALK_ARRAY, read_tools, 0 },
		{ "tool_choice", WALK_STRING | WALK_OBJECT, read_choice, 0 },
		{ "parallel_tool_calls", WALK_BOOL, walk_parallel, 0 },
		{ "text", WALK_OBJECT, read_text_config, 0 },
		{ "reasoning", WALK_OBJECT, read_reasoning, 0 },
		{ "service_tier", WALK_STRING, NULL,
		    CONVERSATION_SERVICE_TIER },
		{ "include", WALK_ARRAY, read_include, 0 },
		{ "truncation", WALK_STRING, is_disabled, 0 },
		{ "background", WALK_BOOL, walk_false, 0 },
		{ "context_management", WALK_ARRAY, walk_empty, 0 },
		{ "previous_response_id", 0, NULL, 0 },
		{ "conversation", 0, NULL, 0 },
		{ "prompt", 0, NULL, 0 },
		{ "max_tool_calls", WALK_NUMBER, NULL, 0 },
		{ "metadata", WALK_OBJECT, NULL, 0 },
		{ "client_metadata", WALK_OBJECT, NULL, 0 },
		{ "store", WALK_BOOL, NULL, 0 },
		{ "user", WALK_STRING, NULL, 0 },
		{ "safety_identifier", WALK_STRING, NULL, 0 },
		{ "prompt_cache_key", WALK_STRING, NULL, 0 },
		{ "prompt_cache_options", WALK_OBJECT, NULL, 0 },
		{ "prompt_cache_retention", WALK_STRING, NULL, 0 },
	};

	if (document_get(document, "input") == NULL)
		return walk_refuse_member(walk, "input", TRANSLATE_MISSING);
	return walk_object(walk, document, members, WALK_LEN(members)) &&
	    walk_into(walk, document, "instructions", read_instructions) &&
	    walk_into(walk, document, "input", read_input);
}

/*
 * request_from_chat.c: chat completions, as clients send them.
 *
 * Without effect, for they change nothing in the answer: metadata, store,
 * user, safety_identifier (whom the client serves is not told to another
 * provider), prompt_cache_* (each provider caches in its own way), a message's
 * name, an image's detail, annotations, and parsed and parsed_arguments, which
 * the official client's helpers leave in what they give back.
 * thinking and a text's cache_control are not OpenAI's own, but clients send
 * them for models of others.  reasoning_content has no signature and so nobody
 * who would read it; reasoning_details has.
 */
#include "translate/request.h"

#include <string.h>

static bool
read_content_part_text(struct walk *walk, struct json_object *part)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "text", WALK_STRING, NULL, 0 },
		{ "refusal", WALK_STRING, NULL, 0 },
		{ "cache_control", WALK_OBJECT, NULL, 0 },
		{ "prompt_cache_breakpoint", WALK_ANY, NULL, 0 },
	};
	struct span text;
	bool refusal = document_is(document_get(part, "type"), "refusal");

	if (!walk_object(walk, part, members, WALK_LEN(members)) ||
	    !walk_text(walk, part, refusal ? "refusal" : "text", &text) ||
	    !walk_add_text(walk, text))
		return false;
	walk->part->cache = document_get(part, "cache_control");
	return true;
}

static bool
read_image_url(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "url", WALK_STRING, NULL, 0 },
		{ "detail", WALK_STRING, NULL, 0 },
	};
	struct span url;

	if (!walk_object(walk, value, members, WALK_LEN(members)) ||
	    !walk_text(walk, value, "url", &url) ||
	    !walk_part(walk, CONVERSATION_IMAGE))
		return false;
	conversation_url(walk->part, url);
	return true;
}

static bool
read_audio(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "data", WALK_STRING, NULL, 0 },
		{ "format", WALK_STRING, NULL, 0 },
	};
	struct span data, format;

	if (!walk_object(walk, value, members, WALK_LEN(members)) ||
	    !walk_text(walk, value, "data", &data) ||
	    !walk_text(walk, value, "format", &format) ||
	    !walk_part(walk, CONVERSATION_AUDIO))
		return false;
	walk->part->data = data;
	if (span_is(format, "wav"))
		walk->part->media_type = SPAN("audio/wav");
	else if (span_is(format, "mp3"))
		walk->part->media_type = SPAN("audio/mp3");
	else
		return walk_refuse_member(walk, "format", TRANSLATE_VALUE);
	return true;
}

static bool
read_file(struct walk *walk, struct json_object *value)
{
	/* file_id is another provider's: not among them. */
	static const struct walk_member members[] = {
		{ "file_data", WALK_STRING, NULL, 0 },
		{ "filename", WALK_STRING, NULL, 0 },
	};
	struct span url;

	if (!walk_object(walk, value, members, WALK_LEN(members)) ||
	    !walk_text(walk, value, "file_data", &url) ||
	    !walk_part(walk, CONVERSATION_FILE))
		return false;
	conversation_url(walk->part, url);
	walk->part->name = document_text(value, "filename");
	return true;
}

static bool
read_content_part(struct walk *walk, struct json_object *part)
{
	static const struct walk_member image[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "image_url", WALK_OBJECT, read_image_url, 0 },
		{ "prompt_cache_breakpoint", WALK_ANY, NULL, 0 },
	};
	static const struct walk_member audio[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "input_audio", WALK_OBJECT, read_audio, 0 },
	};
	static const struct walk_member file[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "file", WALK_OBJECT, read_file, 0 },
		{ "prompt_cache_breakpoint", WALK_ANY, NULL, 0 },
	};
	struct span type;

	if (!walk_text(walk, part, "type", &type))
		return false;
	if (span_is(type, "text") || span_is(type, "refusal"))
		return read_content_part_text(walk, part);
	if (span_is(type, "image_url"))
		return walk_object(walk, part, image, WALK_LEN(image));
	if (span_is(type, "input_audio"))
		return walk_object(walk, part, audio, WALK_LEN(audio));
	if (span_is(type, "file"))
		return walk_object(walk, part, file, WALK_LEN(file));
	return walk_refuse_member(walk, "type", TRANSLATE_UNKNOWN);
}

static bool
read_content(struct walk *walk, struct json_object *content)
{
	if (json_object_is_type(content, json_type_string))
		return walk_add_text(walk, document_span(content));
	return walk_each(walk, content, WALK_OBJECT, read_content_part);
}

static bool
read_function(struct walk *walk, struct json_object *function)
{
	static const struct walk_member members[] = {
		{ "name", WALK_STRING, NULL, 0 },
		{ "arguments", WALK_STRING, NULL, 0 },
		{ "parsed_arguments", WALK_ANY, NULL, 0 },
	};
	struct span name, arguments;

	if (!walk_object(walk, function, members, WALK_LEN(members)) ||
	    !walk_text(walk, function, "name", &name) ||
	    !walk_text(walk, function, "arguments", &arguments))
		return false;
	walk->part->name = name;
	conversation_arguments(walk->conversation, walk->part, arguments);
	return true;
}

static bool
read_signature(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "thought_signature", WALK_STRING, NULL, 0 },
	};

	if (!walk_object(walk, value, members, WALK_LEN(members)))
		return false;
	walk->part->signature = document_text(value, "thought_signature");
	if (walk->part->signature.p != NULL)
		walk->part->origin = CONVERSATION_GEMINI;
	return true;
}

static bool
read_extra(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "google", WALK_OBJECT, read_signature, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_call(struct walk *walk, struct json_object *call)
{
	static const struct walk_member members[] = {
		{ "id", WALK_STRING, NULL, 0 },
		{ "index", WALK_NUMBER, NULL, 0 },
		{ "type", WALK_STRING, NULL, 0 },
		{ "function", WALK_OBJECT, read_function, 0 },
		{ "extra_content", WALK_OBJECT, read_extra, 0 },
	};
	struct json_object *type = document_get(call, "type");
	struct span id;

	if (type != NULL && !document_is(type, "function"))
		return walk_refuse_member(walk, "type", TRANSLATE_UNKNOWN);
	if (!walk_text(walk, call, "id", &id))
		return false;
	if (document_get(call, "function") == NULL)
		return walk_refuse_member(walk, "function", TRANSLATE_MISSING);
	if (!walk_part(walk, CONVERSATION_CALL))
		return false;
	walk->part->id = id;
	return walk_object(walk, call, members, WALK_LEN(members));
}

static bool
read_calls(struct walk *walk, struct json_object *calls)
{
	return walk_each(walk, calls, WALK_OBJECT, read_call);
}

/* Reasoning that came from a provider that signs, as we gave it. */
static bool
read_detail(struct walk *walk, struct json_object *detail)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "text", WALK_STRING, NULL, 0 },
		{ "summary", WALK_STRING, NULL, 0 },
		{ "data", WALK_STRING, NULL, 0 },
		{ "signature", WALK_STRING, NULL, 0 },
		{ "format", WALK_STRING, NULL, 0 },
		{ "id", WALK_STRING, NULL, 0 },
		{ "index", WALK_NUMBER, NULL, 0 },
	};
	struct span type;

	if (!walk_object(walk, detail, members, WALK_LEN(members)) ||
	    !walk_text(walk, detail, "type", &type) ||
	    !walk_part(walk, CONVERSATION_THINKING))
		return false;
	walk->part->redacted = span_is(type, "reasoning.encrypted");
	walk->part->text = document_text(detail, "text");
	walk->part->signature = document_text(detail,
	    walk->part->redacted ? "data" : "signature");
	if (span_begins(document_text(detail, "format"), "anthropic"))
		walk->part->origin = CONVERSATION_ANTHROPIC;
	return true;
}

static bool
read_details(struct walk *walk, struct json_object *details)
{
	return walk_each(walk, details, WALK_OBJECT, read_detail);
}

static bool
read_assistant(struct walk *walk, struct json_object *message)
{
	static const struct walk_member members[] = {
		{ "role", WALK_STRING, NULL, 0 },
		{ "content", WALK_STRING | WALK_ARRAY, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "refusal", WALK_STRING, NULL, 0 },
		{ "annotations", WALK_ARRAY, NULL, 0 },
		{ "parsed", WALK_ANY, NULL, 0 },
		{ "reasoning", WALK_STRING, NULL, 0 },
		{ "reasoning_content", WALK_STRING, NULL, 0 },
		{ "reasoning_details", WALK_ARRAY, NULL, 0 },
		{ "tool_calls", WALK_ARRAY, NULL, 0 },
		{ "function_call", 0, NULL, 0 },
		{ "audio", 0, NULL, 0 },
	};
	struct span refusal = document_text(message, "refusal");

	walk->role = CONVERSATION_ASSISTANT;
	if (!walk_object(walk, message, members, WALK_LEN(members)) ||
	    !walk_into(walk, message, "reasoning_details", read_details) ||
	    !walk_into(walk, message, "content", read_content))
		return false;
	if (refusal.len > 0 && !walk_add_text(walk, refusal))
		return false;
	return walk_into(walk, message, "tool_calls", read_calls);
}

static bool
read_tool_message(struct walk *walk, struct json_object *message)
{
	static const struct walk_member members[] = {
		{ "role", WALK_STRING, NULL, 0 },
		{ "content", WALK_STRING | WALK_ARRAY, NULL, 0 },
		{ "tool_call_id", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
	};
	struct span id;

	walk->role = CONVERSATION_USER;
	if (!walk_object(walk, message, members, WALK_LEN(members)) ||
	    !walk_text(walk, message, "tool_call_id", &id) ||
	    !walk_part(walk, CONVERSATION_RESULT))
		return false;
	walk->part->id = id;
	return walk_result(walk, message, "content", read_content);
}

static bool
read_message(struct walk *walk, struct json_object *message)
{
	static const struct walk_member members[] = {
		{ "role", WALK_STRING, NULL, 0 },
		{ "content", WALK_STRING | WALK_ARRAY, read_content, 0 },
		{ "name", WALK_STRING, NULL, 0 },
	};
	struct span role;

	if (!walk_text(walk, message, "role", &role))
		return false;
	if (span_is(role, "assistant"))
		return read_assistant(walk, message);
	if (span_is(role, "tool"))
		return read_tool_message(walk, message);
	if (span_is(role, "system") || span_is(role, "developer"))
		walk->role = CONVERSATION_SYSTEM;
	else if (span_is(role, "user"))
		walk->role = CONVERSATION_USER;
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
read_stream_options(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "include_usage", WALK_BOOL, NULL, 0 },
		{ "include_obfuscation", WALK_BOOL, NULL, 0 },
	};

	walk->conversation->wish.include_usage =
	    document_true(value, "include_usage");
	return walk_object(walk, value, members, WALK_LEN(members));
}

/* The older name, which the newer one overrides. */
static bool
read_max_tokens(struct walk *walk, struct json_object *value)
{
	struct conversation_value *param =
	    &walk->conversation->params[CONVERSATION_MAX_TOKENS];

	if (document_get(walk->object, "max_completion_tokens") == NULL) {
		param->value = value;
		param->member = walk_path(walk);
	}
	return true;
}

static bool
read_n(struct walk *walk, struct json_object *value)
{
	return json_object_get_int64(value) == 1 ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
is_text(struct walk *walk, struct json_object *value)
{
	return document_is(value, "text") ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
read_modalities(struct walk *walk, struct json_object *value)
{
	return walk_each(walk, value, WALK_STRING, is_text);
}

static bool
read_tool_function(struct walk *walk, struct json_object *function)
{
	static const struct walk_member members[] = {
		{ "name", WALK_STRING, NULL, 0 },
		{ "description", WALK_STRING, NULL, 0 },
		{ "parameters", WALK_OBJECT, NULL, 0 },
		{ "strict", WALK_BOOL, NULL, 0 },
	};
	struct conversation_tool *tool;
	struct span name;

	if (!walk_object(walk, function, members, WALK_LEN(members)) ||
	    !walk_text(walk, function, "name", &name))
		return false;
	tool = conversation_tool(walk->conversation);
	if (tool == NULL)
		return walk_refuse(walk, TRANSLATE_MEMORY);
	tool->name = name;
	tool->description = document_text(function, "description");
	tool->schema = document_get(function, "parameters");
	tool->strict = document_true(function, "strict");
	return true;
}

static bool
read_tool(struct walk *walk, struct json_object *tool)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "function", WALK_OBJECT, read_tool_function, 0 },
	};

	if (!document_is(document_get(tool, "type"), "function"))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	return walk_object(walk, tool, members, WALK_LEN(members));
}

static bool
read_tools(struct walk *walk, struct json_object *tools)
{
	return walk_each(walk, tools, WALK_OBJECT, read_tool);
}

static bool
read_choice_name(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "name", WALK_STRING, NULL, 0 },
	};

	walk->conversation->choice = CONVERSATION_CHOICE_ONE;
	return walk_object(walk, value, members, WALK_LEN(members)) &&
	    walk_text(walk, value, "name", &walk->conversation->choice_name);
}

static bool
read_choice(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "function", WALK_OBJECT, read_choice_name, 0 },
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
	else if (!document_is(document_get(value, "type"), "function"))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	else
		return walk_object(walk, value, members, WALK_LEN(members));
	return true;
}

static bool
read_schema(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "name", WALK_STRING, NULL, 0 },
		{ "description", WALK_STRING, NULL, 0 },
		{ "schema", WALK_OBJECT, NULL, 0 },
		{ "strict", WALK_BOOL, NULL, 0 },
	};
	struct conversation *conversation = walk->conversation;

	conversation->format_name = document_text(value, "name");
	conversation->format_description = document_text(value, "description");
	conversation->format_schema = document_get(value, "schema");
	conversation->format_strict = document_true(value, "strict");
	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_format(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "json_schema", WALK_OBJECT, read_schema, 0 },
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
	if (!walk_object(walk, value, members, WALK_LEN(members)))
		return false;
	/* A schema that is not there allows any object. */
	if (conversation->format_schema == NULL &&
	    conversation->format == CONVERSATION_FORMAT_SCHEMA)
		conversation->format = CONVERSATION_FORMAT_JSON;
	return true;
}

bool
request_from_chat(struct walk *walk, struct json_object *document)
{
	static const struct walk_member members[] = {
		{ "model", WALK_STRING, NULL, 0 },
		{ "messages", WALK_ARRAY, read_messages, 0 },
		{ "stream", WALK_BOOL, walk_stream, 0 },
		{ "stream_options", WALK_OBJECT, read_stream_options, 0 },
		{ "max_completion_tokens", WALK_NUMBER, NULL,
		    CONVERSATION_MAX_TOKENS },
		{ "max_tokens", WALK_NUMBER, read_max_tokens, 0 },
		{ "temperature", WALK_NUMBER, NULL,
		    CONVERSATION_TEMPERATURE },
		{ "top_p", WALK_NUMBER, NULL, CONVERSATION_TOP_P },
		{ "top_k", WALK_NUMBER, NULL, CONVERSATION_TOP_K },
		{ "seed", WALK_NUMBER, NULL, CONVERSATION_SEED },
		{ "frequency_penalty", WALK_NUMBER, NULL,
		    CONVERSATION_FREQUENCY_PENALTY },
		{ "presence_penalty", WALK_NUMBER, NULL,
		    CONVERSATION_PRESENCE_PENALTY },
		{ "stop", WALK_STRING | WALK_ARRAY, walk_strings,
		    CONVERSATION_STOP },
		{ "n", WALK_NUMBER, read_n, 0 },
		{ "logprobs", WALK_BOOL, walk_false, 0 },
		{ "top_logprobs", WALK_NUMBER, walk_zero, 0 },
		{ "logit_bias", WALK_OBJECT, walk_empty, 0 },
		{ "modalities", WALK_ARRAY, read_modalities, 0 },
		{ "tools", WALK_ARRAY, read_tools, 0 },
		{ "tool_choice", WALK_STRING | WALK_OBJECT, read_choice, 0 },
		{ "parallel_tool_calls", WALK_BOOL, walk_parallel, 0 },
		{ "response_format", WALK_OBJECT, read_format, 0 },
		{ "reasoning_effort", WALK_STRING, walk_effort, 0 },
		{ "thinking", WALK_OBJECT, walk_thinking, 0 },
		{ "verbosity", WALK_STRING, NULL, CONVERSATION_VERBOSITY },
		{ "service_tier", WALK_STRING, NULL,
		    CONVERSATION_SERVICE_TIER },
		{ "metadata", WALK_OBJECT, NULL, 0 },
		{ "store", WALK_BOOL, NULL, 0 },
		{ "user", WALK_STRING, NULL, 0 },
		{ "safety_identifier", WALK_STRING, NULL, 0 },
		{ "prompt_cache_key", WALK_STRING, NULL, 0 },
		{ "prompt_cache_options", WALK_OBJECT, NULL, 0 },
		{ "prompt_cache_retention", WALK_STRING, NULL, 0 },
	};

	if (document_get(document, "messages") == NULL)
		return walk_refuse_member(walk, "messages", TRANSLATE_MISSING);
	return walk_object(walk, document, members, WALK_LEN(members));
}

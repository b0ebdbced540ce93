/*
 * request_from_gemini.c: generateContent, as clients send it, with the names
 * of its members in both of the ways that the protocol allows.
 *
 * Without effect: safetySettings (each provider has its own), labels, the
 * display name of data.  Calls and results that carry no id are given one: a
 * result belongs to the first call of its name that has none yet.
 */
#include "translate/request.h"

#include <stdio.h>
#include <string.h>

#include "translate/answer.h"
#include "translate/gemini_schema.h"

/* One of the two names of a member. */
static struct json_object *
either(struct json_object *object, const char *name, const char *other)
{
	struct json_object *value = document_get(object, name);

	return value != NULL ? value : document_get(object, other);
}

static bool
read_media(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "mimeType", WALK_STRING, NULL, 0 },
		{ "mime_type", WALK_STRING, NULL, 0 },
		{ "data", WALK_STRING, NULL, 0 },
		{ "fileUri", WALK_STRING, NULL, 0 },
		{ "file_uri", WALK_STRING, NULL, 0 },
		{ "displayName", WALK_STRING, NULL, 0 },
		{ "display_name", WALK_STRING, NULL, 0 },
	};
	struct span type = document_span(either(value, "mimeType",
	    "mime_type"));
	enum conversation_kind kind = CONVERSATION_FILE;

	if (span_begins(type, "image/"))
		kind = CONVERSATION_IMAGE;
	else if (span_begins(type, "audio/"))
		kind = CONVERSATION_AUDIO;
	if (!walk_object(walk, value, members, WALK_LEN(members)) ||
	    !walk_part(walk, kind))
		return false;
	walk->part->media_type = type;
	walk->part->data = document_text(value, "data");
	walk->part->url = document_span(either(value, "fileUri", "file_uri"));
	if (walk->part->data.p == NULL && walk->part->url.p == NULL)
		return walk_refuse_member(walk, "data", TRANSLATE_MISSING);
	/* A file that is stored at the provider. */
	if (walk->part->url.p != NULL &&
	    !span_begins(walk->part->url, "http"))
		return walk_refuse_member(walk, "fileUri", TRANSLATE_NO_WORD);
	return true;
}

static struct span
made_id(struct walk *walk, uint32_t n)
{
	char text[32];
	int len = snprintf(text, sizeof(text), ANSWER_MADE_ID "%u",
	    (unsigned int)n);

	return (struct span){ conversation_copy(walk->conversation, text,
	    (size_t)len), (size_t)len };
}

static bool
read_call(struct walk *walk, struct json_object *call)
{
	static const struct walk_member members[] = {
		{ "id", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "args", WALK_OBJECT, NULL, 0 },
	};

	if (!walk_object(walk, call, members, WALK_LEN(members)) ||
	    !walk_part(walk, CONVERSATION_CALL) ||
	    !walk_text(walk, call, "name", &walk->part->name))
		return false;
	walk->part->id = document_text(call, "id");
	if (walk->part->id.len == 0)
		walk->part->id = made_id(walk, walk->calls);
	walk->calls++;
	walk->part->arguments = document_get(call, "args");
	if (walk->part->arguments == NULL)
		walk->part->arguments = conversation_keep(walk->conversation,
		    document_object());
	return true;
}

/* The first call of the last calling turn, with that id or name, that has no
 * result yet. */
static struct conversation_part *
find_call(struct walk *walk, struct span id, struct span name)
{
	struct conversation_part *part;

	for (part = walk->calling != NULL ? walk->calling->first_call : NULL;
	    part != NULL; part = part->next_call)
		if (!part->is_answered && (id.len > 0 ?
		    span_equal(part->id, id) : span_equal(part->name, name)))
			return part;
	return NULL;
}

/* What a tool gave, as text: the usual ways to wrap it are undone. */
static void
read_given(struct walk *walk, struct json_object *response)
{
	struct conversation_part *text, *result = walk->part;
	struct json_object *given = document_get(response, "output");

	if (given == NULL)
		given = document_get(response, "result");
	if (given == NULL) {
		given = document_get(response, "error");
		result->is_error = given != NULL;
	}
	if (given == NULL || json_object_object_length(response) != 1) {
		given = response;
		result->is_error = false;
	}
	text = conversation_alloc(walk->conversation, sizeof(*text));
	if (text == NULL)
		return;
	text->kind = CONVERSATION_TEXT;
	text->text = json_object_is_type(given, json_type_string) ?
	    document_span(given) : document_print(given);
	result->content = text;
}

static bool
read_response(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "id", WALK_STRING, NULL, 0 },
		{ "name", WALK_STRING, NULL, 0 },
		{ "response", WALK_OBJECT, NULL, 0 },
	};
	enum conversation_role role = walk->role;
	struct conversation_part *call;
	struct span name;

	if (!walk_object(walk, value, members, WALK_LEN(members)) ||
	    !walk_text(walk, value, "name", &name))
		return false;
	call = find_call(walk, document_text(value, "id"), name);
	if (call == NULL)
		return walk_refuse_member(walk, "name", TRANSLATE_VALUE);
	call->is_answered = true;
	walk->role = CONVERSATION_USER;
	if (!walk_part(walk, CONVERSATION_RESULT))
		return false;
	walk->role = role;
	walk->part->id = call->id;
	if (document_get(value, "response") != NULL)
		read_given(walk, document_get(value, "response"));
	return true;
}

static bool
read_thought(struct walk *walk, struct json_object *part)
{
	struct span signature = document_span(either(part, "thoughtSignature",
	    "thought_signature"));

	if (!walk_part(walk, CONVERSATION_THINKING))
		return false;
	walk->part->text = document_text(part, "text");
	/* Unsigned: a piece, whose signature comes with a later one. */
	walk->part->origin = CONVERSATION_ANTHROPIC;
	if (signature.len > 0)
		walk->part->origin = CONVERSATION_NOBODY;
	answer_unmark(answer_from_base64(walk->conversation, signature),
	    walk->part);
	return true;
}

static bool
read_part(struct walk *walk, struct json_object *part)
{
	static const struct walk_member members[] = {
		{ "text", WALK_STRING, NULL, 0 },
		{ "thought", WALK_BOOL, NULL, 0 },
		{ "thoughtSignature", WALK_STRING, NULL, 0 },
		{ "thought_signature", WALK_STRING, NULL, 0 },
		{ "inlineData", WALK_OBJECT, read_media, 0 },
		{ "inline_data", WALK_OBJECT, read_media, 0 },
		{ "fileData", WALK_OBJECT, read_media, 0 },
		{ "file_data", WALK_OBJECT, read_media, 0 },
		{ "functionCall", WALK_OBJECT, read_call, 0 },
		{ "function_call", WALK_OBJECT, read_call, 0 },
		{ "functionResponse", WALK_OBJECT, read_response, 0 },
		{ "function_response", WALK_OBJECT, read_response, 0 },
	};
	struct span text = document_text(part, "text");

	if (!walk_object(walk, part, members, WALK_LEN(members)))
		return false;
	if (document_true(part, "thought"))
		return read_thought(walk, part);
	return text.len == 0 || walk_add_text(walk, text);
}

static bool
read_parts(struct walk *walk, struct json_object *parts)
{
	if (json_object_is_type(parts, json_type_object))
		return read_part(walk, parts);
	return walk_each(walk, parts, WALK_OBJECT, read_part);
}

static bool
read_content(struct walk *walk, struct json_object *content)
{
	static const struct walk_member members[] = {
		{ "role", WALK_STRING, NULL, 0 },
		{ "parts", WALK_ARRAY | WALK_OBJECT, read_parts, 0 },
	};
	struct json_object *role = document_get(content, "role");

	if (document_is(role, "model"))
		walk->role = CONVERSATION_ASSISTANT;
	else if (role == NULL || document_is(role, "user") ||
	    document_is(role, "function"))
		walk->role = CONVERSATION_USER;
	else
		return walk_refuse_member(walk, "role", TRANSLATE_UNKNOWN);
	if (!walk_object(walk, content, members, WALK_LEN(members)))
		return false;
	if (walk->conversation->last != NULL &&
	    walk->conversation->last->role == CONVERSATION_ASSISTANT)
		walk->calling = walk->conversation->last;
	return true;
}

static bool
read_contents(struct walk *walk, struct json_object *contents)
{
	return walk_each(walk, contents, WALK_OBJECT, read_content);
}

static bool
read_system(struct walk *walk, struct json_object *system)
{
	static const struct walk_member members[] = {
		{ "role", WALK_STRING, NULL, 0 },
		{ "parts", WALK_ARRAY | WALK_OBJECT, read_parts, 0 },
	};

	walk->role = CONVERSATION_SYSTEM;
	return walk_object(walk, system, members, WALK_LEN(members));
}

static bool
read_function(struct walk *walk, struct json_object *function)
{
	static const struct walk_member members[] = {
		{ "name", WALK_STRING, NULL, 0 },
		{ "description", WALK_STRING, NULL, 0 },
		{ "parameters", WALK_OBJECT, NULL, 0 },
		{ "parametersJsonSchema", WALK_OBJECT, NULL, 0 },
		{ "parameters_json_schema", WALK_OBJECT, NULL, 0 },
		/* What it gives is told to no model but theirs. */
		{ "response", WALK_OBJECT, NULL, 0 },
		{ "responseJsonSchema", WALK_OBJECT, NULL, 0 },
	};
	struct json_object *parameters = document_get(function, "parameters");
	struct conversation_tool *tool;

	tool = conversation_tool(walk->conversation);
	if (tool == NULL)
		return walk_refuse(walk, TRANSLATE_MEMORY);
	if (!walk_text(walk, function, "name", &tool->name))
		return false;
	tool->description = document_text(function, "description");
	tool->schema = either(function, "parametersJsonSchema",
	    "parameters_json_schema");
	if (tool->schema == NULL && parameters != NULL)
		tool->schema = conversation_keep(walk->conversation,
		    gemini_schema(parameters));
	return walk_object(walk, function, members, WALK_LEN(members));
}

static bool
read_functions(struct walk *walk, struct json_object *functions)
{
	return walk_each(walk, functions, WALK_OBJECT, read_function);
}

static bool
read_tool(struct walk *walk, struct json_object *tool)
{
	/* All others are the provider's own. */
	static const struct walk_member members[] = {
		{ "functionDeclarations", WALK_ARRAY, read_functions, 0 },
		{ "function_declarations", WALK_ARRAY, read_functions, 0 },
	};

	return walk_object(walk, tool, members, WALK_LEN(members));
}

static bool
read_tools(struct walk *walk, struct json_object *tools)
{
	return walk_each(walk, tools, WALK_OBJECT, read_tool);
}

static bool
read_calling(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "mode", WALK_STRING, NULL, 0 },
		{ "allowedFunctionNames", WALK_ARRAY, walk_strings, 0 },
		{ "allowed_function_names", WALK_ARRAY, walk_strings, 0 },
	};
	struct json_object *names = either(value, "allowedFunctionNames",
	    "allowed_function_names");
	struct json_object *mode = document_get(value, "mode");
	struct conversation *conversation = walk->conversation;

	if (!walk_object(walk, value, members, WALK_LEN(members)))
		return false;
	if (mode == NULL || document_is(mode, "AUTO") ||
	    document_is(mode, "VALIDATED") ||
	    document_is(mode, "MODE_UNSPECIFIED"))
		conversation->choice = CONVERSATION_CHOICE_AUTO;
	else if (document_is(mode, "NONE"))
		conversation->choice = CONVERSATION_CHOICE_NONE;
	else if (document_is(mode, "ANY"))
		conversation->choice = CONVERSATION_CHOICE_ANY;
	else
		return walk_refuse_member(walk, "mode", TRANSLATE_UNKNOWN);
	if (document_length(names) == 0)
		return true;
	if (document_length(names) > 1 ||
	    conversation->choice != CONVERSATION_CHOICE_ANY)
		return walk_refuse_member(walk, "allowedFunctionNames",
		    TRANSLATE_NO_WORD);
	conversation->choice = CONVERSATION_CHOICE_ONE;
	conversation->choice_name = document_span(document_at(names, 0));
	return true;
}

static bool
read_tool_config(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "functionCallingConfig", WALK_OBJECT, read_calling, 0 },
		{ "function_calling_config", WALK_OBJECT, read_calling, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_budget(struct walk *walk, struct json_object *value)
{
	struct conversation *conversation = walk->conversation;
	int64_t budget = json_object_get_int64(value);

	/* Below zero: as the model likes. */
	if (budget < 0)
		return true;
	conversation->budget = (uint64_t)budget;
	conversation->effort = conversation_budget_effort(
	    conversation->budget);
	return true;
}

static bool
read_level(struct walk *walk, struct json_object *value)
{
	struct span word = document_span(value);
	char lower[16];
	int effort;
	size_t i;

	for (i = 0; i < word.len && i < sizeof(lower); i++)
		lower[i] = (char)(word.p[i] | 0x20);
	effort = conversation_effort_parse((struct span){ lower, i });
	if (effort < 0)
		return walk_refuse(walk, TRANSLATE_VALUE);
	walk->conversation->effort = (enum conversation_effort)effort;
	return true;
}

static bool
read_thinking(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "includeThoughts", WALK_BOOL, NULL, 0 },
		{ "include_thoughts", WALK_BOOL, NULL, 0 },
		{ "thinkingBudget", WALK_NUMBER, read_budget, 0 },
		{ "thinking_budget", WALK_NUMBER, read_budget, 0 },
		{ "thinkingLevel", WALK_STRING, read_level, 0 },
		{ "thinking_level", WALK_STRING, read_level, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
read_mime_type(struct walk *walk, struct json_object *value)
{
	if (document_is(value, "text/plain"))
		return true;
	if (!document_is(value, "application/json"))
		return walk_refuse(walk, TRANSLATE_NO_WORD);
	if (walk->conversation->format == CONVERSATION_FORMAT_TEXT)
		walk->conversation->format = CONVERSATION_FORMAT_JSON;
	return true;
}

static bool
read_json_schema(struct walk *walk, struct json_object *value)
{
	walk->conversation->format = CONVERSATION_FORMAT_SCHEMA;
	walk->conversation->format_schema = value;
	return true;
}

static bool
read_schema(struct walk *walk, struct json_object *value)
{
	return read_json_schema(walk, conversation_keep(walk->conversation,
	    gemini_schema(value)));
}

static bool
is_one(struct walk *walk, struct json_object *value)
{
	return json_object_get_int64(value) == 1 ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
is_text(struct walk *walk, struct json_object *value)
{
	return document_is(value, "TEXT") ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

static bool
read_modalities(struct walk *walk, struct json_object *value)
{
	return walk_each(walk, value, WALK_STRING, is_text);
}

static bool
read_generation(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "temperature", WALK_NUMBER, NULL,
		    CONVERSATION_TEMPERATURE },
		{ "topP", WALK_NUMBER, NULL, CONVERSATION_TOP_P },
		{ "top_p", WALK_NUMBER, NULL, CONVERSATION_TOP_P },
		{ "topK", WALK_NUMBER, NULL, CONVERSATION_TOP_K },
		{ "top_k", WALK_NUMBER, NULL, CONVERSATION_TOP_K },
		{ "maxOutputTokens", WALK_NUMBER, NULL,
		    CONVERSATION_MAX_TOKENS },
		{ "max_output_tokens", WALK_NUMBER, NULL,
		    CONVERSATION_MAX_TOKENS },
		{ "stopSequences", WALK_ARRAY, walk_strings,
		    CONVERSATION_STOP },
		{ "stop_sequences", WALK_ARRAY, walk_strings,
		    CONVERSATION_STOP },
		{ "seed", WALK_NUMBER, NULL, CONVERSATION_SEED },
		{ "presencePenalty", WALK_NUMBER, NULL,
		    CONVERSATION_PRESENCE_PENALTY },
		{ "presence_penalty", WALK_NUMBER, NULL,
		    CONVERSATION_PRESENCE_PENALTY },
		{ "frequencyPenalty", WALK_NUMBER, NULL,
		    CONVERSATION_FREQUENCY_PENALTY },
		{ "frequency_penalty", WALK_NUMBER, NULL,
		    CONVERSATION_FREQUENCY_PENALTY },
		{ "candidateCount", WALK_NUMBER, is_one, 0 },
		{ "candidate_count", WALK_NUMBER, is_one, 0 },
		{ "responseMimeType", WALK_STRING, read_mime_type, 0 },
		{ "response_mime_type", WALK_STRING, read_mime_type, 0 },
		{ "responseSchema", WALK_OBJECT, read_schema, 0 },
		{ "response_schema", WALK_OBJECT, read_schema, 0 },
		{ "responseJsonSchema", WALK_OBJECT, read_json_schema, 0 },
		{ "response_json_schema", WALK_OBJECT, read_json_schema, 0 },
		{ "responseModalities", WALK_ARRAY, read_modalities, 0 },
		{ "response_modalities", WALK_ARRAY, read_modalities, 0 },
		{ "responseLogprobs", WALK_BOOL, walk_false, 0 },
		{ "thinkingConfig", WALK_OBJECT, read_thinking, 0 },
		{ "thinking_config", WALK_OBJECT, read_thinking, 0 },
	};

	return walk_object(walk, value, members, WALK_LEN(members));
}

bool
request_from_gemini(struct walk *walk, struct json_object *document)
{
	static const struct walk_member members[] = {
		{ "model", WALK_STRING, NULL, 0 },
		{ "contents", WALK_ARRAY, NULL, 0 },
		{ "systemInstruction", WALK_OBJECT, NULL, 0 },
		{ "system_instruction", WALK_OBJECT, NULL, 0 },
		{ "tools", WALK_ARRAY, read_tools, 0 },
		{ "toolConfig", WALK_OBJECT, read_tool_config, 0 },
		{ "tool_config", WALK_OBJECT, read_tool_config, 0 },
		{ "generationConfig", WALK_OBJECT, read_generation, 0 },
		{ "generation_config", WALK_OBJECT, read_generation, 0 },
		{ "safetySettings", WALK_ARRAY, NULL, 0 },
		{ "safety_settings", WALK_ARRAY, NULL, 0 },
		{ "labels", WALK_OBJECT, NULL, 0 },
		{ "cachedContent", 0, NULL, 0 },
		{ "cached_content", 0, NULL, 0 },
	};

	if (document_get(document, "contents") == NULL)
		return walk_refuse_member(walk, "contents",
		    TRANSLATE_MISSING);
	return walk_object(walk, document, members, WALK_LEN(members)) &&
	    walk_into(walk, document, "systemInstruction", read_system) &&
	    walk_into(walk, document, "system_instruction", read_system) &&
	    walk_into(walk, document, "contents", read_contents);
}

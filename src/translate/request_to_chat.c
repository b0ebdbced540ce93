/*
 * request_to_chat.c: for an upstream that speaks chat completions.
 *
 * Text is sent as plain strings wherever nothing else is in a message: not all
 * who speak this protocol take lists.  A tool's result is text here; images in
 * it go into the user message behind, and a failure is told by a first word.
 * Earlier reasoning has no place in it.
 */
#include "translate/request.h"

#include <string.h>

static void
put_text_part(struct json_object *content, struct span text)
{
	struct json_object *part;

	if (text.len == 0)
		return;
	part = document_push(content, document_object());
	document_put_word(part, "type", "text");
	document_put_text(part, "text", text);
}

/* "data:image/png;base64,..." again. */
static struct span
data_url(struct request_writer *writer, const struct conversation_part *part)
{
	static const char scheme[] = "data:", mark[] = ";base64,";
	size_t len = sizeof(scheme) - 1 + part->media_type.len +
	    sizeof(mark) - 1 + part->data.len;
	char *url = conversation_alloc(writer->conversation, len), *to = url;

	if (url == NULL)
		return SPAN("");
	memcpy(to, scheme, sizeof(scheme) - 1);
	to += sizeof(scheme) - 1;
	if (part->media_type.len > 0)
		memcpy(to, part->media_type.p, part->media_type.len);
	to += part->media_type.len;
	memcpy(to, mark, sizeof(mark) - 1);
	to += sizeof(mark) - 1;
	if (part->data.len > 0)
		memcpy(to, part->data.p, part->data.len);
	return (struct span){ url, len };
}

static bool
put_media(struct request_writer *writer, struct json_object *content,
    const struct conversation_part *part)
{
	struct json_object *to, *inner;
	bool image = part->kind == CONVERSATION_IMAGE;

	if (!image && part->url.p != NULL)
		return request_refuse(writer, part->member, TRANSLATE_NO_WORD);
	to = document_push(content, document_object());
	document_put_word(to, "type", image ? "image_url" : "file");
	inner = document_add(to, image ? "image_url" : "file",
	    document_object());
	if (!image)
		document_put_text(inner, "filename", part->name.len > 0 ?
		    part->name : SPAN("file"));
	document_put_text(inner, image ? "url" : "file_data",
	    part->url.p != NULL ? part->url : data_url(writer, part));
	return true;
}

static bool
is_media(const struct conversation_part *part)
{
	return part->kind == CONVERSATION_IMAGE ||
	    part->kind == CONVERSATION_FILE;
}

static struct json_object *
put_message(struct json_object *messages, const char *role)
{
	struct json_object *message = document_push(messages,
	    document_object());

	document_put_word(message, "role", role);
	return message;
}

static void
put_result(struct request_writer *writer, struct json_object *messages,
    const struct conversation_part *part)
{
	static const char mark[] = "Error: ";
	struct json_object *message = put_message(messages, "tool");
	struct span text = conversation_join(writer->conversation,
	    part->content);
	char *marked;

	document_put_text(message, "tool_call_id",
	    conversation_id(writer->conversation, part->id));
	if (part->is_error) {
		marked = conversation_alloc(writer->conversation,
		    sizeof(mark) + text.len);
		if (marked != NULL) {
			memcpy(marked, mark, sizeof(mark) - 1);
			memcpy(marked + sizeof(mark) - 1, text.p, text.len);
			text = (struct span){ marked,
			    sizeof(mark) - 1 + text.len };
		}
	}
	document_put_text(message, "content", text);
}

/* The media of a list, and of the results in it. */
static bool
put_all_media(struct request_writer *writer, struct json_object *content,
    const struct conversation_part *parts, bool in_results)
{
	const struct conversation_part *part;

	for (part = parts; part != NULL; part = part->next) {
		if (in_results && part->kind == CONVERSATION_RESULT &&
		    !put_all_media(writer, content, part->content, false))
			return false;
		if (!in_results && is_media(part) &&
		    !put_media(writer, content, part))
			return false;
	}
	return true;
}

static bool
put_user(struct request_writer *writer, struct json_object *messages,
    const struct conversation_turn *turn)
{
	const struct conversation_part *part;
	struct json_object *content = document_array();
	bool media, good = true;

	for (part = turn->parts; part != NULL; part = part->next)
		if (part->kind == CONVERSATION_RESULT)
			put_result(writer, messages, part);
	good = put_all_media(writer, content, turn->parts, true);
	media = document_length(content) > 0;
	for (part = turn->parts; part != NULL && good; part = part->next) {
		if (part->kind == CONVERSATION_TEXT)
			put_text_part(content, part->text);
		if (part->kind == CONVERSATION_AUDIO)
			good = request_refuse(writer, part->member,
			    TRANSLATE_NO_WORD);
		if (is_media(part)) {
			good = put_media(writer, content, part);
			media = true;
		}
	}
	if (good && media)
		document_share(put_message(messages, "user"), "content",
		    content);
	else if (good && document_length(content) > 0)
		document_put_text(put_message(messages, "user"), "content",
		    conversation_join(writer->conversation, turn->parts));
	json_object_put(content);
	return good;
}

static void
put_call(struct request_writer *writer, struct json_object *calls,
    const struct conversation_part *part)
{
	struct json_object *call = document_push(calls, document_object());
	struct json_object *function;
	struct span arguments = part->arguments_text;

	document_put_text(call, "id",
	    conversation_id(writer->conversation, part->id));
	document_put_word(call, "type", "function");
	function = document_add(call, "function", document_object());
	document_put_text(function, "name", part->name);
	if (arguments.len == 0)
		arguments = part->arguments != NULL ?
		    document_print(part->arguments) : SPAN("{}");
	document_put_text(function, "arguments", arguments);
}

static bool
put_assistant(struct request_writer *writer, struct json_object *messages,
    const struct conversation_turn *turn)
{
	struct span text = conversation_join(writer->conversation,
	    turn->parts);
	const struct conversation_part *part;
	struct json_object *message, *calls;

	for (part = turn->parts; part != NULL; part = part->next)
		if (is_media(part))
			return request_refuse(writer, part->member,
			    TRANSLATE_NO_WORD);
	if (text.len == 0 && turn->calls == 0)
		return true;
	message = put_message(messages, "assistant");
	if (text.len > 0)
		document_put_text(message, "content", text);
	else
		json_object_object_add(message, "content", NULL);
	if (turn->calls == 0)
		return true;
	calls = document_add(message, "tool_calls", document_array());
	for (part = turn->parts; part != NULL; part = part->next)
		if (part->kind == CONVERSATION_CALL)
			put_call(writer, calls, part);
	return true;
}

static bool
put_messages(struct request_writer *writer)
{
	const struct conversation_turn *turn;
	struct json_object *messages;
	bool good = true;

	messages = document_add(writer->body, "messages", document_array());
	for (turn = writer->conversation->turns; turn != NULL && good;
	    turn = turn->next) {
		switch (turn->role) {
		case CONVERSATION_SYSTEM:
			document_put_text(put_message(messages, "system"),
			    "content", conversation_join(writer->conversation,
			    turn->parts));
			break;
		case CONVERSATION_USER:
			good = put_user(writer, messages, turn);
			break;
		case CONVERSATION_ASSISTANT:
			good = put_assistant(writer, messages, turn);
			break;
		}
	}
	return good;
}

static void
put_tools(struct request_writer *writer)
{
	const struct conversation_tool *tool;
	struct json_object *tools, *to, *function;

	tools = document_add(writer->body, "tools", document_array());
	for (tool = writer->conversation->tools; tool != NULL;
	    tool = tool->next) {
		to = document_push(tools, document_object());
		document_put_word(to, "type", "function");
		function = document_add(to, "function", document_object());
		document_put_text(function, "name", tool->name);
		if (tool->description.len > 0)
			document_put_text(function, "description",
			    tool->description);
		if (tool->schema != NULL)
			document_share(function, "parameters", tool->schema);
		if (tool->strict)
			document_put_bool(function, "strict", true);
	}
}

static void
put_choice(struct request_writer *writer)
{
	static const char *const words[] = {
		[CONVERSATION_CHOICE_AUTO] = "auto",
		[CONVERSATION_CHOICE_NONE] = "none",
		[CONVERSATION_CHOICE_ANY] = "required",
	};
	struct conversation *conversation = writer->conversation;
	struct json_object *choice;

	switch (conversation->choice) {
	case CONVERSATION_CHOICE_UNSAID:
		break;
	case CONVERSATION_CHOICE_AUTO:
	case CONVERSATION_CHOICE_NONE:
	case CONVERSATION_CHOICE_ANY:
		document_put_word(writer->body, "tool_choice",
		    words[conversation->choice]);
		break;
	case CONVERSATION_CHOICE_ONE:
		choice = document_add(writer->body, "tool_choice",
		    document_object());
		document_put_word(choice, "type", "function");
		document_put_text(document_add(choice, "function",
		    document_object()), "name", conversation->choice_name);
		break;
	}
	if (conversation->one_call)
		document_put_bool(writer->body, "parallel_tool_calls", false);
}

static void
put_format(struct request_writer *writer)
{
	struct conversation *conversation = writer->conversation;
	struct json_object *format, *schema;

	if (conversation->format == CONVERSATION_FORMAT_TEXT)
		return;
	format = document_add(writer->body, "response_format",
	    document_object());
	if (conversation->format == CONVERSATION_FORMAT_JSON) {
		document_put_word(format, "type", "json_object");
		return;
	}
	document_put_word(format, "type", "json_schema");
	schema = document_add(format, "json_schema", document_object());
	document_put_text(schema, "name", conversation->format_name.len > 0 ?
	    conversation->format_name : SPAN("answer"));
	if (conversation->format_description.len > 0)
		document_put_text(schema, "description",
		    conversation->format_description);
	document_share(schema, "schema", conversation->format_schema);
	if (conversation->format_strict)
		document_put_bool(schema, "strict", true);
}

/* OpenAI's reasoning models take the newer name only, many others the older
 * one only. */
static const char *
limit_name(const char *model)
{
	const char *slash = strrchr(model, '/');
	const char *name = slash != NULL ? slash + 1 : model;
	bool newer = strncmp(name, "gpt-", 4) == 0 &&
	    strncmp(name + 4, "3", 1) != 0 && strncmp(name + 4, "4", 1) != 0;

	if (name[0] == 'o' && name[1] >= '1' && name[1] <= '9')
		newer = true;
	return newer ? "max_completion_tokens" : "max_tokens";
}

bool
request_to_chat(struct request_writer *writer)
{
	static const enum conversation_param without[] = {
		CONVERSATION_TOP_K,
	};
	static const struct {
		enum conversation_param param;
		const char *name;
	} params[] = {
		{ CONVERSATION_TEMPERATURE, "temperature" },
		{ CONVERSATION_TOP_P, "top_p" },
		{ CONVERSATION_STOP, "stop" },
		{ CONVERSATION_SEED, "seed" },
		{ CONVERSATION_FREQUENCY_PENALTY, "frequency_penalty" },
		{ CONVERSATION_PRESENCE_PENALTY, "presence_penalty" },
		{ CONVERSATION_VERBOSITY, "verbosity" },
		{ CONVERSATION_SERVICE_TIER, "service_tier" },
	};
	struct conversation *conversation = writer->conversation;
	size_t i;

	if (!request_without(writer, without,
	    sizeof(without) / sizeof(without[0])))
		return false;
	document_put_word(writer->body, "model", writer->options->model);
	if (!put_messages(writer))
		return false;
	request_put_param(writer, writer->body, CONVERSATION_MAX_TOKENS,
	    limit_name(writer->options->model));
	for (i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		request_put_param(writer, writer->body, params[i].param,
		    params[i].name);
	if (conversation->tools != NULL) {
		put_tools(writer);
		put_choice(writer);
	}
	put_format(writer);
	if (conversation->effort > CONVERSATION_EFFORT_NONE)
		document_put_word(writer->body, "reasoning_effort",
		    conversation_effort_word(conversation->effort));
	if (conversation->wish.streamed) {
		document_put_bool(writer->body, "stream", true);
		document_put_bool(document_add(writer->body, "stream_options",
		    document_object()), "include_usage", true);
	}
	return true;
}

/*
 * request.c: a request's way from one protocol to another.
 */
#include "translate/request.h"

#include <stdio.h>
#include <string.h>

bool
request_refuse(struct request_writer *writer, const char *member,
    enum translate_reason reason)
{
	writer->refusal->reason = reason;
	snprintf(writer->refusal->member, sizeof(writer->refusal->member),
	    "%s", member != NULL ? member : "");
	return false;
}

void
request_put_param(struct request_writer *writer, struct json_object *object,
    enum conversation_param param, const char *name)
{
	struct json_object *value = writer->conversation->params[param].value;

	if (value != NULL)
		document_share(object, name, value);
}

/* Values that say what is so anyway. */
static bool
is_default(enum conversation_param param, struct json_object *value)
{
	switch (param) {
	case CONVERSATION_FREQUENCY_PENALTY:
	case CONVERSATION_PRESENCE_PENALTY:
		return json_object_get_double(value) == 0;
	case CONVERSATION_VERBOSITY:
		return document_is(value, "medium");
	case CONVERSATION_SERVICE_TIER:
		return document_is(value, "auto") ||
		    document_is(value, "default") ||
		    document_is(value, "standard_only");
	case CONVERSATION_NO_PARAM:
	case CONVERSATION_MAX_TOKENS:
	case CONVERSATION_TEMPERATURE:
	case CONVERSATION_TOP_P:
	case CONVERSATION_TOP_K:
	case CONVERSATION_STOP:
	case CONVERSATION_SEED:
	case CONVERSATION_PARAMS:
		break;
	}
	return false;
}

bool
request_without(struct request_writer *writer,
    const enum conversation_param *params, size_t n)
{
	const struct conversation_value *param;
	size_t i;

	for (i = 0; i < n; i++) {
		param = &writer->conversation->params[params[i]];
		if (param->value != NULL &&
		    !is_default(params[i], param->value))
			return request_refuse(writer, param->member,
			    TRANSLATE_NO_WORD);
	}
	return true;
}

struct span
request_system(struct request_writer *writer,
    struct conversation_turn **rest_r)
{
	struct conversation_turn *first = writer->conversation->turns;

	/* Turns of one role are one turn. */
	if (first == NULL || first->role != CONVERSATION_SYSTEM) {
		*rest_r = first;
		return SPAN("");
	}
	*rest_r = first->next;
	return conversation_join(writer->conversation, first->parts);
}

static request_read_fn *
reader_of(enum translate_protocol client)
{
	switch (client) {
	case TRANSLATE_CHAT:
		return request_from_chat;
	case TRANSLATE_MESSAGES:
		return request_from_messages;
	case TRANSLATE_RESPONSES:
		return request_from_responses;
	case TRANSLATE_GEMINI:
		return request_from_gemini;
	}
	return NULL;
}

static request_write_fn *
writer_of(enum translate_protocol upstream)
{
	switch (upstream) {
	case TRANSLATE_CHAT:
		return request_to_chat;
	case TRANSLATE_MESSAGES:
		return request_to_anthropic;
	case TRANSLATE_GEMINI:
		return request_to_gemini;
	case TRANSLATE_RESPONSES:
		break;
	}
	return NULL;
}

bool
translate_possible(enum translate_protocol client,
    enum translate_protocol upstream)
{
	return client != upstream && reader_of(client) != NULL &&
	    writer_of(upstream) != NULL;
}

const char *
translate_refusal_text(const struct translate_refusal *refusal, char *buf,
    size_t size)
{
	static const char *const texts[] = {
		[TRANSLATE_NOT_JSON] = "The request body is not a JSON object"
		    " in UTF-8.",
		[TRANSLATE_UNKNOWN] = "'%s' is not known here; the model is"
		    " served through another protocol, and it cannot be"
		    " translated.",
		[TRANSLATE_NO_WORD] = "'%s' cannot be used with this model: it"
		    " is served through another protocol, which has nothing"
		    " of the kind.",
		[TRANSLATE_TYPE] = "The value of '%s' has the wrong type.",
		[TRANSLATE_VALUE] = "The value of '%s' is not allowed with"
		    " this model.",
		[TRANSLATE_MISSING] = "The request lacks '%s', which is"
		    " required.",
		[TRANSLATE_MEMORY] = "The request is too large to be"
		    " translated.",
	};
	const char *text = texts[refusal->reason], *gap = strstr(text, "%s");

	if (gap == NULL)
		snprintf(buf, size, "%s", text);
	else
		snprintf(buf, size, "%.*s%s%s", (int)(gap - text), text,
		    refusal->member, gap + 2);
	return buf;
}

/* A call that is demanded of a model without tools. */
static bool
check_choice(struct request_writer *writer)
{
	const struct conversation *conversation = writer->conversation;

	if (conversation->tools != NULL ||
	    (conversation->choice != CONVERSATION_CHOICE_ANY &&
	    conversation->choice != CONVERSATION_CHOICE_ONE))
		return true;
	return request_refuse(writer, "tool_choice", TRANSLATE_VALUE);
}

static enum translate_result
write_body(struct request_writer *writer, struct buf *out)
{
	struct span text;

	if (writer->conversation->short_of_memory || writer->body == NULL)
		return TRANSLATE_NO_ROOM;
	text = document_print(writer->body);
	if (text.p == NULL || !buf_append(out, text.p, text.len))
		return TRANSLATE_NO_ROOM;
	return TRANSLATE_OK;
}

enum translate_result
translate_request(enum translate_protocol client,
    enum translate_protocol upstream, const char *body, size_t len,
    const struct translate_request_options *options, struct buf *out,
    struct translate_wish *wish_r, struct translate_refusal *refusal_r)
{
	struct conversation conversation;
	struct request_writer writer = { &conversation, options, refusal_r,
	    NULL };
	struct walk walk;
	enum translate_result result = TRANSLATE_REFUSED;

	conversation_init(&conversation, document_parse(body, len, true));
	walk_init(&walk, &conversation, refusal_r);
	conversation.wish.streamed = client == TRANSLATE_GEMINI &&
	    options->streamed;
	if (conversation.document == NULL) {
		refusal_r->reason = TRANSLATE_NOT_JSON;
		goto out;
	}
	writer.body = document_object();
	if (!reader_of(client)(&walk, conversation.document) ||
	    !check_choice(&writer) || !writer_of(upstream)(&writer))
		goto out;
	*wish_r = conversation.wish;
	result = write_body(&writer, out);
out:
	json_object_put(writer.body);
	conversation_free(&conversation);
	return result;
}

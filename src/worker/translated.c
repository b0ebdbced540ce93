#include "worker/translated.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/settings.h"
#include "shm/catalogue.h"
#include "translate/translate.h"
#include "worker/call.h"
#include "worker/context.h"

/* What translating may add to a body: escapes, and the upstream's words. */
#define BODY_GROWTH 2
#define BODY_EXTRA_BYTES 65536
/* Whole answers; of an error, as much as somebody may want to read. */
#define ANSWER_MAX_BYTES (8u << 20)
#define ERROR_MAX_BYTES 65536
/* What an answer may grow to: each of its bytes may need an escape. */
#define WHOLE_MAX_BYTES (6 * ANSWER_MAX_BYTES)
/* A word of the upstream may become a whole event of the client's. */
#define EVENT_GROWTH 32

struct translated {
	enum translate_protocol client;
	enum translate_protocol upstream;
	struct translate_wish wish;
	struct translate_answer_options options;
	struct translate_stream *stream;
	size_t relay_limit;		/* of call->relay, without us */
	struct buf body;		/* for the upstream */
	struct buf answer;		/* collected */
};

static bool
client_of(enum wire_route route, enum translate_protocol *client_r)
{
	switch (route) {
	case WIRE_ROUTE_CHAT_COMPLETIONS:
		*client_r = TRANSLATE_CHAT;
		return true;
	case WIRE_ROUTE_MESSAGES:
		*client_r = TRANSLATE_MESSAGES;
		return true;
	case WIRE_ROUTE_RESPONSES:
		*client_r = TRANSLATE_RESPONSES;
		return true;
	case WIRE_ROUTE_GENERATE:
	case WIRE_ROUTE_STREAM_GENERATE:
		*client_r = TRANSLATE_GEMINI;
		return true;
	default:
		return false;
	}
}

static enum translate_protocol
upstream_of(enum wire_protocol protocol)
{
	switch (protocol) {
	case WIRE_ANTHROPIC:
		return TRANSLATE_MESSAGES;
	case WIRE_GEMINI:
		return TRANSLATE_GEMINI;
	case WIRE_OPENAI:
		break;
	}
	return TRANSLATE_CHAT;
}

static enum wire_route
route_of(const struct translated *t)
{
	switch (t->upstream) {
	case TRANSLATE_MESSAGES:
		return WIRE_ROUTE_MESSAGES;
	case TRANSLATE_GEMINI:
		return t->wish.streamed ? WIRE_ROUTE_STREAM_GENERATE :
		    WIRE_ROUTE_GENERATE;
	case TRANSLATE_CHAT:
	case TRANSLATE_RESPONSES:
		break;
	}
	return WIRE_ROUTE_CHAT_COMPLETIONS;
}

bool
translated_instead(enum wire_route route,
    const struct catalogue_channel *channel)
{
	return route == WIRE_ROUTE_RESPONSES &&
	    channel->protocol == WIRE_OPENAI &&
	    channel->translates_responses != 0;
}

bool
translated_possible(enum wire_route route, enum wire_protocol upstream)
{
	enum translate_protocol client;

	return client_of(route, &client) &&
	    wire_route_info(route)->protocol != upstream &&
	    translate_possible(client, upstream_of(upstream));
}

/* A stream of Gemini's is an array, unless it is asked for otherwise. */
static bool
wants_array(const struct call *call)
{
	const struct client_head *head = &call->head;

	if (call->route->route != WIRE_ROUTE_STREAM_GENERATE)
		return false;
	for (uint32_t i = 0; i < head->queries; i++) {
		struct span name = head->query[i].name;
		struct span value = head->query[i].value;

		if (name.len == 3 && memcmp(name.p, "alt", 3) == 0 &&
		    value.len == 3 && memcmp(value.p, "sse", 3) == 0)
			return false;
	}
	return true;
}

static bool
make(struct call *call, enum wire_protocol upstream)
{
	const struct settings *s = call->worker->settings;
	struct translated *t;

	translated_forget(call);
	t = calloc(1, sizeof(*t));
	if (t == NULL || !client_of(call->route->route, &t->client)) {
		free(t);
		return false;
	}
	t->upstream = upstream_of(upstream);
	t->relay_limit = call->relay.limit;
	buf_init(&t->body, s->max_body_bytes * BODY_GROWTH +
	    BODY_EXTRA_BYTES);
	buf_init(&t->answer, ANSWER_MAX_BYTES);
	call->translated = t;
	return true;
}

static void
refuse(struct call *call, const struct translate_refusal *refusal)
{
	buf_consume(&call->relay, call->relay.len);
	if (!translate_refusal_body(call->translated->client, call->id,
	    refusal, &call->relay))
		call->broken = true;
	translated_forget(call);
}

/* After the answer's options there is nothing left to be asked of the wish
 * but its strings, which stay where they are. */
static void
set_options(struct call *call)
{
	struct translated *t = call->translated;

	t->options = (struct translate_answer_options){
		.client = t->client,
		.upstream = t->upstream,
		.id = call->id,
		.model = call->request.model,
		.created_s = call->record.started_us / 1000000,
		.include_usage = t->wish.include_usage ||
		    call->wants_receipt,
		.custom_tools = t->wish.custom_tools,
		.as_array = wants_array(call),
	};
}

enum wire_error
translated_begin(struct call *call, enum wire_protocol upstream)
{
	uint64_t ceiling = call->ceiling_tokens;
	struct translate_request_options options = {
		.model = call->upstream_model,
		.max_output = ceiling < UINT32_MAX ? (uint32_t)ceiling :
		    UINT32_MAX,
		.streamed = call->request.stream,
	};
	struct translate_refusal refusal;
	struct translated *t;

	if (!make(call, upstream))
		return WIRE_ERROR_OVERLOADED;
	t = call->translated;
	switch (translate_request(t->client, t->upstream,
	    call->body.len > 0 ? buf_head(&call->body) : "", call->body.len,
	    &options, &t->body, &t->wish, &refusal)) {
	case TRANSLATE_OK:
		break;
	case TRANSLATE_REFUSED:
		refuse(call, &refusal);
		return WIRE_ERROR_NOT_TRANSLATED;
	case TRANSLATE_FAILED:
	case TRANSLATE_BAD:
	case TRANSLATE_LONG:
	case TRANSLATE_CUT:
	case TRANSLATE_NO_ROOM:
		translated_forget(call);
		return WIRE_ERROR_OVERLOADED;
	}
	set_options(call);
	call->upstream_route = wire_route_info(route_of(t));
	call->filtered = false;
	call->splice.piece[0] = (struct span){ buf_head(&t->body),
		t->body.len };
	call->splice.pieces = 1;
	call->splice.total_bytes = t->body.len;
	return WIRE_ERROR_NONE;
}

static void
set_content_type(struct call *call, const char *type)
{
	snprintf(call->content_type, sizeof(call->content_type), "%s", type);
}

void
translated_refuse(struct call *call)
{
	assert(call->answer == ANSWER_NONE);
	call->answer = ANSWER_WHOLE;
	call->state = CALL_ANSWERING;
	call->status = wire_error_status(WIRE_ERROR_NOT_TRANSLATED);
	call->recorded_error = WIRE_ERROR_NOT_TRANSLATED;
	call->upstream_over = true;
	set_content_type(call, "application/json");
}

bool
translated_head(struct call *call, bool is_event_stream)
{
	const struct settings *s = call->worker->settings;
	struct translated *t = call->translated;

	call->has_length = false;
	set_content_type(call, "application/json");
	call->relay.limit = t->relay_limit + WHOLE_MAX_BYTES;
	if (!call->upstream_ok)
		return true;
	if (t->wish.streamed != is_event_stream)
		return false;
	if (!t->wish.streamed)
		return true;
	/* Its last event may repeat all of the answer, three times. */
	call->relay.limit = t->relay_limit + EVENT_GROWTH *
	    s->relay_buffer_bytes + 3 * TRANSLATE_OUTPUT_BYTES;
	if (!t->options.as_array)
		set_content_type(call, "text/event-stream");
	t->stream = translate_stream_new(&t->options);
	return t->stream != NULL;
}

bool
translated_feed(struct call *call, const char *p, size_t len)
{
	switch (translate_stream_feed(call->translated->stream, p, len,
	    &call->relay)) {
	case TRANSLATE_OK:
	case TRANSLATE_FAILED:
		return true;
	case TRANSLATE_NO_ROOM:
		call->broken = true;
		return true;
	case TRANSLATE_REFUSED:
	case TRANSLATE_BAD:
	case TRANSLATE_LONG:
	case TRANSLATE_CUT:
		break;
	}
	return false;
}

bool
translated_end(struct call *call)
{
	switch (translate_stream_end(call->translated->stream,
	    &call->relay)) {
	case TRANSLATE_OK:
	case TRANSLATE_FAILED:
		return true;
	case TRANSLATE_REFUSED:
	case TRANSLATE_BAD:
	case TRANSLATE_LONG:
	case TRANSLATE_CUT:
	case TRANSLATE_NO_ROOM:
		break;
	}
	return false;
}

bool
translated_fail(struct call *call, enum wire_error error)
{
	return translate_stream_fail(call->translated->stream,
	    wire_error_status(error), wire_error_message(error),
	    &call->relay);
}

void
translated_unsay(struct call *call)
{
	struct translated *t = call->translated;
	struct translate_stream *anew = translate_stream_new(&t->options);

	if (anew == NULL)
		return;
	translate_stream_free(t->stream);
	t->stream = anew;
}

bool
translated_collect(struct call *call, const char *p, size_t len)
{
	struct buf *answer = &call->translated->answer;

	if (!call->upstream_ok) {
		size_t room = ERROR_MAX_BYTES - answer->len;

		len = len < room ? len : room;
	}
	return buf_append(answer, p, len);
}

bool
translated_whole(struct call *call)
{
	const struct translated *t = call->translated;
	const char *body = t->answer.len > 0 ? buf_head(&t->answer) : "";

	if (!call->upstream_ok)
		return translate_error(&t->options, call->status, body,
		    t->answer.len, &call->relay);
	return translate_answer(&t->options, body, t->answer.len,
	    &call->relay) == TRANSLATE_OK;
}

void
translated_forget_body(struct call *call)
{
	if (call->translated != NULL)
		buf_free(&call->translated->body);
}

void
translated_forget(struct call *call)
{
	struct translated *t = call->translated;

	if (t == NULL)
		return;
	call->translated = NULL;
	call->relay.limit = t->relay_limit;
	translate_stream_free(t->stream);
	buf_free(&t->body);
	buf_free(&t->answer);
	bytes_scrub(t, sizeof(*t));
	free(t);
}

#include "worker/forward.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "upstream/exchange.h"
#include "wire/batch.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"
#include "worker/translated.h"

#define LITERAL(s) { (s), sizeof(s) - 1 }
#define USER_AGENT "youyun/" PACKAGE_VERSION

/* What we ask in a protocol that the client doesn't speak. */
#define ANTHROPIC_VERSION "2023-06-01"
#define GEMINI_VERSION "v1beta"

static const struct request_header fixed_headers[] = {
	/* The meter reads what passes; see also relay.c. */
	{ LITERAL("Accept-Encoding"), LITERAL("identity") },
	{ LITERAL("User-Agent"), LITERAL(USER_AGENT) },
};

static const struct request_header chunked_header = {
	LITERAL("Transfer-Encoding"), LITERAL("chunked")
};

/* What of a query a route passes on. */
static const struct {
	enum wire_route route;
	const char *name;
} queries[] = {
	{ WIRE_ROUTE_MESSAGES, "beta" },
	{ WIRE_ROUTE_COUNT_TOKENS, "beta" },
	{ WIRE_ROUTE_RESPONSE, "include" },
	{ WIRE_ROUTE_RESPONSE, "include[]" },
	{ WIRE_ROUTE_RESPONSE, "stream" },
	{ WIRE_ROUTE_RESPONSE, "starting_after" },
	{ WIRE_ROUTE_RESPONSE, "include_obfuscation" },
	{ WIRE_ROUTE_RESPONSE_INPUT, "include" },
	{ WIRE_ROUTE_RESPONSE_INPUT, "include[]" },
	{ WIRE_ROUTE_RESPONSE_INPUT, "limit" },
	{ WIRE_ROUTE_RESPONSE_INPUT, "order" },
	{ WIRE_ROUTE_RESPONSE_INPUT, "after" },
	{ WIRE_ROUTE_RESPONSE_INPUT, "before" },
	{ WIRE_ROUTE_STREAM_GENERATE, "alt" },
};

struct header_list {
	struct request_header *header;
	size_t n;
};

static void
put(struct header_list *list, const char *name, struct span value)
{
	if (value.p == NULL)
		return;
	assert(list->n < FORWARD_HEADERS_OURS);
	list->header[list->n++] = (struct request_header){
		{ name, strlen(name) }, value };
}

static void
put_credential(struct header_list *list, enum wire_protocol protocol,
    struct span credential)
{
	switch (protocol) {
	case WIRE_OPENAI:
		put(list, "Authorization", credential);
		return;
	case WIRE_ANTHROPIC:
		put(list, "x-api-key", credential);
		return;
	case WIRE_GEMINI:
		put(list, "x-goog-api-key", credential);
		return;
	}
	assert(false);
}

static void
put_content_type(struct header_list *list, const struct wire_route_info *route,
    const struct client_head *head)
{
	switch (route->body) {
	case WIRE_BODY_NONE:
		return;
	case WIRE_BODY_JSON:
		put(list, "Content-Type",
		    (struct span)LITERAL("application/json"));
		return;
	case WIRE_BODY_FORM:
		/* With the boundary. */
		put(list, "Content-Type", head->content_type);
		return;
	}
}

/* Of the client's head, what means something to its own protocol. */
static void
put_of_client(struct header_list *list, const struct wire_route_info *route,
    const struct client_head *head)
{
	put(list, "Accept", head->accept.p != NULL ? head->accept :
	    (struct span)LITERAL("*/*"));
	put(list, "Idempotency-Key", head->idempotency_key);
	if (route->protocol == WIRE_OPENAI)
		put(list, "OpenAI-Beta", head->openai_beta);
	if (route->protocol == WIRE_ANTHROPIC) {
		put(list, "anthropic-version", head->anthropic_version);
		for (uint32_t i = 0; i < head->anthropic_betas; i++)
			put(list, "anthropic-beta", head->anthropic_beta[i]);
	}
}

size_t
forward_headers(const struct wire_route_info *route,
    const struct client_head *head, const char *credential,
    size_t credential_len, struct request_header header_r[])
{
	struct header_list list = { header_r, 0 };

	put_credential(&list, route->protocol,
	    (struct span){ credential, credential_len });
	put_content_type(&list, route, head);
	for (size_t i = 0; i < sizeof(fixed_headers) /
	    sizeof(fixed_headers[0]); i++)
		list.header[list.n++] = fixed_headers[i];
	if (head != NULL) {
		put_of_client(&list, route, head);
		return list.n;
	}
	put(&list, "Accept", (struct span)LITERAL("*/*"));
	if (route->protocol == WIRE_ANTHROPIC)
		put(&list, "anthropic-version",
		    (struct span)LITERAL(ANTHROPIC_VERSION));
	return list.n;
}

/* Text that grows within a bound; len beyond size: it didn't fit. */
struct text {
	char *buf;
	size_t size;
	size_t len;
};

static void
add(struct text *text, const char *p, size_t n)
{
	if (text->len <= text->size && n <= text->size - text->len)
		memcpy(text->buf + text->len, p, n);
	text->len += n;
}

/* RFC 3986, 2.1: all but what has no meaning of its own. */
static void
add_encoded(struct text *text, struct span value, const char *also)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];
		char code[3] = { '%', hex[c >> 4], hex[c & 15] };

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (c != '\0' && strchr(also, c) != NULL))
			add(text, value.p + i, 1);
		else
			add(text, code, sizeof(code));
	}
}

static void
add_path(struct text *text, const char *pattern, struct span version,
    struct span name)
{
	while (*pattern != '\0') {
		if (*pattern != '{') {
			add(text, pattern++, 1);
			continue;
		}
		if (pattern[1] == 'v')
			add_encoded(text, version, "");
		else
			add_encoded(text, name, "-._~/:@");
		pattern = strchr(pattern, '}') + 1;
	}
}

static bool
passes(enum wire_route route, struct span name)
{
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		if (queries[i].route == route &&
		    strlen(queries[i].name) == name.len &&
		    memcmp(queries[i].name, name.p, name.len) == 0)
			return true;
	return false;
}

struct span
forward_target(const struct wire_route_info *route,
    const struct client_head *head, struct span version, struct span name,
    char buf[FORWARD_TARGET_BYTES])
{
	struct text text = { buf, FORWARD_TARGET_BYTES, 0 };
	char mark = '?';

	add_path(&text, route->path, version, name);
	if (head == NULL && route->route == WIRE_ROUTE_STREAM_GENERATE)
		add(&text, "?alt=sse", strlen("?alt=sse"));
	for (uint32_t i = 0; head != NULL && i < head->queries; i++) {
		const struct client_query *query = &head->query[i];

		if (!passes(route->route, query->name))
			continue;
		add(&text, &mark, 1);
		add_encoded(&text, query->name, "-._~[]");
		add(&text, "=", 1);
		add_encoded(&text, query->value, "-._~");
		mark = '&';
	}
	return text.len <= text.size ? (struct span){ buf, text.len } :
	    (struct span){ NULL, 0 };
}

/* Only these know stream_options, and end with a frame of usage. */
static bool
wants_usage_frame(const struct call *call)
{
	return call->request.stream && !call->request.include_usage &&
	    (call->route->route == WIRE_ROUTE_CHAT_COMPLETIONS ||
	    call->route->route == WIRE_ROUTE_COMPLETIONS);
}

static const char *
method_of(const struct wire_route_info *route)
{
	if (route->methods == WIRE_METHOD_GET)
		return "GET";
	return route->methods == WIRE_METHOD_DELETE ? "DELETE" : "POST";
}

/* POST without a body still says so.  Of one that is still coming it is what
 * the client says, and what the splice made of its beginning. */
static uint64_t
body_length(const struct call *call)
{
	if (call->upload_chunked)
		return REQUEST_NO_BODY;
	if (call->uploading)
		return call->head.content_length - call->body.len +
		    call->splice.total_bytes;
	if (call->route->body == WIRE_BODY_NONE &&
	    call->route->methods != WIRE_METHOD_POST)
		return REQUEST_NO_BODY;
	return call->splice.total_bytes;
}

static struct span
target_of(const struct call *call, char buf[FORWARD_TARGET_BYTES])
{
	struct span name = call->path.name;

	if (call->translated != NULL)
		return forward_target(call->upstream_route, NULL,
		    (struct span)LITERAL(GEMINI_VERSION),
		    (struct span){ call->upstream_model,
		    strlen(call->upstream_model) }, buf);
	if (call->request.model_in_path)
		name = (struct span){ call->upstream_model,
			strlen(call->upstream_model) };
	return forward_target(call->route, &call->head, call->path.version,
	    name, buf);
}

size_t
forward_chunk_line(char line[], size_t len)
{
	return (size_t)snprintf(line, CALL_CHUNK_LINE_BYTES, "%zx\r\n", len);
}

/* The pieces of the splice; of a body without length, as its first chunk. */
static void
put_body(struct call *call, struct exchange_request *request)
{
	struct span *body = request->body;
	size_t n = 0;

	static_assert(WIRE_SPLICE_PIECES + 2 <= EXCHANGE_BODY_SPANS,
	    "every splice fits an exchange");
	if (call->upload_chunked)
		body[n++] = (struct span){ call->chunk_line,
			forward_chunk_line(call->chunk_line,
			call->splice.total_bytes) };
	for (size_t i = 0; i < call->splice.pieces; i++)
		body[n++] = call->splice.piece[i];
	if (call->upload_chunked)
		body[n++] = (struct span)LITERAL("\r\n");
	request->spans = n;
	request->open = call->uploading;
}

/* A batch repeats the model's name in each of its requests. */
static bool
rename_batch(struct call *call)
{
	const char *upstream_model = call->upstream_model;
	struct buf renamed;
	bool good;

	/* Once renamed it is so again for every other channel. */
	if (call->route->route != WIRE_ROUTE_BATCH_EMBED || (!call->renamed &&
	    strcmp(call->request.model, upstream_model) == 0))
		return true;
	/* Names are short, but a body may be full of them. */
	buf_init(&renamed, call->body.limit + call->body.len *
	    WIRE_MODEL_BYTES);
	good = wire_batch_rename(&renamed, buf_head(&call->body),
	    call->body.len, upstream_model);
	if (!good) {
		buf_free(&renamed);
		return false;
	}
	renamed.limit = call->body.limit;
	buf_free(&call->body);
	call->body = renamed;
	call->renamed = true;
	/* Of the body itself nothing else is changed. */
	call->request.model_value = (struct wire_place){ 0, 0 };
	call->request.body_bytes = renamed.len;
	return true;
}

/* What of the body leaves as it is, and what between. */
static bool
splice(struct call *call)
{
	bool frame = wants_usage_frame(call);

	call->upstream_route = call->route;
	/* The receipt stands in it. */
	call->filtered = frame && !call->wants_receipt;
	if (call->filtered)
		wire_filter_init(&call->filter);
	if (call->route->body != WIRE_BODY_NONE)
		return wire_splice_build(&call->splice, &call->request,
		    buf_head(&call->body), call->upstream_model, frame);
	call->splice.pieces = call->splice.total_bytes = 0;
	return true;
}

/* The body, for a channel of its protocol or of another. */
static enum wire_error
make_body(struct call *call, const struct catalogue_channel *channel)
{
	if (channel->protocol != call->protocol ||
	    translated_instead(call->route->route, channel))
		return translated_begin(call,
		    (enum wire_protocol)channel->protocol);
	translated_forget(call);
	if (!rename_batch(call))
		return WIRE_ERROR_OVERLOADED;
	return splice(call) ? WIRE_ERROR_NONE : WIRE_ERROR_INTERNAL;
}

enum wire_error
forward_call(struct call *call, const struct catalogue_model *model,
    const struct choice *choice, const struct exchange_handlers *handlers)
{
	const struct view_channel *channel = choice->channel;
	struct request_header header[FORWARD_HEADERS];
	struct exchange_request request = { .since = call->started };
	char buf[FORWARD_TARGET_BYTES];
	struct span target;
	enum wire_error error;
	size_t headers;

	/* Without a body nothing of it says a model's name. */
	if (call->route->body != WIRE_BODY_NONE &&
	    !view_upstream_name(model, choice->upstream_name,
	    call->request.model, call->request.model_len,
	    call->upstream_model))
		return WIRE_ERROR_NO_MODEL;
	error = make_body(call, channel->channel);
	if (error != WIRE_ERROR_NONE)
		return error;
	headers = forward_headers(call->upstream_route,
	    call->translated != NULL ? NULL : &call->head,
	    choice->credential->value, choice->credential->len, header);
	static_assert(FORWARD_HEADERS_OURS + 1 + CHANNEL_HEADERS <=
	    FORWARD_HEADERS, "the operator's headers find room");
	call->upload_chunked = call->uploading &&
	    !call->head.has_content_length;
	if (call->upload_chunked)
		header[headers++] = chunked_header;
	memcpy(header + headers, channel->header,
	    channel->headers * sizeof(header[0]));
	headers += channel->headers;
	target = target_of(call, buf);
	if (target.p == NULL || !request_head_render(&call->upstream_head,
	    channel->upstream, method_of(call->upstream_route), target, header,
	    headers, body_length(call)))
		/* A control character in a value, or far too much of them. */
		return WIRE_ERROR_BAD_REQUEST;
	request.head = (struct span){ buf_head(&call->upstream_head),
		call->upstream_head.len };
	put_body(call, &request);
	/* Silence is borne for longer where there is nowhere else to go. */
	if (call->request.stream && call->attempt.others)
		request.first_token_ms = channel->first_token_ms;
	call->exchange = exchange_start(channel->upstream, &request, handlers,
	    call);
	return call->exchange != NULL ? WIRE_ERROR_NONE :
	    WIRE_ERROR_OVERLOADED;
}

#include "worker/forward.h"

#include <assert.h>
#include <string.h>

#include "upstream/exchange.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"

#define LITERAL(s) { (s), sizeof(s) - 1 }
#define USER_AGENT "youyun/" PACKAGE_VERSION

static const struct request_header fixed_headers[] = {
	{ LITERAL("Content-Type"), LITERAL("application/json") },
	/* The meter reads what passes; see also relay.c. */
	{ LITERAL("Accept-Encoding"), LITERAL("identity") },
	{ LITERAL("User-Agent"), LITERAL(USER_AGENT) },
};

static const struct span messages_beta = LITERAL("/v1/messages?beta=true");

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

size_t
forward_headers(enum wire_protocol protocol, const struct client_head *head,
    const char *credential, size_t credential_len,
    struct request_header header_r[])
{
	struct header_list list = { header_r, 0 };

	put_credential(&list, protocol,
	    (struct span){ credential, credential_len });
	for (size_t i = 0; i < sizeof(fixed_headers) /
	    sizeof(fixed_headers[0]); i++)
		list.header[list.n++] = fixed_headers[i];
	put(&list, "Accept", head->accept.p != NULL ? head->accept :
	    (struct span)LITERAL("*/*"));
	put(&list, "Idempotency-Key", head->idempotency_key);
	if (protocol == WIRE_OPENAI)
		put(&list, "OpenAI-Beta", head->openai_beta);
	if (protocol == WIRE_ANTHROPIC) {
		put(&list, "anthropic-version", head->anthropic_version);
		for (uint32_t i = 0; i < head->anthropic_betas; i++)
			put(&list, "anthropic-beta", head->anthropic_beta[i]);
	}
	return list.n;
}

struct span
forward_target(const struct wire_route_info *route,
    const struct client_head *head)
{
	if (route->route == WIRE_ROUTE_MESSAGES && head->query_beta)
		return messages_beta;
	return (struct span){ route->path, strlen(route->path) };
}

enum wire_error
forward_call(struct call *call, const struct catalogue_model *model,
    const struct choice *choice, const struct exchange_handlers *handlers)
{
	const struct view_channel *channel = choice->channel;
	struct request_header header[FORWARD_HEADERS];
	struct exchange_request request = { .since = call->started };
	size_t headers;

	call->filtered = call->request.stream &&
	    call->protocol == WIRE_OPENAI && !call->request.include_usage;
	if (call->filtered)
		wire_filter_init(&call->filter);
	if (!view_upstream_name(model, choice->upstream_name,
	    call->request.model, call->request.model_len,
	    call->upstream_model))
		return WIRE_ERROR_NO_MODEL;
	if (!wire_splice_build(&call->splice, &call->request,
	    buf_head(&call->body), call->upstream_model, call->filtered))
		return WIRE_ERROR_INTERNAL;
	headers = forward_headers(call->protocol, &call->head,
	    choice->credential->value, choice->credential->len, header);
	static_assert(FORWARD_HEADERS_OURS + CHANNEL_HEADERS <=
	    FORWARD_HEADERS, "the operator's headers find room");
	memcpy(header + headers, channel->header,
	    channel->headers * sizeof(header[0]));
	headers += channel->headers;
	if (!request_head_render(&call->upstream_head, channel->upstream,
	    "POST", forward_target(call->route, &call->head), header, headers,
	    call->splice.total_bytes))
		/* A control character in a value, or far too much of them. */
		return WIRE_ERROR_BAD_REQUEST;
	request.head = (struct span){ buf_head(&call->upstream_head),
		call->upstream_head.len };
	static_assert(WIRE_SPLICE_PIECES <= EXCHANGE_BODY_SPANS,
	    "every splice fits an exchange");
	memcpy(request.body, call->splice.piece,
	    call->splice.pieces * sizeof(call->splice.piece[0]));
	request.spans = call->splice.pieces;
	/* Silence is borne for longer where there is nowhere else to go. */
	if (call->request.stream && call->attempt.others)
		request.first_token_ms = channel->first_token_ms;
	call->exchange = exchange_start(channel->upstream, &request, handlers,
	    call);
	return call->exchange != NULL ? WIRE_ERROR_NONE :
	    WIRE_ERROR_OVERLOADED;
}

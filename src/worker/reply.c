#include "worker/reply.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "shm/seat.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/limits.h"
#include "worker/portal.h"
#include "worker/receipt.h"
#include "worker/relay.h"

/* What libmicrohttpd keeps beside the response for a known length; answers of
 * unknown length are written into the connection's own pool instead. */
#define FLOW_BLOCK_BYTES 16384

static bool
add(struct MHD_Response *response, const char *name, const char *value)
{
	return MHD_add_response_header(response, name, value) == MHD_YES;
}

/* Every answer has our id; Anthropic's clients read it by another name. */
static bool
add_common(const struct call *call, struct MHD_Response *response,
    const char *content_type)
{
	if (!add(response, "x-request-id", call->id))
		return false;
	if (call->protocol == WIRE_ANTHROPIC &&
	    !add(response, "request-id", call->id))
		return false;
	if (content_type != NULL && content_type[0] != '\0' &&
	    !add(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type))
		return false;
	if (!limits_add_headers(call, response))
		return false;
	if (call->worker->draining &&
	    !add(response, MHD_HTTP_HEADER_CONNECTION, "close"))
		return false;
	return true;
}

static bool
queue(struct call *call, struct MHD_Connection *connection, int status,
    struct MHD_Response *response, size_t body_bytes)
{
	bool ok;

	tls_io_expect(call->client, body_bytes);
	ok = MHD_queue_response(connection, (unsigned)status, response) ==
	    MHD_YES;

	MHD_destroy_response(response);
	if (ok) {
		call->queued = true;
		call->status = status;
	}
	return ok;
}

static void
render(struct call *call, char *buf, size_t size,
    struct wire_error_reply *reply_r)
{
	struct wire_error_info info = {
		.request_id = call->id,
		.param = call->param[0] != '\0' ? call->param : NULL,
		.limit = call->limit,
		.retry_after_s = call->retry_after_s,
		.allow = call->error == WIRE_ERROR_METHOD ?
		    call->route->allow : NULL,
	};

	wire_error_render(call->protocol, call->error, &info, buf, size,
	    reply_r);
}

static bool
add_error(struct MHD_Response *response, const struct wire_error_reply *reply)
{
	char seconds[16];

	if (reply->retry_after_s > 0) {
		snprintf(seconds, sizeof(seconds), "%u",
		    (unsigned)reply->retry_after_s);
		if (!add(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds))
			return false;
	}
	if (reply->no_retry && !add(response, "x-should-retry", "false"))
		return false;
	if (reply->allow != NULL &&
	    !add(response, MHD_HTTP_HEADER_ALLOW, reply->allow))
		return false;
	return true;
}

bool
reply_error(struct call *call, struct MHD_Connection *connection, bool close)
{
	char body[WIRE_ERROR_BODY_BYTES];
	struct wire_error_reply reply;
	struct MHD_Response *response;

	render(call, body, sizeof(body), &reply);
	response = MHD_create_response_from_buffer_copy(reply.body_len,
	    reply.body);
	/* It may name a model, as the client wrote it. */
	bytes_scrub(body, reply.body_len);
	if (response == NULL)
		return false;
	if (!add_common(call, response, reply.content_type) ||
	    !add_error(response, &reply) ||
	    (close && !call->worker->draining &&
	    !add(response, MHD_HTTP_HEADER_CONNECTION, "close"))) {
		MHD_destroy_response(response);
		return false;
	}
	return queue(call, connection, reply.status, response, reply.body_len);
}

static void
give_back(void *arg)
{
	struct call *call = arg;

	assert(call->lent);
	call->lent = false;
	call_release(call);
}

bool
reply_whole(struct call *call, struct MHD_Connection *connection)
{
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer_with_free_callback_cls(
	    call->relay.len, call->relay.len > 0 ? buf_head(&call->relay) : "",
	    give_back, call);
	if (response == NULL)
		return false;
	call->lent = true;
	call->delivered_bytes = call->relay.len;
	seat_add(call->worker->shm, call->worker->seat, SEAT_BYTES_OUT,
	    (int64_t)call->relay.len);
	if (!add_common(call, response, call->content_type) ||
	    !receipt_add_header(call, response)) {
		MHD_destroy_response(response);
		return false;
	}
	return queue(call, connection, call->status, response,
	    call->relay.len);
}

/* An answer whose body relay_read() gives; NULL: memory is short. */
static struct MHD_Response *
flowing(struct call *call)
{
	bool known = call->has_length;
	struct MHD_Response *response = MHD_create_response_from_callback(
	    known ? call->length : MHD_SIZE_UNKNOWN,
	    known ? FLOW_BLOCK_BYTES : 1, relay_read, call, give_back);

	if (response != NULL)
		call->lent = true;
	return response;
}

/* Comes from a callback, before which nothing is corked. */
static bool
queue_flowing(struct call *call, struct MHD_Connection *connection,
    struct MHD_Response *response, bool ok)
{
	if (!ok) {
		MHD_destroy_response(response);
		return false;
	}
	return queue(call, connection, call->status, response, SIZE_MAX);
}

bool
reply_flow(struct call *call, struct MHD_Connection *connection)
{
	struct MHD_Response *response = flowing(call);

	if (response == NULL)
		return false;
	return queue_flowing(call, connection, response,
	    add_common(call, response, call->content_type) &&
	    /* A proxy in between must not collect the stream. */
	    (!call->streamed ||
	    (add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache") &&
	    add(response, "x-accel-buffering", "no"))));
}

bool
reply_portal(struct call *call, struct MHD_Connection *connection)
{
	struct MHD_Response *response = flowing(call);

	if (response == NULL)
		return false;
	return queue_flowing(call, connection, response,
	    add_common(call, response, NULL) &&
	    portal_add_headers(call, response));
}

bool
reply_document(struct call *call, struct MHD_Connection *connection,
    int status, const char *content_type, const char *text, size_t len)
{
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer_copy(len, text);
	if (response == NULL)
		return false;
	if (!add_common(call, response, content_type)) {
		MHD_destroy_response(response);
		return false;
	}
	return queue(call, connection, status, response, len);
}

size_t
reply_error_text(struct call *call, char *text, size_t size)
{
	char body[WIRE_ERROR_BODY_BYTES], retry[40] = "";
	struct wire_error_reply reply;
	int n;

	render(call, body, sizeof(body), &reply);
	call->status = reply.status;
	if (reply.retry_after_s > 0)
		snprintf(retry, sizeof(retry), "Retry-After: %u\r\n",
		    (unsigned)reply.retry_after_s);
	n = snprintf(text, size,
	    "HTTP/1.1 %d %s\r\n"
	    "x-request-id: %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n"
	    "%s"
	    "Connection: close\r\n"
	    "\r\n%.*s",
	    reply.status, MHD_get_reason_phrase_for((unsigned)reply.status),
	    call->id, reply.content_type, reply.body_len, retry,
	    (int)reply.body_len, reply.body);
	bytes_scrub(body, sizeof(body));
	assert(n > 0 && (size_t)n < size);
	return (size_t)n;
}

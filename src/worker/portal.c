#include "worker/portal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/loop.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "upstream/endpoint.h"
#include "upstream/exchange.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/front.h"

/* The portal has a thread for each, and so many in all. */
#define IDLE_MAX 2
/* Below the portal's own time for an idle connection. */
#define IDLE_KEEP_MS 20000
#define FIRST_BYTE_MS 30000
#define IDLE_MS 60000
/* An export of any size. */
#define TOTAL_MS 3600000
#define RETRY_S 5

struct portal_link {
	struct worker *worker;
	struct upstream *upstream;
};

/* The answer's head for the client, as far as it came. */
struct portal_answer {
	size_t len;
	bool complete;
	char head[PORTAL_HEAD_BYTES + 1];	/* then 0-terminated lines */
};

struct portal_link *
portal_link_open(struct worker *worker)
{
	struct portal_link *link = calloc(1, sizeof(*link));
	struct upstream_config config = {
		.host = "portal", .port = 80, .base_path = "",
		.timeouts = { .connect_ms = FIRST_BYTE_MS,
		    .first_byte_ms = FIRST_BYTE_MS, .idle_ms = IDLE_MS,
		    .total_ms = TOTAL_MS },
		.idle_max = IDLE_MAX, .idle_keep_ms = IDLE_KEEP_MS,
	};

	if (link == NULL)
		return NULL;
	link->worker = worker;
	if (upstream_open(worker->upstreams, &config, &link->upstream) !=
	    UPSTREAM_OPEN_OK) {
		free(link);
		return NULL;
	}
	return link;
}

void
portal_link_close(struct portal_link **link)
{
	if (*link == NULL)
		return;
	upstream_retire(&(*link)->upstream);
	free(*link);
	*link = NULL;
}

/* One end to the portal. */
static bool
hand_over(int portal_fd, int end)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c;

	memset(&control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &end, sizeof(int));
	return sendmsg(portal_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/* Is there a connection for one more exchange? */
static bool
connect_one(struct portal_link *link)
{
	int fd = link->worker->heritage->portal_fd, pair[2];
	bool handed;

	if (upstream_has_idle(link->upstream))
		return true;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    pair) != 0)
		return false;
	handed = hand_over(fd, pair[1]);
	close(pair[1]);
	if (!handed) {
		close(pair[0]);
		return false;
	}
	return upstream_adopt(link->upstream, pair[0]);
}

/*
 * The request.
 */
static bool
put_escaped(struct buf *b, const char *text, size_t len, bool path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool as_is = c != '\0' && (strchr(plain, c) != NULL ||
		    (path && c == '/'));

		if (!(as_is ? buf_append(b, text + i, 1) :
		    buf_printf(b, "%%%02X", c)))
			return false;
	}
	return true;
}

struct filling {
	struct buf *head;
	bool ok;
	bool first;
};

static enum MHD_Result
add_argument(void *arg, enum MHD_ValueKind kind, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
	struct filling *f = arg;

	(void)kind;
	f->ok = f->ok && buf_append(f->head, f->first ? "?" : "&", 1) &&
	    put_escaped(f->head, name, name_len, false) &&
	    (value == NULL || (buf_append(f->head, "=", 1) &&
	    put_escaped(f->head, value, value_len, false)));
	f->first = false;
	return f->ok ? MHD_YES : MHD_NO;
}

/* What the portal has a use for, and no more. */
static bool
passes(const char *name, size_t len)
{
	static const char *const names[] = { "authorization", "x-api-key",
		"cookie", "content-type", "accept", "accept-language",
		"origin", "idempotency-key", "x-csrf-token", "user-agent",
		"if-none-match" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len &&
		    strncasecmp(names[i], name, len) == 0)
			return true;
	return len > 9 && strncasecmp(name, "x-youyun-", 9) == 0;
}

static enum MHD_Result
add_header(void *arg, enum MHD_ValueKind kind, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
	struct filling *f = arg;

	(void)kind;
	if (value == NULL || !passes(name, name_len))
		return MHD_YES;
	/* libmicrohttpd lets no line break through; neither do we. */
	if (memchr(value, '\r', value_len) != NULL ||
	    memchr(value, '\n', value_len) != NULL)
		f->ok = false;
	f->ok = f->ok && buf_append(f->head, name, name_len) &&
	    buf_append(f->head, ": ", 2) &&
	    buf_append(f->head, value, value_len) &&
	    buf_append(f->head, "\r\n", 2);
	return f->ok ? MHD_YES : MHD_NO;
}

static bool
write_head(struct call *call, struct MHD_Connection *connection,
    const char *method, const char *path)
{
	struct filling f = { .head = &call->upstream_head, .ok = true,
		.first = true };
	char address[ADDRESS_TEXT_BYTES];

	/* libmicrohttpd leaves the body of an answer to HEAD out itself. */
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	if (strlen(method) > 10 || !buf_printf(f.head, "%s ", method) ||
	    !put_escaped(f.head, path, strlen(path), true))
		return false;
	MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND,
	    add_argument, &f);
	address_text(call->client->address, address);
	f.ok = f.ok && buf_printf(f.head, " HTTP/1.1\r\nhost: portal\r\n"
	    "x-request-id: %s\r\nx-forwarded-for: %s\r\n", call->id,
	    address);
	if (f.ok)
		MHD_get_connection_values_n(connection, MHD_HEADER_KIND,
		    add_header, &f);
	return f.ok;
}

bool
portal_head(struct call *call, struct MHD_Connection *connection,
    const char *method, const char *path)
{
	const struct client_head *head = &call->head;
	uint64_t max = call->worker->settings->portal_body_bytes;

	if (call->worker->heritage->portal_fd < 0)
		call_refuse(call, WIRE_ERROR_NO_ROUTE);
	else if (head->bad_content_length || head->encoded)
		call_refuse(call, WIRE_ERROR_BAD_REQUEST);
	else if (head->has_content_length && head->content_length > max) {
		call->limit = max;
		call_refuse(call, WIRE_ERROR_BODY_LARGE);
	} else if (!write_head(call, connection, method, path))
		call_refuse(call, WIRE_ERROR_HEAD_LARGE);
	return call->answer == ANSWER_NONE;
}

/*
 * The answer.
 */
static void
fail(struct call *call)
{
	call->upstream_over = true;
	if (call->answer == ANSWER_NONE) {
		call->retry_after_s = RETRY_S;
		call_refuse(call, WIRE_ERROR_PORTAL_AWAY);
		call->state = CALL_ANSWERING;
	} else
		call->broken = true;
	call_wake(call);
}

static void
on_head(void *arg, int status, const struct response_head *head)
{
	struct call *call = arg;

	call->status = status;
	call->has_length = response_head_body(head, false) ==
	    RESPONSE_BODY_LENGTH;
	call->length = head->content_length;
}

/* Lines become strings; the body's length is what is left. */
static bool
finish_head(struct call *call, struct portal_answer *a, size_t head_len)
{
	size_t whole = head_len + 4;

	if (call->has_length && call->length < whole)
		return false;
	call->length -= call->has_length ? whole : 0;
	a->head[head_len] = '\0';
	a->complete = true;
	call->streamed = !call->has_length;
	call->answer = ANSWER_FLOW;
	call->state = CALL_ANSWERING;
	return true;
}

/* How many of the bytes were of the head; *bad_r: it has no end. */
static size_t
take_head(struct call *call, const char *p, size_t len, bool *bad_r)
{
	struct portal_answer *a = call->portal;
	size_t before = a->len, room = PORTAL_HEAD_BYTES - a->len;
	size_t n = len < room ? len : room;
	char *end;

	memcpy(a->head + a->len, p, n);
	a->len += n;
	end = memmem(a->head, a->len, "\r\n\r\n", 4);
	if (end == NULL) {
		*bad_r = a->len == PORTAL_HEAD_BYTES;
		return n;
	}
	n = (size_t)(end - a->head) + 4 - before;
	*bad_r = !finish_head(call, a, (size_t)(end - a->head));
	return n;
}

static void
break_off(struct call *call)
{
	exchange_cancel(&call->exchange);
	fail(call);
}

static size_t
on_body(void *arg, const char *p, size_t len)
{
	struct call *call = arg;
	uint64_t most = call->worker->settings->relay_buffer_bytes;
	size_t taken = 0, n;
	bool bad = false;

	if (!call->portal->complete)
		taken = take_head(call, p, len, &bad);
	if (bad) {
		log_error("the portal's answer has no head");
		break_off(call);
		return len;
	}
	n = len - taken;
	if (call->relay.len >= most)
		n = 0;
	else if (n > most - call->relay.len)
		n = (size_t)(most - call->relay.len);
	if (n > 0 && !buf_append(&call->relay, p + taken, n)) {
		break_off(call);
		return len;
	}
	call->paused = taken + n < len;
	call_wake(call);
	return taken + n;
}

static void
on_end(void *arg)
{
	struct call *call = arg;

	call->exchange = NULL;
	if (call->answer == ANSWER_NONE) {
		log_error("the portal's answer has no head");
		fail(call);
	} else {
		call->upstream_over = true;
		call_wake(call);
	}
	call_release(call);
}

static void
on_fail(void *arg, enum upstream_failure failure)
{
	struct call *call = arg;

	call->exchange = NULL;
	log_info("the portal doesn't answer: failure=%s",
	    upstream_failure_name(failure));
	fail(call);
	call_release(call);
}

static const struct exchange_handlers handlers = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
};

void
portal_ask(struct call *call)
{
	struct portal_link *link = call->worker->portal;
	struct exchange_request request = { .since = call->started };

	call->state = CALL_WAITING;
	call->portal = calloc(1, sizeof(*call->portal));
	if (call->portal == NULL || !buf_printf(&call->upstream_head,
	    "content-length: %zu\r\n\r\n", call->body.len) ||
	    !connect_one(link)) {
		fail(call);
		return;
	}
	request.head = (struct span){ buf_head(&call->upstream_head),
		call->upstream_head.len };
	if (call->body.len > 0)
		request.body[request.spans++] = (struct span){
			buf_head(&call->body), call->body.len };
	call->exchange = exchange_start(link->upstream, &request, &handlers,
	    call);
	if (call->exchange == NULL)
		fail(call);
}

bool
portal_add_headers(const struct call *call, struct MHD_Response *response)
{
	char line[PORTAL_HEAD_BYTES + 1], *at = line, *end, *colon;

	snprintf(line, sizeof(line), "%s", call->portal->head);
	while (*at != '\0') {
		end = strstr(at, "\r\n");
		if (end != NULL)
			*end = '\0';
		colon = strstr(at, ": ");
		if (colon == NULL)
			return false;
		*colon = '\0';
		if (MHD_add_response_header(response, at, colon + 2) !=
		    MHD_YES)
			return false;
		if (end == NULL)
			break;
		at = end + 2;
	}
	return true;
}

void
portal_leave(struct call *call)
{
	if (call->exchange != NULL)
		exchange_cancel(&call->exchange);
	call->upstream_over = true;
	call->state = CALL_OVER;
}

void
portal_forget(struct call *call)
{
	if (call->portal == NULL)
		return;
	bytes_scrub(call->portal, sizeof(*call->portal));
	free(call->portal);
	call->portal = NULL;
}

#include "worker/moderate.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/loop.h"
#include "base/utf8.h"
#include "http/json_pull.h"
#include "http/json_text.h"
#include "shm/seat.h"
#include "upstream/exchange.h"
#include "worker/attempt.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"
#include "worker/forward.h"
#include "worker/policy.h"
#include "worker/relay.h"
#include "worker/relay_end.h"
#include "worker/screen.h"
#include "worker/settle.h"

/* Of text that is judged by itself; longer text is cut, shorter is joined. */
#define PIECE_BYTES 8192
#define BODY_MAX_BYTES (4 * 1024 * 1024)
#define HEAD_MAX_BYTES 16384
/* More than any provider says about so many pieces. */
#define ANSWER_MAX_BYTES (8 * 1024 * 1024)
#define RETRY_SOON_S 1

struct moderation {
	struct loop_timer timer;	/* first: see on_time() */
	struct call *call;
	struct exchange *exchange;	/* NULL: not asked, or answered */
	bool waits;
	bool blocks, closed;		/* as set when it was asked */

	struct buf head, body;
	uint32_t pieces;
	size_t piece_bytes;		/* of the last one, if it is open */
	bool piece_open, text_ended, too_long;

	bool ok;			/* status and coding can be read */
	size_t answer_bytes;
	uint32_t results;
	bool judged, flagged, torn;	/* this result; any; one wasn't */
	enum json_pull_result pulled;
	struct json_pull pull;
};

enum { NODE_ROOT, NODE_RESULTS, NODE_RESULT, NODE_FLAGGED };

static const struct json_node nodes[] = {
	[NODE_ROOT] = JSON_NODE("", NODE_RESULTS, 1, 0),
	[NODE_RESULTS] = JSON_NODE("results", NODE_RESULT, 1, 0),
	[NODE_RESULT] = JSON_NODE("[]", NODE_FLAGGED, 1, JSON_NODE_EDGES),
	[NODE_FLAGGED] = JSON_NODE("flagged", 0, 0, 0),
};

/*
 * What is asked
 */
static const struct catalogue_moderation *
rule_of(const struct call *call)
{
	/* Who asks for a judgement wants to hear it. */
	if (call->worker->view == NULL ||
	    call->route->route == WIRE_ROUTE_MODERATIONS)
		return NULL;
	return view_moderation(call->worker->view, call->group_id);
}

static void
put(struct moderation *m, const char *p, size_t len)
{
	if (!m->too_long && !buf_append(&m->body, p, len))
		m->too_long = true;
}

static void
put_escaped(struct moderation *m, const char *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t plain;

	while (len > 0) {
		unsigned char c;

		for (plain = 0; plain < len; plain++) {
			c = (unsigned char)p[plain];
			if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
				break;
		}
		put(m, p, plain);
		if (plain == len)
			return;
		c = (unsigned char)p[plain];
		put(m, (char[]){ '\\', 'u', '0', '0', hex[c >> 4],
		    hex[c & 15] }, 6);
		p += plain + 1;
		len -= plain + 1;
	}
}

static void
close_piece(struct moderation *m)
{
	if (m->piece_open)
		put(m, "\"", 1);
	m->piece_open = false;
}

/* How much of it still belongs to the piece: characters stay whole. */
static size_t
fits_piece(const struct moderation *m, const char *p, size_t len)
{
	size_t n = m->piece_bytes < PIECE_BYTES ?
	    PIECE_BYTES - m->piece_bytes : 0;

	if (n >= len)
		return len;
	while (n < len && n + m->piece_bytes < PIECE_BYTES + UTF8_BYTES &&
	    ((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static void
on_text(void *context, const char *text, size_t len)
{
	struct moderation *m = context;

	while (len > 0) {
		size_t n = m->piece_open ? fits_piece(m, text, len) : 0;

		if (n == 0) {
			close_piece(m);
			if (m->pieces++ > 0)
				put(m, ",", 1);
			put(m, "\"", 1);
			m->piece_open = true;
			m->piece_bytes = 0;
			m->text_ended = false;
			continue;
		}
		if (m->text_ended) {
			put(m, "\\n", 2);
			m->piece_bytes++;
		}
		m->text_ended = false;
		put_escaped(m, text, n);
		m->piece_bytes += n;
		text += n;
		len -= n;
	}
}

static void
on_text_end(void *context)
{
	struct moderation *m = context;

	m->text_ended = m->piece_open;
}

static const struct json_text_handlers text_handlers = { on_text,
	on_text_end };

static struct moderation *
open_text(struct call *call, const struct catalogue_moderation *rule)
{
	struct moderation *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->call = call;
	buf_init(&m->head, HEAD_MAX_BYTES);
	buf_init(&m->body, BODY_MAX_BYTES);
	put(m, "{\"model\":\"", 10);
	put_escaped(m, rule->model, strnlen(rule->model, MODEL_NAME_BYTES));
	put(m, "\",\"input\":[", 11);
	call->moderation = m;
	return m;
}

/* The bytes of no character would make all of it unreadable. */
static void
close_text(struct moderation *m)
{
	char *p;
	size_t n;

	close_piece(m);
	put(m, "]}", 2);
	if (m->too_long)
		return;
	p = m->body.data + m->body.start;
	for (size_t i = 0; i < m->body.len; i += n) {
		n = utf8_get(p + i, m->body.len - i, NULL);
		if (n == 0) {
			p[i] = '?';
			n = 1;
		}
	}
}

void
moderate_form(struct call *call)
{
	const struct catalogue_moderation *rule = rule_of(call);

	call->unread = rule != NULL && open_text(call, rule) == NULL;
}

void
moderate_field(struct call *call, const char *text, size_t len)
{
	if (call->moderation != NULL && !call->moderation->waits)
		on_text(call->moderation, text, len);
}

void
moderate_field_end(struct call *call)
{
	if (call->moderation != NULL && !call->moderation->waits)
		on_text_end(call->moderation);
}

/*
 * What is answered
 */
static void
on_value(void *context, const struct json_pull_value *value)
{
	struct moderation *m = context;

	switch (value->node) {
	case NODE_RESULT:
		if (value->edge == JSON_PULL_END) {
			m->results++;
			m->torn = m->torn || !m->judged;
		} else
			m->torn = m->torn || value->edge != JSON_PULL_BEGIN;
		m->judged = false;
		return;
	case NODE_FLAGGED:
		if (value->type == JSON_TRUE)
			m->flagged = true;
		if (value->type == JSON_TRUE || value->type == JSON_FALSE)
			m->judged = true;
		return;
	}
}

/* Every piece was judged. */
static bool
is_answered(const struct moderation *m)
{
	return m->ok && m->pulled == JSON_PULL_DONE && !m->torn &&
	    m->results == m->pieces;
}

void
moderate_forget(struct call *call)
{
	struct moderation *m = call->moderation;

	if (m == NULL)
		return;
	call->moderation = NULL;
	exchange_cancel(&m->exchange);
	if (m->waits) {
		loop_disarm(call->worker->loop, &m->timer);
		attempt_besides_over(call);
	}
	buf_free(&m->head);
	buf_free(&m->body);
	bytes_scrub(m, sizeof(*m));
	free(m);
}

bool
moderate_waits(const struct call *call)
{
	return call->moderation != NULL && call->moderation->waits;
}

static void
go_on(struct call *call)
{
	const struct wire_request *req = &call->request;
	const struct catalogue_model *model = view_model(call->worker->view,
	    req->model, req->model_len);

	if (model == NULL) {
		relay_fail(call, WIRE_ERROR_NO_MODEL);
		return;
	}
	if (attempt_first(call, model, NULL))
		return;
	call->state = CALL_ANSWERING;
	call_wake(call);
}

/* What was found stays found, however the answer ends.  Puts it down; returns
 * why it is refused, or NONE. */
static enum wire_error
judge(struct call *call, bool answered, bool flagged, bool blocks,
    bool closed)
{
	if (!answered && !flagged) {
		call->record.moderation = closed ? MODERATION_CLOSED :
		    MODERATION_OPEN;
		call->retry_after_s = closed ? RETRY_SOON_S : 0;
		return closed ? WIRE_ERROR_UNMODERATED : WIRE_ERROR_NONE;
	}
	call->record.moderation = !flagged ? MODERATION_PASSED : blocks ?
	    MODERATION_BLOCKED : MODERATION_FLAGGED;
	if (!flagged)
		return WIRE_ERROR_NONE;
	call->record.flags |= blocks ? RECORD_BLOCKED : RECORD_FLAGGED;
	return blocks ? WIRE_ERROR_CONTENT_BLOCKED : WIRE_ERROR_NONE;
}

/* From the loop: the answer is here, or won't come. */
static void
conclude(struct moderation *m, bool answered)
{
	struct call *call = m->call;
	enum wire_error error;

	error = judge(call, answered, m->flagged, m->blocks, m->closed);
	moderate_forget(call);
	/* Something was said to the client meanwhile. */
	if (call->answer != ANSWER_NONE)
		settle_free(call);
	else if (error != WIRE_ERROR_NONE)
		relay_fail(call, error);
	else
		go_on(call);
}

static void
on_head(void *arg, int status, const struct response_head *head)
{
	struct moderation *m = arg;

	m->ok = status >= 200 && status <= 299 &&
	    head->coding == RESPONSE_CODING_IDENTITY;
	attempt_note_status(m->call, status, head);
}

static size_t
on_body(void *arg, const char *p, size_t len)
{
	struct moderation *m = arg;

	m->answer_bytes += len;
	if (m->answer_bytes > ANSWER_MAX_BYTES)
		m->ok = false;
	if (m->ok)
		m->pulled = json_pull_feed(&m->pull, p, len);
	return len;
}

static void
fail(struct moderation *m, const char *why, enum upstream_failure failure)
{
	struct call *call = m->call;

	seat_add(call->worker->shm, call->worker->seat, SEAT_UPSTREAM_FAILED,
	    1);
	if (!m->flagged)
		relay_warn(call, m->closed ?
		    "moderation has no answer, the call is refused" :
		    "moderation has no answer, the call is forwarded", why);
	attempt_note_failure(call, failure);
	conclude(m, false);
}

static void
on_end(void *arg)
{
	struct moderation *m = arg;

	m->exchange = NULL;
	if (!is_answered(m)) {
		fail(m, "unreadable", UPSTREAM_BAD_HEAD);
		return;
	}
	attempt_answered(m->call);
	conclude(m, true);
}

static void
on_fail(void *arg, enum upstream_failure failure)
{
	struct moderation *m = arg;

	m->exchange = NULL;
	fail(m, upstream_failure_name(failure), failure);
}

static const struct exchange_handlers handlers = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
};

static void
on_time(struct loop_timer *t)
{
	fail((struct moderation *)(void *)t, "timeout",
	    UPSTREAM_TIMEOUT_FIRST_BYTE);
}

/*
 * Asking
 */
static bool
start(struct moderation *m, const struct view_channel *channel,
    const struct view_credential *credential)
{
	const struct wire_route_info *route =
	    wire_route_info(WIRE_ROUTE_MODERATIONS);
	struct request_header header[FORWARD_HEADERS];
	struct exchange_request request = { .spans = 1 };
	struct span none = { NULL, 0 }, target;
	char buf[FORWARD_TARGET_BYTES];
	size_t headers;

	headers = forward_headers(route, NULL, credential->value,
	    credential->len, header);
	memcpy(header + headers, channel->header,
	    channel->headers * sizeof(header[0]));
	headers += channel->headers;
	target = forward_target(route, NULL, none, none, buf);
	if (!request_head_render(&m->head, channel->upstream, "POST", target,
	    header, headers, m->body.len))
		return false;
	request.head = (struct span){ buf_head(&m->head), m->head.len };
	request.body[0] = (struct span){ buf_head(&m->body), m->body.len };
	m->exchange = exchange_start(channel->upstream, &request, &handlers,
	    m);
	return m->exchange != NULL;
}

/* False: nobody can be asked, and nothing was. */
static bool
ask(struct call *call, const struct catalogue_moderation *rule)
{
	struct moderation *m = call->moderation;
	const struct view_channel *channel =
	    view_moderator(call->worker->view, rule);
	const struct view_credential *credential;

	close_text(m);
	if (m->too_long || channel == NULL || !view_usable(channel) ||
	    !policy_region(call->worker->view, &call->policies,
	    channel->channel) ||
	    !attempt_besides(call, channel, &credential))
		return false;
	m->blocks = rule->action == SCREEN_BLOCK;
	m->closed = rule->closed != 0;
	json_pull_init(&m->pull, nodes, on_value, m);
	m->pulled = JSON_PULL_MORE;
	if (!start(m, channel, credential)) {
		attempt_besides_over(call);
		return false;
	}
	m->waits = true;
	m->timer.fire = on_time;
	loop_arm(call->worker->loop, &m->timer,
	    mono_add_ms(loop_now(call->worker->loop), rule->timeout_ms));
	return true;
}

enum moderate_result
moderate_begin(struct call *call)
{
	const struct catalogue_moderation *rule = rule_of(call);
	enum wire_error error;

	if (rule == NULL || call->route->body == WIRE_BODY_NONE) {
		moderate_forget(call);
		return MODERATE_PASSED;
	}
	/* A form that began before there was a rule. */
	if (call->moderation == NULL && !call->unread &&
	    call->route->body == WIRE_BODY_FORM)
		return MODERATE_PASSED;
	if (call->moderation == NULL && !call->unread &&
	    open_text(call, rule) != NULL)
		screen_walk(call, &text_handlers, call->moderation);
	if (call->moderation != NULL && call->moderation->pieces == 0) {
		moderate_forget(call);
		return MODERATE_PASSED;
	}
	if (call->moderation != NULL && ask(call, rule))
		return MODERATE_ASKED;
	moderate_forget(call);
	error = judge(call, false, false, false, rule->closed != 0);
	if (error == WIRE_ERROR_NONE)
		return MODERATE_PASSED;
	call_refuse(call, error);
	call->status = wire_error_status(error);
	settle_free(call);
	return MODERATE_REFUSED;
}

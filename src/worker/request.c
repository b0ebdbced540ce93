#include "worker/request.h"

#include <assert.h>
#include <string.h>

#include "conf/settings.h"
#include "shm/directory.h"
#include "shm/seat.h"
#include "worker/admit.h"
#include "worker/answers.h"
#include "worker/attempt.h"
#include "worker/authenticate.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/front.h"
#include "worker/health.h"
#include "worker/models.h"
#include "worker/moderate.h"
#include "worker/portal.h"
#include "worker/reply.h"
#include "worker/settle.h"
#include "worker/upload.h"

/* A refused body up to this is read and thrown away, so that the connection
 * can be used again and the client is sure to read the answer. */
#define SWALLOW_MAX_BYTES 65536
/* Taken for a body at once, before a byte of it has come. */
#define BODY_FIRST_BYTES 65536

/* For people who look at records: cut, and nothing but printable ASCII. */
static void
note_agent(struct call *call)
{
	const struct span *agent = &call->head.user_agent;
	size_t n = agent->len;

	if (n > RECORD_AGENT_BYTES)
		n = RECORD_AGENT_BYTES;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)agent->p[i];

		call->record.agent[i] = c >= 0x20 && c < 0x7f ? c : '?';
	}
}

static void
find_route(struct call *call, const char *method, const char *path)
{
	struct wire_hints hints = {
		.has_anthropic_version = call->head.anthropic_version.p !=
		    NULL,
		.has_goog_api_key = call->head.has_goog_api_key,
	};
	enum wire_find found;

	found = wire_route_find(method, path, &call->route, &call->path);
	call->protocol = call->route != NULL && call->route->protocol != 0 ?
	    call->route->protocol : wire_protocol_guess(path, &hints);
	switch (found) {
	case WIRE_FIND_OK:
		if (call->route->route == WIRE_ROUTE_BATCHES)
			call_refuse(call, WIRE_ERROR_NOT_SERVED);
		/* Clients that would rather have a WebSocket fall back. */
		if (call->route->route == WIRE_ROUTE_RESPONSES_SOCKET)
			call_refuse(call, call->head.upgrade ?
			    WIRE_ERROR_UPGRADE : WIRE_ERROR_METHOD);
		return;
	case WIRE_FIND_PATH:
		call_refuse(call, WIRE_ERROR_NO_ROUTE);
		return;
	case WIRE_FIND_METHOD:
		call_refuse(call, WIRE_ERROR_METHOD);
		return;
	}
}

static bool
is_of_type(const struct call *call)
{
	if (call->route->body == WIRE_BODY_FORM)
		return client_head_is_form(&call->head);
	return client_head_is_json(&call->head);
}

static void
check_body_head(struct call *call)
{
	const struct client_head *head = &call->head;
	uint64_t max = call->worker->settings->max_body_bytes;

	if (head->bad_content_length)
		call_refuse(call, WIRE_ERROR_BAD_REQUEST);
	else if (call->route->body == WIRE_BODY_NONE)
		return;
	else if (head->encoded || !is_of_type(call))
		call_refuse(call, call->route->body == WIRE_BODY_FORM ?
		    WIRE_ERROR_FORM_TYPE : WIRE_ERROR_MEDIA_TYPE);
	else if (head->has_content_length && head->content_length > max) {
		call->limit = max;
		call_refuse(call, WIRE_ERROR_BODY_LARGE);
	}
}

/* The cheapest first; each room refuses by itself. */
static void
check_head(struct call *call, struct MHD_Connection *connection,
    const char *method, const char *path)
{
	find_route(call, method, path);
	if (call->answer != ANSWER_NONE)
		return;
	if (call->route->needs_key && !authenticate(call))
		return;
	if (call->route->route == WIRE_ROUTE_PORTAL &&
	    !portal_head(call, connection, method, path))
		return;
	if (!call->route->billed)
		return;
	check_body_head(call);
	if (call->answer == ANSWER_NONE && admit_any(call) &&
	    call->route->body == WIRE_BODY_FORM)
		(void)!upload_begin(call);
}

static bool
has_body(const struct client_head *head)
{
	return head->chunked || head->content_length > 0;
}

static bool
send_error(struct call *call, struct MHD_Connection *connection, bool close)
{
	settle_refusal(call);
	return reply_error(call, connection, close);
}

bool
request_head(struct call *call, struct MHD_Connection *connection,
    const char *method, const char *path)
{
	const struct settings *s = call->worker->settings;
	const struct client_head *head = &call->head;

	client_head_read(connection, &call->head);
	call->wants_receipt = call->head.receipt;
	note_agent(call);
	check_head(call, connection, method, path);
	if (!has_body(head))
		client_enter(call->client, CLIENT_CALL, 0);
	else
		client_enter(call->client, CLIENT_BODY, s->body_timeout_ms);
	if (call->answer == ANSWER_NONE)
		return true;
	call->state = CALL_REFUSED;
	if (!has_body(head) || (!head->expect && !head->chunked &&
	    head->content_length <= SWALLOW_MAX_BYTES))
		return true;
	call->client->linger = true;
	return send_error(call, connection, true);
}

/* Too late for libmicrohttpd, which answers complete requests only. */
static bool
break_off(struct call *call)
{
	char text[REPLY_TEXT_BYTES];

	client_say(call->client, text,
	    reply_error_text(call, text, sizeof(text)));
	bytes_scrub(text, sizeof(text));
	settle_refusal(call);
	call->state = CALL_REFUSED;
	return false;
}

static uint64_t
max_body(const struct call *call)
{
	const struct settings *s = call->worker->settings;

	return call->route->route == WIRE_ROUTE_PORTAL ?
	    s->portal_body_bytes : s->max_body_bytes;
}

static bool
refuse_body(struct call *call, enum wire_error error)
{
	call->limit = max_body(call);
	call_refuse(call, error);
	return break_off(call);
}

/* Where an answer has begun already, the connection's end is all we can say. */
static bool
take_form(struct call *call, const char *p, size_t len, size_t *taken_r)
{
	if (upload_take(call, p, len, taken_r))
		return true;
	return call->answer == ANSWER_ERROR ? break_off(call) : false;
}

static bool
takes_body(const struct call *call)
{
	return call->route->route == WIRE_ROUTE_PORTAL ||
	    (call->route->billed && call->route->body != WIRE_BODY_NONE);
}

bool
request_body(struct call *call, const char *p, size_t len, size_t *taken_r)
{
	struct worker *worker = call->worker;
	bool ok;

	*taken_r = len;
	if (call->route != NULL && call->route->body == WIRE_BODY_FORM &&
	    call->state != CALL_REFUSED) {
		ok = take_form(call, p, len, taken_r);
		seat_add(worker->shm, worker->seat, SEAT_BYTES_IN,
		    (int64_t)*taken_r);
		return ok;
	}
	seat_add(worker->shm, worker->seat, SEAT_BYTES_IN, (int64_t)len);
	if (call->state == CALL_REFUSED || !takes_body(call))
		return true;
	if (call->body.len + len > max_body(call))
		return refuse_body(call, WIRE_ERROR_BODY_LARGE);
	if (call->body.len == 0 && call->head.has_content_length) {
		uint64_t first = call->head.content_length;

		if (first > BODY_FIRST_BYTES)
			first = BODY_FIRST_BYTES;
		if (buf_room(&call->body, first) == NULL)
			return refuse_body(call, WIRE_ERROR_OVERLOADED);
	}
	if (!buf_append(&call->body, p, len))
		return refuse_body(call, WIRE_ERROR_OVERLOADED);
	return true;
}

/* Continuing somebody else's answer would tell what stands in it. */
static bool
check_previous(struct call *call)
{
	const char *id = call->request.previous_id;

	if (id[0] == '\0')
		return true;
	if (!answers_find(call, (struct span){ id, strlen(id) })) {
		call_refuse_about(call, WIRE_ERROR_NO_ANSWER, id);
		return false;
	}
	/* What it says would come out, and nobody would have paid for it. */
	if (call->stored.open) {
		call_refuse_about(call, WIRE_ERROR_ANSWER_OPEN, id);
		return false;
	}
	call->request.context_tokens = call->stored.context_tokens;
	return true;
}

/* The answer that the path names. */
static bool
find_stored(struct call *call)
{
	bool found = answers_find(call, call->path.name);
	char id[WIRE_MODEL_BYTES];
	size_t n = call->path.name.len;

	wire_request_init(call->route->route, &call->request);
	if (found && (call->route->route != WIRE_ROUTE_RESPONSE_DELETE ||
	    !call->stored.open))
		return true;
	n = n < sizeof(id) - 1 ? n : sizeof(id) - 1;
	memcpy(id, call->path.name.p, n);
	id[n] = '\0';
	call_refuse_about(call, found ? WIRE_ERROR_ANSWER_OPEN :
	    WIRE_ERROR_NO_ANSWER, id);
	return false;
}

static bool
read_request(struct call *call)
{
	struct wire_fault fault;

	if (call->route->body == WIRE_BODY_NONE)
		return find_stored(call);
	if (!wire_request_scan(call->route->route,
	    call->body.len > 0 ? buf_head(&call->body) : "", call->body.len,
	    &call->request, &fault) || (call->request.model_in_path &&
	    !wire_request_name(&call->request, call->path.name, &fault))) {
		call_refuse_about(call, fault.error, fault.param);
		return false;
	}
	return check_previous(call);
}

static void
forward(struct call *call)
{
	struct admission admission;

	call->record.request_bytes = call->body.len;
	if (!read_request(call) || !admit_call(call, &admission))
		return;
	call->state = CALL_WAITING;
	switch (moderate_begin(call)) {
	case MODERATE_ASKED:
		return;
	case MODERATE_PASSED:
		if (attempt_first(call, admission.model, &admission.choice))
			return;
		break;
	case MODERATE_REFUSED:
		break;
	}
	call->state = CALL_ANSWERING;
}

static bool
serve_complete(struct call *call, struct MHD_Connection *connection)
{
	client_enter(call->client, CLIENT_CALL, 0);
	if (call->route->billed) {
		/* Nothing is begun for a client that has already left. */
		if (call->client->gone)
			return false;
		if (call->route->body == WIRE_BODY_FORM) {
			if (!upload_end(call))
				call->state = CALL_ANSWERING;
		} else
			forward(call);
		return true;
	}
	switch (call->route->route) {
	case WIRE_ROUTE_PORTAL:
		/* Nothing is asked for a client that has already left. */
		if (call->client->gone)
			return false;
		portal_ask(call);
		return true;
	case WIRE_ROUTE_MODELS:
		return models_answer(call, connection);
	case WIRE_ROUTE_MODEL:
		return models_answer_one(call, connection);
	case WIRE_ROUTE_HEALTHZ:
		return health_answer(call, connection);
	case WIRE_ROUTE_READYZ:
		return ready_answer(call, connection);
	case WIRE_ROUTE_HELLO:
		return hello_answer(call, connection);
	default:
		break;
	}
	assert(false);
	return false;
}

/* Under strict durability: what can't leave but for its last byte. */
static bool
waits_whole(const struct call *call)
{
	switch (call->answer) {
	case ANSWER_NONE:
		return true;
	case ANSWER_ERROR:
		return call->awaits;
	case ANSWER_WHOLE:
		return call->awaits && call->relay.len == 0;
	case ANSWER_FLOW:
		break;
	}
	return false;
}

/* The rest leaves, and relay_read() holds the last byte back. */
static void
let_flow(struct call *call)
{
	if (call->answer != ANSWER_WHOLE || !call->awaits)
		return;
	call->answer = ANSWER_FLOW;
	call->has_length = true;
	call->length = call->relay.len;
}

bool
request_serve(struct call *call, struct MHD_Connection *connection)
{
	struct client *client = call->client;
	bool ok = false;

	if (call->state == CALL_BODY) {
		if (!serve_complete(call, connection))
			return false;
		if (call->queued)
			return true;
	} else if (client->gone || call->unrecorded)
		return false;
	else if (call->uploading) {
		client_enter(client, CLIENT_CALL, 0);
		(void)!upload_end(call);
	}
	if (waits_whole(call)) {
		front_suspend(client);
		return true;
	}
	let_flow(call);
	switch (call->answer) {
	case ANSWER_NONE:
		break;
	case ANSWER_ERROR:
		ok = send_error(call, connection, false);
		break;
	case ANSWER_WHOLE:
		ok = reply_whole(call, connection);
		break;
	case ANSWER_FLOW:
		ok = call->portal != NULL ? reply_portal(call, connection) :
		    reply_flow(call, connection);
		break;
	}
	client_enter(client, CLIENT_CALL,
	    call->worker->settings->idle_timeout_ms);
	return ok;
}

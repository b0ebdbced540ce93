#include "worker/upload.h"

#include <string.h>

#include "conf/settings.h"
#include "upstream/exchange.h"
#include "worker/admit.h"
#include "worker/attempt.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/forward.h"
#include "worker/front.h"
#include "worker/moderate.h"
#include "worker/park.h"
#include "worker/screen.h"
#include "worker/settle.h"
#include "worker/spending.h"

#define RETRY_SOON_S 1

/* If the upstream answered already, then the connection's end must do. */
static bool
refuse(struct call *call, enum wire_error error, const char *param)
{
	if (call->answer == ANSWER_NONE)
		call_refuse_about(call, error, param);
	return false;
}

static bool
refuse_fault(struct call *call, const struct wire_fault *fault)
{
	return refuse(call, fault->error, fault->param);
}

static void
on_field(void *context, const char *text, size_t len)
{
	if (text != NULL) {
		(void)!screen_field(context, text, len);
		moderate_field(context, text, len);
	} else {
		(void)!screen_field_end(context);
		moderate_field_end(context);
	}
}

bool
upload_begin(struct call *call)
{
	struct wire_fault fault;

	if (!wire_form_init(&call->form, call->route->route,
	    call->head.content_type, &call->request, &fault))
		return refuse_fault(call, &fault);
	call->form.on_field = on_field;
	call->form.context = call;
	moderate_form(call);
	return true;
}

/* The next bytes.  False: refused. */
static bool
read_form(struct call *call, const char *p, size_t len)
{
	struct wire_fault fault;

	if (!wire_form_feed(&call->form, p, len, &call->request, &fault))
		return refuse_fault(call, &fault);
	if ((call->record.flags & RECORD_BLOCKED) != 0)
		return refuse(call, WIRE_ERROR_CONTENT_BLOCKED, NULL);
	return true;
}

/* Of the whole, for what is estimated by its size. */
static uint64_t
most_bytes(const struct call *call)
{
	return call->head.has_content_length ? call->head.content_length :
	    call->worker->settings->max_body_bytes;
}

/* It would wait for money from another node, which a body that is coming
 * can't: by the time that the client tries again it will be here. */
static bool
not_now(struct call *call)
{
	park_done(call);
	call->retry_after_s = RETRY_SOON_S;
	return refuse(call, WIRE_ERROR_OVERLOADED, NULL);
}

/* The exchange begins, or is parked before it.  False: refused. */
static bool
start(struct call *call)
{
	struct admission admission;

	call->request.body_bytes = call->body.len;
	call->request.audio_ms = wire_form_audio_ms(&call->form,
	    call->form.done ? call->form.file_bytes : most_bytes(call), true);
	if (!admit_call(call, &admission)) {
		if (call->answer != ANSWER_NONE)
			return false;
		/* A form that is here waits like any other call: it is woken,
		 * and upload_end() comes here again. */
		return call->form.done ? true : not_now(call);
	}
	call->state = CALL_WAITING;
	call->uploading = !call->form.done;
	if (!call->uploading)
		call->request.audio_ms = wire_form_audio_ms(&call->form,
		    call->form.file_bytes, false);
	switch (moderate_begin(call)) {
	case MODERATE_ASKED:
		return true;
	case MODERATE_PASSED:
		break;
	case MODERATE_REFUSED:
		return false;
	}
	return attempt_first(call, admission.model, &admission.choice);
}

/* What is given up before its end was never worked on by anybody. */
static bool
give_up(struct call *call)
{
	exchange_cancel(&call->exchange);
	attempt_over(call);
	call->uploading = false;
	call->upstream_over = true;
	/* An answer that began already must not look complete. */
	call->broken = call->answer == ANSWER_FLOW;
	settle_free(call);
	return false;
}

void
upload_abort(struct call *call)
{
	if (call->uploading)
		(void)give_up(call);
}

static bool
look(struct call *call, const char *p, size_t len)
{
	if (!read_form(call, p, len))
		return false;
	if (!buf_append(&call->body, p, len))
		return refuse(call, WIRE_ERROR_OVERLOADED, NULL);
	/* One that is complete waits for the request's own end; what is to be
	 * judged must be complete. */
	if (call->form.done || call->body.len < UPLOAD_LOOK_BYTES ||
	    call->moderation != NULL)
		return true;
	if (call->form.has_model)
		return start(call);
	if (call->body.len < UPLOAD_MODEL_BYTES)
		return true;
	call->limit = UPLOAD_MODEL_BYTES;
	return refuse(call, WIRE_ERROR_MODEL_LATE, "model");
}

/* Before the last bytes leave: is all priced and held for that they ask
 * for? */
static bool
is_covered(struct call *call)
{
	call->request.audio_ms = wire_form_audio_ms(&call->form,
	    call->form.file_bytes, true);
	if (call->answer == ANSWER_NONE && !admit_priced(call))
		return false;
	switch (admit_rest(call)) {
	case ADMIT_COVERED:
		break;
	case ADMIT_PARKED:
		return not_now(call);
	case ADMIT_NO_MONEY:
		return refuse(call, spending_error(call), NULL);
	}
	call->request.audio_ms = wire_form_audio_ms(&call->form,
	    call->form.file_bytes, false);
	return true;
}

static bool
append(struct call *call, const char *p, size_t len)
{
	char line[CALL_CHUNK_LINE_BYTES];

	if (!call->upload_chunked)
		return exchange_append(call->exchange, p, len);
	return exchange_append(call->exchange, line,
	    forward_chunk_line(line, len)) &&
	    exchange_append(call->exchange, p, len) &&
	    exchange_append(call->exchange, "\r\n", 2);
}

static bool
pass_on(struct call *call, const char *p, size_t len, size_t *taken_r)
{
	size_t room = exchange_room(call->exchange);
	bool was_done = call->form.done;

	room -= room < UPLOAD_SPARE_BYTES ? room : UPLOAD_SPARE_BYTES;
	*taken_r = len < room ? len : room;
	if (*taken_r == 0) {
		/* The upstream is slow, not the client. */
		client_enter(call->client, CLIENT_BODY, 0);
		front_suspend(call->client);
		return true;
	}
	if (!read_form(call, p, *taken_r))
		return give_up(call);
	if (call->form.done && !was_done && !is_covered(call))
		return give_up(call);
	if (append(call, p, *taken_r))
		return true;
	(void)refuse(call, WIRE_ERROR_OVERLOADED, NULL);
	return give_up(call);
}

bool
upload_take(struct call *call, const char *p, size_t len, size_t *taken_r)
{
	const struct settings *s = call->worker->settings;

	*taken_r = len;
	if (call->record.request_bytes + len > s->max_body_bytes) {
		call->limit = s->max_body_bytes;
		(void)refuse(call, WIRE_ERROR_BODY_LARGE, NULL);
		return call->uploading ? give_up(call) : false;
	}
	if (!call->uploading) {
		/* Not begun, or answered in the middle of it. */
		call->record.request_bytes += len;
		return call->state != CALL_BODY || look(call, p, len);
	}
	if (call->exchange == NULL || call->upstream_over) {
		call->uploading = false;
		return true;
	}
	if (!pass_on(call, p, len, taken_r))
		return false;
	call->record.request_bytes += *taken_r;
	if (*taken_r > 0)
		client_enter(call->client, CLIENT_BODY, s->body_timeout_ms);
	return true;
}

bool
upload_end(struct call *call)
{
	struct wire_fault fault;

	if (call->state != CALL_BODY && !call->uploading)
		return true;
	if (!wire_form_finish(&call->form, &call->request, &fault)) {
		(void)refuse_fault(call, &fault);
		return call->uploading ? give_up(call) : false;
	}
	if (!call->uploading)
		return start(call);
	call->uploading = false;
	if (call->exchange == NULL)
		return true;
	if (call->upload_chunked &&
	    !exchange_append(call->exchange, "0\r\n\r\n", 5)) {
		(void)refuse(call, WIRE_ERROR_OVERLOADED, NULL);
		return give_up(call);
	}
	exchange_close(call->exchange);
	return true;
}

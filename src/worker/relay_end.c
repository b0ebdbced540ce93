#include "worker/relay_end.h"

#include <assert.h>

#include "base/log.h"
#include "conf/settings.h"
#include "upstream/exchange.h"
#include "worker/answers.h"
#include "worker/attempt.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/moderate.h"
#include "worker/park.h"
#include "worker/portal.h"
#include "worker/receipt.h"
#include "worker/relay.h"
#include "worker/settle.h"
#include "worker/spending.h"
#include "worker/translated.h"

enum wire_error
relay_failure_error(enum upstream_failure failure)
{
	switch (failure) {
	case UPSTREAM_TIMEOUT_CONNECT:
	case UPSTREAM_TIMEOUT_FIRST_BYTE:
	case UPSTREAM_TIMEOUT_IDLE:
	case UPSTREAM_TIMEOUT_TOTAL:
		return WIRE_ERROR_UPSTREAM_TIMEOUT;
	case UPSTREAM_MEMORY:
		return WIRE_ERROR_OVERLOADED;
	case UPSTREAM_NO_ADDRESS:
	case UPSTREAM_CONNECT:
	case UPSTREAM_TLS:
	case UPSTREAM_TLS_VERIFY:
	case UPSTREAM_SEND:
	case UPSTREAM_CLOSED_BEFORE_HEAD:
	case UPSTREAM_BAD_HEAD:
	case UPSTREAM_BAD_FRAMING:
	case UPSTREAM_CUT:
	case UPSTREAM_PROXY:
		break;
	}
	return WIRE_ERROR_UPSTREAM;
}

enum wire_error
relay_status_error(int status)
{
	switch (status) {
	case 400:
	case 404:
	case 409:
	case 413:
	case 422:
		return WIRE_ERROR_NONE;
	case 401:
	case 402:
	case 403:
		/* The operator's key, money or rights, not the customer's. */
		return WIRE_ERROR_UPSTREAM_REFUSED;
	case 408:
	case 504:
		return WIRE_ERROR_UPSTREAM_TIMEOUT;
	case 429:
		return WIRE_ERROR_UPSTREAM_BUSY;
	case 503:
	case 529:
		return WIRE_ERROR_UPSTREAM_FULL;
	}
	return WIRE_ERROR_UPSTREAM;
}

void
relay_fail(struct call *call, enum wire_error error)
{
	if (call->state == CALL_DRAINING) {
		relay_over(call);
		return;
	}
	assert(call->answer == ANSWER_NONE);
	buf_consume(&call->relay, call->relay.len);
	call_refuse(call, error);
	call->status = wire_error_status(error);
	call->state = CALL_ANSWERING;
	settle_free(call);
	call_wake(call);
}

void
relay_over(struct call *call)
{
	call->upstream_over = true;
	if (call->metered)
		wire_meter_finish(&call->meter);
	if (call->upstream_ok)
		settle_usage(call);
	else
		settle_free(call);
	if (call->client == NULL)
		call->state = CALL_OVER;
	call_release(call);
}

bool
relay_only_an_error(struct call *call)
{
	return call->metered && call->meter.error_seen && call->meter.output_bytes_seen == 0 &&
	    (wire_meter_usage(&call->meter)->marks & USAGE_SEEN) == 0;
}

static void
settle_end(struct call *call)
{
	if (!call->upstream_ok || relay_only_an_error(call))
		settle_free(call);
	else
		settle_usage(call);
}

/* In a stream whose bytes are the upstream's. */
static void
append_own(struct call *call, enum wire_error error, bool mid_event)
{
	char event[WIRE_ERROR_BODY_BYTES];
	struct wire_error_info info = { .request_id = call->id };
	size_t len;

	if (call->events)
		len = wire_error_stream_event(call->route->route,
		    call->protocol, error, &info, mid_event, event,
		    sizeof(event));
	else
		len = wire_error_array_end(call->protocol, error, &info,
		    call->meter.elements > 0, event, sizeof(event));
	/* No JSON text can be mended in its middle. */
	if ((mid_event && !call->events) ||
	    !buf_append(&call->relay, event, len))
		call->broken = true;
}

/* A cut must be seen as one: the protocol's own event says it. */
static void
append_event(struct call *call, enum wire_error error, bool mid_event)
{
	receipt_drop(call);
	if (call->translated == NULL)
		append_own(call, error, mid_event);
	else if (!translated_fail(call, error))
		call->broken = true;
	if (!call->settled)
		call->recorded_error = error;
}

/* Clients take a missing message_stop, or a missing response.completed, for
 * success.  OpenAI's others can do without [DONE], and some upstreams do;
 * Gemini's streams have no last word. */
static bool
must_have_end(const struct call *call)
{
	return call->route->route == WIRE_ROUTE_MESSAGES ||
	    call->route->route == WIRE_ROUTE_RESPONSES ||
	    call->route->route == WIRE_ROUTE_RESPONSE ||
	    call->route->route == WIRE_ROUTE_INTERACTIONS;
}

static bool
has_end(struct call *call)
{
	size_t before = call->relay.len;
	bool ends;

	if (call->translated != NULL) {
		ends = translated_end(call);
		receipt_pass(call, before);
		return ends;
	}
	return !must_have_end(call) || call->meter.finished ||
	    call->meter.error_seen;
}

static void
end_stream(struct call *call)
{
	struct span rest;

	if (call->filtered) {
		wire_filter_finish(&call->filter, &rest);
		if (!buf_append(&call->relay, rest.p, rest.len))
			call->broken = true;
	}
	if (!has_end(call)) {
		if (!call->settled)
			call->record.flags |= RECORD_UPSTREAM_CUT;
		attempt_note_failure(call, UPSTREAM_CUT);
		append_event(call, WIRE_ERROR_STREAM_CUT,
		    wire_meter_frame_open(&call->meter));
	}
}

void
relay_end(struct call *call)
{
	call->upstream_over = true;
	if (call->metered)
		wire_meter_finish(&call->meter);
	if (call->streamed)
		end_stream(call);
	settle_end(call);
	receipt_give(call, true);
	if (call->answer == ANSWER_NONE) {
		call->answer = call->streamed ? ANSWER_FLOW : ANSWER_WHOLE;
		call->state = CALL_ANSWERING;
		attempt_commit(call);
	}
	call_wake(call);
}

static bool
is_timeout(enum upstream_failure failure)
{
	return relay_failure_error(failure) == WIRE_ERROR_UPSTREAM_TIMEOUT;
}

void
relay_end_failed(struct call *call, enum upstream_failure failure)
{
	bool mid_event;

	call->upstream_over = true;
	if (call->answer == ANSWER_NONE) {
		relay_fail(call, relay_failure_error(failure));
		return;
	}
	/* Broken off after its own end: nothing is missing. */
	if (call->streamed && call->meter.finished && call->settled &&
	    (call->translated == NULL || has_end(call))) {
		receipt_give(call, true);
		call_wake(call);
		return;
	}
	if (!call->settled)
		call->record.flags |= RECORD_UPSTREAM_CUT;
	if (call->streamed) {
		mid_event = wire_meter_frame_open(&call->meter);
		append_event(call, is_timeout(failure) ?
		    WIRE_ERROR_STREAM_TIMEOUT : WIRE_ERROR_STREAM_CUT,
		    mid_event || call->filtered);
		wire_meter_finish(&call->meter);
	} else {
		/* It ends short of its length, or without the last chunk. */
		call->broken = true;
		if (call->metered)
			wire_meter_finish(&call->meter);
		if (!call->settled && call->recorded_error == WIRE_ERROR_NONE)
			call->recorded_error = relay_failure_error(failure);
	}
	if (call->upstream_ok)
		settle_usage(call);
	else
		settle_free(call);
	call_wake(call);
}

/* The stream is ended by us. */
static void
append_last(struct call *call, enum wire_error error, bool mid_event)
{
	mid_event = receipt_abandon(call, mid_event);
	append_event(call, error, mid_event || call->filtered);
}

void
relay_end_for_money(struct call *call, bool mid_event)
{
	exchange_cancel(&call->exchange);
	attempt_over(call);
	call->upstream_over = true;
	call->record.flags |= RECORD_CUT_SHORT;
	append_last(call, spending_stream_error(call), mid_event);
	settle_usage(call);
	if (call->answer == ANSWER_NONE) {
		call->answer = ANSWER_FLOW;
		call->state = CALL_ANSWERING;
	}
	call_wake(call);
}

void
relay_stop_waiting(struct call *call)
{
	park_done(call);
	call->waits = false;
	call->withheld = 0;
}

/* Ended by us: by a refusal if nothing was delivered, else in the protocol's
 * own way. */
static void
end_ours(struct call *call, enum wire_error whole, enum wire_error in_stream,
    bool mid_event)
{
	exchange_cancel(&call->exchange);
	attempt_over(call);
	call->upstream_over = true;
	if (call->metered)
		wire_meter_finish(&call->meter);
	if (call->answer == ANSWER_NONE) {
		call->broken = false;
		relay_fail(call, whole);
		return;
	}
	if (call->streamed)
		append_last(call, in_stream, mid_event);
	else {
		/* It ends short of its length, or without the last chunk. */
		call->broken = true;
		if (!call->settled)
			call->recorded_error = in_stream;
	}
	settle_usage(call);
	call_wake(call);
}

void
relay_end_blocked(struct call *call, bool mid_event)
{
	end_ours(call, WIRE_ERROR_CONTENT_BLOCKED, WIRE_ERROR_STREAM_BLOCKED,
	    mid_event);
}

void
relay_end_suspended(struct call *call)
{
	bool waits = call->waits;

	if (moderate_waits(call)) {
		moderate_forget(call);
		if (call->answer == ANSWER_NONE)
			relay_fail(call, WIRE_ERROR_ACCOUNT_CLOSED);
		else	/* something was said to the client meanwhile */
			settle_free(call);
		return;
	}
	if (call->parked && call->exchange == NULL && !waits) {
		park_done(call);
		call_refuse(call, WIRE_ERROR_ACCOUNT_CLOSED);
		call->state = CALL_ANSWERING;
		call_wake(call);
		return;
	}
	if (call->exchange == NULL && !waits)
		return;
	/* What has no money yet isn't delivered. */
	call->relay.len -= call->withheld;
	relay_stop_waiting(call);
	if (call->state == CALL_DRAINING) {
		exchange_cancel(&call->exchange);
		attempt_over(call);
		relay_over(call);
		return;
	}
	if (call->answer == ANSWER_ERROR)
		return;
	end_ours(call, WIRE_ERROR_ACCOUNT_CLOSED, WIRE_ERROR_STREAM_SUSPENDED,
	    call->metered && wire_meter_frame_open(&call->meter));
}

void
relay_end_broken(struct call *call)
{
	relay_stop_waiting(call);
	exchange_cancel(&call->exchange);
	attempt_over(call);
	call->upstream_over = true;
	if (call->answer == ANSWER_NONE) {
		call->broken = false;
		relay_fail(call, WIRE_ERROR_OVERLOADED);
		return;
	}
	call->recorded_error = WIRE_ERROR_OVERLOADED;
	settle_usage(call);
	call_wake(call);
}

void
relay_end_untranslated(struct call *call)
{
	log_info("an upstream's answer is not of its protocol "
	    "channel_id=%llu", (unsigned long long)call->record.channel_id);
	relay_stop_waiting(call);
	attempt_note_failure(call, UPSTREAM_BAD_HEAD);
	if (attempt_again(call))
		return;
	exchange_cancel(&call->exchange);
	attempt_over(call);
	call->upstream_over = true;
	if (call->answer == ANSWER_NONE) {
		relay_fail(call, WIRE_ERROR_UPSTREAM);
		return;
	}
	if (!call->settled)
		call->record.flags |= RECORD_UPSTREAM_CUT;
	append_event(call, WIRE_ERROR_STREAM_CUT, false);
	settle_usage(call);
	call_wake(call);
}

/* Nothing has left to be charged for. */
static void
leave_moderation(struct call *call, enum wire_error error)
{
	moderate_forget(call);
	if (error == WIRE_ERROR_CLIENT_GONE)
		call->record.flags |= RECORD_CLIENT_GONE;
	call->recorded_error = error;
	call->status = wire_error_status(error);
	settle_free(call);
	call->state = CALL_OVER;
}

/* Nobody reads any more.  The upstream works on, and bills the operator. */
static void
leave(struct call *call)
{
	bool began = exchange_began_sending(call->exchange);

	exchange_cancel(&call->exchange);
	attempt_over(call);
	call->upstream_over = true;
	if (call->metered)
		wire_meter_finish(&call->meter);
	/* Nobody works on half a form. */
	if (began && !call->uploading &&
	    (call->record.upstream_status == 0 || call->upstream_ok))
		settle_usage(call);
	else
		settle_free(call);
}

void
relay_client_gone(struct call *call)
{
	bool drain = (call->worker->settings->on_client_abort ==
	    CLIENT_ABORT_DRAIN || answers_unpaid(call)) &&
	    !call->worker->aborting;

	if (call->portal != NULL) {
		portal_leave(call);
		return;
	}
	if (moderate_waits(call)) {
		leave_moderation(call, WIRE_ERROR_CLIENT_GONE);
		call_wake(call);
		return;
	}
	if (call->waits) {
		relay_stop_waiting(call);
		/* Its upstream has said all: nothing else would end it. */
		if (call->waits_ended) {
			call->record.flags |= RECORD_CLIENT_GONE;
			call->recorded_error = WIRE_ERROR_CLIENT_GONE;
			call->upstream_over = true;
			settle_end(call);
			return;
		}
	}
	if (call->exchange == NULL || call->answer == ANSWER_ERROR ||
	    call->state == CALL_DRAINING)
		return;
	if (!call->settled) {
		call->record.flags |= RECORD_CLIENT_GONE;
		call->recorded_error = WIRE_ERROR_CLIENT_GONE;
		if (call->status == 0)
			call->status = wire_error_status(
			    WIRE_ERROR_CLIENT_GONE);
	}
	/* A settled call's upstream has said all; its connection is kept. */
	if ((drain && !call->uploading) || call->settled) {
		call->state = CALL_DRAINING;
		if (call->paused) {
			call->paused = false;
			exchange_resume(call->exchange);
		}
	} else {
		leave(call);
		call->state = CALL_OVER;
	}
	call_wake(call);
}

void
relay_abort(struct call *call)
{
	if (moderate_waits(call)) {
		leave_moderation(call, WIRE_ERROR_STARTING);
		call_release(call);
		return;
	}
	if (call->exchange == NULL)
		return;
	if (call->portal != NULL) {
		portal_leave(call);
		call_release(call);
		return;
	}
	relay_stop_waiting(call);
	if (call->delivered_bytes > 0 || call->told_billable) {
		if (!call->settled)
			call->record.flags |= RECORD_UPSTREAM_CUT;
		leave(call);
	} else {
		exchange_cancel(&call->exchange);
		attempt_over(call);
		call->upstream_over = true;
		if (!call->settled) {
			call->recorded_error = WIRE_ERROR_STARTING;
			call->status = wire_error_status(WIRE_ERROR_STARTING);
		}
		settle_free(call);
	}
	call->state = CALL_OVER;
	call_release(call);
}

/*
 * attempt_note.c: what an attempt's end, or its beginning, says about its
 * channel and its credential.
 */
#include "worker/attempt.h"

#include "base/log.h"
#include "conf/settings.h"
#include "http/date.h"
#include "http/response_head.h"
#include "upstream/exchange.h"
#include "worker/call.h"
#include "worker/context.h"

/* What a 429 without a Retry-After asks for. */
#define REST_USUAL_MS 1000

static struct channel_policy
policy_of(const struct settings *s)
{
	return (struct channel_policy){ s->breaker_failures,
		s->breaker_percent, s->breaker_open_ms,
		s->credential_retry_ms };
}

int64_t
attempt_rest_ms(int status, const struct response_head *head,
    struct wall_time now, int64_t max_ms)
{
	const char *date = response_head_get(head, RESPONSE_RETRY_AFTER);
	int64_t ms = head->retry_after_ms, until_s;

	if (status != 429 && status != 503 && status != 529)
		return 0;
	if (ms < 0 && date != NULL && http_date_parse(date, &until_s)) {
		ms = until_s * 1000 - now.us / 1000;
		if (ms < 0)
			ms = 0;
	}
	if (ms < 0)
		ms = status == 429 ? REST_USUAL_MS : 0;
	return ms < max_ms ? ms : max_ms;
}

static void
channel_is_well(struct call *call, int64_t first_byte_ms)
{
	struct attempt *a = &call->attempt;

	channel_answered(call->worker->shm, a->key.slot, a->probe,
	    call_now(call).ns / NS_PER_MS, first_byte_ms);
	a->probe = 0;
}

static void
channel_is_ill(struct call *call, enum channel_fault fault, int status)
{
	struct channel_policy policy = policy_of(call->worker->settings);
	struct attempt *a = &call->attempt;

	if (channel_failed(call->worker->shm, a->key.slot, a->probe,
	    call_now(call).ns / NS_PER_MS, &policy, fault, status))
		log_warning("a channel is taken out channel_id=%llu fault=%s "
		    "status=%d for_ms=%lld",
		    (unsigned long long)call->record.channel_id,
		    channel_fault_name(fault), status,
		    (long long)(channel_until_ms(call->worker->shm,
		    a->key.slot) - call_now(call).ns / NS_PER_MS));
	a->probe = 0;
	a->noted = true;
	a->may_go_on = true;
	a->whole_channel = true;
}

static void
credential_is_refused(struct call *call, int status)
{
	struct channel_policy policy = policy_of(call->worker->settings);
	struct attempt *a = &call->attempt;

	channel_is_well(call, -1);
	if (channel_credential_refused(call->worker->shm, &a->key,
	    a->credential_probe, call_now(call).ns / NS_PER_MS, &policy, status))
		log_error("an upstream refuses a credential channel_id=%llu "
		    "credential_id=%llu status=%d hint=check it and its "
		    "balance there, then youyunctl channel credential set",
		    (unsigned long long)call->record.channel_id,
		    (unsigned long long)call->record.credential_id, status);
	a->credential_probe = 0;
	a->noted = true;
	a->may_go_on = true;
	a->whole_channel = false;
}

static void
credential_rests(struct call *call, int status,
    const struct response_head *head)
{
	int64_t ms = attempt_rest_ms(status, head, clock_wall(),
	    call->worker->settings->retry_after_max_ms);

	if (ms > 0)
		channel_credential_rest(call->worker->shm, &call->attempt.key,
		    call_now(call).ns / NS_PER_MS + ms, status);
}

void
attempt_note_status(struct call *call, int status,
    const struct response_head *head)
{
	struct attempt *a = &call->attempt;

	if (status >= 200 && status <= 299)
		return;
	credential_rests(call, status, head);
	if (status == 401 || status == 402 || status == 403) {
		credential_is_refused(call, status);
		return;
	}
	channel_credential_used(call->worker->shm, &a->key,
	    a->credential_probe);
	a->credential_probe = 0;
	if (status == 408 || status >= 500) {
		channel_is_ill(call, CHANNEL_FAULT_STATUS, status);
		return;
	}
	channel_is_well(call, -1);
	a->noted = true;
	a->may_go_on = status == 429;
}

static enum channel_fault
fault_of(enum upstream_failure failure)
{
	switch (failure) {
	case UPSTREAM_NO_ADDRESS:
		return CHANNEL_FAULT_ADDRESS;
	case UPSTREAM_CONNECT:
	case UPSTREAM_TIMEOUT_CONNECT:
		return CHANNEL_FAULT_CONNECT;
	case UPSTREAM_TLS:
	case UPSTREAM_TLS_VERIFY:
		return CHANNEL_FAULT_TLS;
	case UPSTREAM_PROXY:
		return CHANNEL_FAULT_PROXY;
	case UPSTREAM_TIMEOUT_FIRST_BYTE:
	case UPSTREAM_TIMEOUT_IDLE:
		return CHANNEL_FAULT_SILENT;
	case UPSTREAM_SEND:
	case UPSTREAM_CLOSED_BEFORE_HEAD:
	case UPSTREAM_CUT:
		return CHANNEL_FAULT_CUT;
	case UPSTREAM_BAD_HEAD:
	case UPSTREAM_BAD_FRAMING:
		return CHANNEL_FAULT_BAD_ANSWER;
	case UPSTREAM_TIMEOUT_TOTAL:
	case UPSTREAM_MEMORY:
		break;
	}
	/* Our own limits say nothing about the channel. */
	return CHANNEL_FAULT_NONE;
}

void
attempt_note_failure(struct call *call, enum upstream_failure failure)
{
	enum channel_fault fault = fault_of(failure);

	/* What its head said has been reported. */
	if (fault != CHANNEL_FAULT_NONE && !call->attempt.noted)
		channel_is_ill(call, fault, 0);
}

void
attempt_answered(struct call *call)
{
	struct attempt *a = &call->attempt;

	if (a->answered)
		return;
	a->answered = true;
	channel_is_well(call, mono_diff_ms(call_now(call), a->began));
	channel_credential_used(call->worker->shm, &a->key,
	    a->credential_probe);
	a->credential_probe = 0;
}

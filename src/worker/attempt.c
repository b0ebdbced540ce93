#include "worker/attempt.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/log.h"
#include "base/loop.h"
#include "conf/settings.h"
#include "http/date.h"
#include "http/response_head.h"
#include "upstream/exchange.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/forward.h"
#include "worker/limits.h"
#include "worker/relay.h"
#include "worker/relay_end.h"
#include "worker/receipt.h"
#include "worker/settle.h"
#include "worker/spending.h"
#include "worker/translated.h"

#define RETRY_LATER_S 5
#define RETRY_COST 100

static int64_t
now_ms(const struct call *call)
{
	return call_now(call).ns / NS_PER_MS;
}

/* Longer than a probe that goes well takes; one that is lost costs that. */
static uint32_t
probe_ms(const struct settings *s)
{
	return 2 * s->breaker_open_ms;
}

void
retry_allow(int64_t *allowance, uint32_t percent)
{
	*allowance += percent;
	if (*allowance > RETRY_BURST * RETRY_COST)
		*allowance = RETRY_BURST * RETRY_COST;
}

bool
retry_take(int64_t *allowance)
{
	if (*allowance < RETRY_COST)
		return false;
	*allowance -= RETRY_COST;
	return true;
}

int64_t
retry_start(uint32_t percent)
{
	return percent > 0 ? RETRY_BURST * RETRY_COST : 0;
}

/*
 * What keeps a conversation at one credential, whose provider may have the
 * beginning of it in its cache: what the client calls a session, else the
 * beginning itself, if it is long enough to be cached.  Keyed, so that nobody
 * can aim at a credential; kept no longer than the call.
 */
static uint64_t
affinity_of(const struct call *call)
{
	const struct wire_request *req = &call->request;
	const char *body = call->body.len > 0 ? buf_head(&call->body) : "";
	uint64_t seed = call->worker->affinity_seed ^ call->record.account_id;
	size_t most = call->worker->settings->affinity_bytes;
	struct span what = call->head.session_id;

	if (what.p == NULL || what.len == 0)
		what = (struct span){ body + req->session.start,
			req->session.end - req->session.start };
	if (what.len == 0 && most > 0 &&
	    req->prompt.end - req->prompt.start >= most)
		what = (struct span){ body + req->prompt.start, most };
	if (what.len == 0)
		return 0;
	return XXH3_64bits_withSeed(what.p, what.len, seed) | 1;
}

static enum choice_result
choose_now(struct call *call, const struct catalogue_model *model,
    struct choice *choice_r)
{
	struct choice_ask ask = {
		.view = call->worker->view,
		.shm = call->worker->shm,
		.model = model,
		.protocol = call->protocol,
		.route = call->route->route,
		.group_id = call->group_id,
		.policies = &call->policies,
		/* Only who made an answer knows it. */
		.channel_id = call->is_stored ? call->stored.channel_id : 0,
		.affinity = call->attempt.affinity,
		.now = call_now(call),
		.wall_us = call->record.started_us,
		.tried = &call->attempt.tried,
	};

	/* The last bytes of the id are as random as anything; the number of
	 * the attempt makes another draw of it. */
	memcpy(&ask.random, call->record.request_id + RECORD_ID_BYTES -
	    sizeof(ask.random), sizeof(ask.random));
	ask.random += call->record.attempts * UINT64_C(0x9e3779b97f4a7c15);
	return choose(&ask, choice_r);
}

static uint32_t
seconds(int64_t wait_ms)
{
	return wait_ms <= 0 ? RETRY_LATER_S :
	    (uint32_t)((wait_ms + 999) / 1000);
}

static enum wire_error
no_choice(struct call *call, enum choice_result result, int64_t wait_ms)
{
	call->retry_after_s = seconds(wait_ms);
	switch (result) {
	case CHOICE_NO_ROUTE:
		call->retry_after_s = 0;
		return WIRE_ERROR_NO_MODEL;
	case CHOICE_NO_REGION:
		call->retry_after_s = 0;
		return WIRE_ERROR_REGION_DENIED;
	case CHOICE_BUSY:
		return WIRE_ERROR_UPSTREAM_BUSY;
	case CHOICE_REFUSED:
		return WIRE_ERROR_UPSTREAM_REFUSED;
	case CHOICE_NO_CHANNEL:
	case CHOICE_MADE:
		break;
	}
	return WIRE_ERROR_NO_CHANNEL;
}

bool
attempt_choose(struct call *call, const struct catalogue_model *model,
    struct choice *choice_r)
{
	enum choice_result result;

	call->attempt.affinity = affinity_of(call);
	result = choose_now(call, model, choice_r);
	if (result == CHOICE_MADE)
		return true;
	call_refuse_about(call, no_choice(call, result, choice_r->wait_ms),
	    call->request.model);
	return false;
}

/* Takes part in what was chosen; false: it has just filled up or gone out, and
 * counts as tried, with all its credentials if it isn't this one's fault. */
static bool
take_part(struct call *call, const struct view_channel *channel,
    const struct view_credential *credential, bool charged)
{
	const struct catalogue_channel *ch = channel->channel;
	const struct channel_credential_key *key = &credential->key;
	const struct settings *s = call->worker->settings;
	struct attempt *a = &call->attempt;
	struct shm *shm = call->worker->shm;

	a->key = *key;
	a->probe = a->credential_probe = 0;
	a->whole_channel = true;
	if (channel_enter(shm, key->slot, now_ms(call), probe_ms(s),
	    &a->probe) == BREAKER_OUT)
		return false;
	if (channel_credential_enter(shm, key, now_ms(call), probe_ms(s),
	    &a->credential_probe) == BREAKER_OUT) {
		channel_given_up(shm, key->slot, a->probe, now_ms(call));
		a->whole_channel = false;
		return false;
	}
	spending_leave_channel(call);
	/* What the first two took the next attempt, or the end, gives back. */
	if ((charged && (!limits_channel(call, key->slot) ||
	    !spending_channel(call, key->slot))) ||
	    channel_take(shm, call->worker->seat, key->slot,
	    channel_share(shm, ch->max_concurrent),
	    channel_share(shm, ch->max_per_minute), call_now(call)) !=
	    CHANNEL_TAKEN) {
		channel_given_up(shm, key->slot, a->probe, now_ms(call));
		channel_credential_given_up(shm, key, a->credential_probe,
		    now_ms(call));
		return false;
	}
	a->whole_channel = false;
	a->open = true;
	return true;
}

/* What the former attempt left in the call. */
static void
clean(struct call *call)
{
	struct attempt *a = &call->attempt;

	if (call->metered)
		bytes_scrub(&call->meter, sizeof(call->meter));
	if (call->filtered)
		bytes_scrub(&call->filter, sizeof(call->filter));
	receipt_forget(call);
	translated_forget(call);
	buf_consume(&call->relay, call->relay.len);
	buf_consume(&call->upstream_head, call->upstream_head.len);
	call->metered = call->filtered = call->streamed = false;
	call->events = call->noted = false;
	call->upstream_ok = call->upstream_over = call->paused = false;
	call->has_length = call->broken = false;
	call->length = 0;
	call->status = 0;
	call->retry_after_s = 0;
	call->recorded_error = WIRE_ERROR_NONE;
	call->progress_tokens = 0;
	call->progress_marks = 0;
	call->progress_input = 0;
	call->record.answer_bytes = 0;
	call->record.first_byte_ms = 0;
	call->record.upstream_status = 0;
	a->sent = a->answered = a->noted = false;
	a->may_go_on = a->whole_channel = false;
}

static enum wire_error
begin(struct call *call, const struct catalogue_model *model,
    const struct choice *choice)
{
	struct attempt *a = &call->attempt;

	a->began = call_now(call);
	/* Of a body that is still coming, what is sent is gone. */
	a->others = choice->others && !call->uploading &&
	    call->record.attempts + 1U <
	    call->worker->settings->max_attempts;
	call->record.attempts++;
	call->record.channel_id = choice->channel->channel->channel_id;
	call->record.credential_id = choice->credential->credential_id;
	return forward_call(call, model, choice, &relay_handlers);
}

void
attempt_may_wait(struct call *call, int64_t ms)
{
	struct attempt *a = &call->attempt;

	if (ms > 0 && (a->wait_ms == 0 || ms < a->wait_ms))
		a->wait_ms = ms;
}

static bool
add_tried(struct attempt *a)
{
	return tried_add(&a->tried, a->key.slot, a->whole_channel ?
	    TRIED_WHOLE_CHANNEL : a->key.credential);
}

/* Chooses until it could take part. */
static enum wire_error
start(struct call *call, const struct catalogue_model *model,
    const struct choice *first)
{
	struct attempt *a = &call->attempt;
	enum choice_result result = CHOICE_MADE;
	enum wire_error error = WIRE_ERROR_NONE;
	struct choice choice;

	a->wait_ms = 0;
	memset(&choice, 0, sizeof(choice));
	if (first != NULL)
		choice = *first;
	else
		result = choose_now(call, model, &choice);
	while (result == CHOICE_MADE) {
		if (take_part(call, choice.channel, choice.credential,
		    true)) {
			error = begin(call, model, &choice);
			if (error != WIRE_ERROR_NOT_TRANSLATED)
				return error;
			/* Another protocol may have a word for it. */
			attempt_over(call);
			call->record.attempts--;
			a->whole_channel = true;
		}
		if (!add_tried(a))
			break;
		result = choose_now(call, model, &choice);
	}
	if (error != WIRE_ERROR_NONE)
		return error;
	/* What was given up a moment ago may be all there is. */
	if (result == CHOICE_MADE || a->tried.n > 0)
		result = CHOICE_BUSY;
	attempt_may_wait(call, choice.wait_ms);
	return no_choice(call, result, a->wait_ms);
}

bool
attempt_besides(struct call *call, const struct view_channel *channel,
    const struct view_credential **credential_r)
{
	uint32_t n = channel->credentials;
	uint32_t any = call->record.request_id[RECORD_ID_BYTES - 1];
	int64_t until_ms;
	bool refused;

	for (uint32_t i = 0; i < n; i++) {
		const struct view_credential *c =
		    &channel->credential[(any + i) % n];

		if (!channel_credential_passes(call->worker->shm, &c->key,
		    now_ms(call), &until_ms, &refused) ||
		    !take_part(call, channel, c, false))
			continue;
		call->attempt.began = call_now(call);
		call->record.channel_id = channel->channel->channel_id;
		call->record.credential_id = c->credential_id;
		*credential_r = c;
		return true;
	}
	return false;
}

void
attempt_besides_over(struct call *call)
{
	uint64_t affinity = call->attempt.affinity;

	attempt_over(call);
	memset(&call->attempt, 0, sizeof(call->attempt));
	call->attempt.affinity = affinity;
	call->record.channel_id = call->record.credential_id = 0;
}

/* Is it a refusal that has been written?  Then that is the answer. */
static bool
is_refused(struct call *call, enum wire_error error)
{
	if (error != WIRE_ERROR_NOT_TRANSLATED)
		return false;
	translated_refuse(call);
	settle_free(call);
	return true;
}

bool
attempt_first(struct call *call, const struct catalogue_model *model,
    const struct choice *choice)
{
	struct worker *worker = call->worker;
	enum wire_error error;

	retry_allow(&worker->retry_allowance,
	    worker->settings->retry_percent);
	error = start(call, model, choice);
	if (error == WIRE_ERROR_NONE)
		return true;
	attempt_over(call);
	if (is_refused(call, error))
		return false;
	call_refuse_about(call, error, call->request.model);
	call->status = wire_error_status(error);
	settle_free(call);
	return false;
}

void
attempt_sent(struct call *call)
{
	call->attempt.sent = true;
	if (!call->attempt.others)
		call_forget_request(call);
}

void
attempt_commit(struct call *call)
{
	call->attempt.others = false;
	/* Before that the exchange still needs it. */
	if (call->attempt.sent)
		call_forget_request(call);
}

static bool
may_go_on(const struct call *call)
{
	/* One that waits for money has something to give to the client. */
	return call->attempt.may_go_on && call->state == CALL_WAITING &&
	    call->answer == ANSWER_NONE && !call->settled && !call->waits &&
	    call->client != NULL && !call->client->gone &&
	    !call->worker->aborting && call->record.attempts <
	    call->worker->settings->max_attempts;
}

bool
attempt_again(struct call *call)
{
	const struct wire_request *req = &call->request;
	struct attempt *a = &call->attempt;
	const struct catalogue_model *model;
	struct choice choice;
	enum wire_error error;

	if (!may_go_on(call) || !a->others || !add_tried(a))
		return false;
	model = view_model(call->worker->view, req->model, req->model_len);
	if (model == NULL || choose_now(call, model, &choice) != CHOICE_MADE ||
	    !retry_take(&call->worker->retry_allowance))
		return false;
	exchange_cancel(&call->exchange);
	attempt_over(call);
	clean(call);
	error = start(call, model, &choice);
	if (error != WIRE_ERROR_NONE) {
		attempt_over(call);
		if (is_refused(call, error))
			call_wake(call);
		else
			relay_fail(call, error);
	}
	return true;
}

void
attempt_over(struct call *call)
{
	struct attempt *a = &call->attempt;
	struct shm *shm = call->worker->shm;

	if (!a->open)
		return;
	a->open = false;
	channel_leave(shm, call->worker->seat, a->key.slot);
	/* A probe that came to nothing, such as by the client's leaving. */
	channel_given_up(shm, a->key.slot, a->probe, now_ms(call));
	channel_credential_given_up(shm, &a->key, a->credential_probe,
	    now_ms(call));
	a->probe = a->credential_probe = 0;
}

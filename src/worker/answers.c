#include "worker/answers.h"

#include <string.h>

#include "base/secret.h"
#include "worker/call.h"
#include "worker/context.h"

static void
digest_of(struct call *call, struct span id)
{
	uint8_t digest[KEY_DIGEST_BYTES];

	key_hasher_digest(call->worker->hasher, id.p, id.len, digest);
	memcpy(call->stored_digest, digest, sizeof(call->stored_digest));
}

bool
answers_find(struct call *call, struct span id)
{
	if (id.len == 0 || id.len >= WIRE_ANSWER_ID_BYTES)
		return false;
	digest_of(call, id);
	call->is_stored = answer_find(call->worker->shm, call->stored_digest,
	    &call->stored) &&
	    call->stored.account_id == call->record.account_id;
	return call->is_stored;
}

static bool
may_bill(const struct call *call)
{
	return call->route->route == WIRE_ROUTE_RESPONSE ||
	    call->route->route == WIRE_ROUTE_RESPONSE_CANCEL;
}

bool
answers_open(const struct call *call)
{
	return call->is_stored && call->stored.open && may_bill(call);
}

static bool
makes_answer(const struct call *call)
{
	/* Who is asked in another protocol keeps nothing. */
	return call->translated == NULL &&
	    (call->route->route == WIRE_ROUTE_RESPONSES ||
	    call->route->route == WIRE_ROUTE_INTERACTIONS);
}

bool
answers_unpaid(const struct call *call)
{
	return !call->settled && call->streamed &&
	    (answers_open(call) || (call->noted && call->request.background));
}

static uint32_t
cut(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static bool
put(struct call *call, uint64_t context_tokens, bool open)
{
	struct answer_view view = {
		.account_id = call->record.account_id,
		.channel_id = call->record.channel_id,
		.model_id = call->record.model_id,
		.made_us = call->record.started_us,
		.context_tokens = cut(context_tokens),
		.held_tokens = cut(call->ceiling_tokens),
		.open = open,
	};

	return answer_put(call->worker->shm, call->noted_digest, &view);
}

void
answers_note(struct call *call)
{
	struct span id = { call->meter.id, 0 };
	uint8_t digest[KEY_DIGEST_BYTES];

	if (call->noted || id.p[0] == '\0' || !makes_answer(call))
		return;
	id.len = strlen(id.p);
	key_hasher_digest(call->worker->hasher, id.p, id.len, digest);
	memcpy(call->noted_digest, digest, sizeof(call->noted_digest));
	/* One that can't be remembered is paid for now, by an estimate. */
	call->noted = put(call, call->input_tokens, call->request.background);
}

/* Nothing more will be made of it. */
static bool
is_over(const struct call *call)
{
	return call->metered && call->meter.has_status && !call->meter.pending;
}

static bool
states_usage(struct call *call)
{
	return (wire_meter_usage(&call->meter)->marks & USAGE_SEEN) != 0;
}

/* One that was made at once is paid for like any other; one that is made in
 * the background is paid for now only if it is complete already. */
static bool
charge_made(struct call *call)
{
	const struct usage *usage;

	if (!call->noted)
		return true;
	if (call->request.background && (!is_over(call) ||
	    !answer_bill(call->worker->shm, call->noted_digest)))
		return false;
	if (!states_usage(call))
		return !call->request.background;
	usage = wire_meter_usage(&call->meter);
	(void)!put(call, usage->count[USAGE_INPUT] +
	    usage->count[USAGE_CACHE_READ] +
	    usage->count[USAGE_CACHE_WRITE_5M] +
	    usage->count[USAGE_CACHE_WRITE_1H] + usage->count[USAGE_OUTPUT],
	    false);
	return true;
}

bool
answers_charge(struct call *call)
{
	if (!call->route->free)
		return !call->metered || charge_made(call);
	/* One that failed or was cancelled is over without a usage. */
	return answers_open(call) && is_over(call) &&
	    answer_bill(call->worker->shm, call->stored_digest) &&
	    states_usage(call);
}

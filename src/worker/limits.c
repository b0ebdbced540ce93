#include "worker/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "base/loop.h"
#include "conf/settings.h"
#include "shm/seat.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/settle.h"

#define NS_PER_S INT64_C(1000000000)
#define HEADER_BYTES 48

static bool
has_limits(const struct limit_rates *rates)
{
	return (rates->requests | rates->concurrent | rates->tokens) != 0;
}

/* As a rule there are none, and this is all that limits cost. */
static void
find(struct call *call)
{
	const struct settings *s = call->worker->settings;
	struct call_limits *l = &call->limits;
	struct shm *shm = call->worker->shm;
	struct budget_time when;
	struct limit_rates address = {
		.requests = s->address_requests_per_minute,
		.tokens = s->address_tokens_per_minute,
		.concurrent = s->address_concurrent,
	};

	l->slot[LIMIT_KEY] = call->key_slot;
	l->slot[LIMIT_ACCOUNT] = call->account;
	l->slot[LIMIT_GROUP] = limit_group(shm, call->group_id);
	l->slot[LIMIT_ADDRESS] = l->slot[LIMIT_CHANNEL] = LIMIT_NONE;
	if (has_limits(&address) || s->address_spending_per_day_nano != 0) {
		when = budget_time(call->record.started_us);
		l->slot[LIMIT_ADDRESS] = limit_address(shm,
		    call->client->address, &when, call_now(call));
	}
	l->known = 0;
	for (int i = 0; i < LIMIT_LEVELS; i++) {
		l->rates[i] = i == LIMIT_ADDRESS ? address : limit_read(shm,
		    (enum limit_level)i, l->slot[i]);
		if (l->slot[i] != LIMIT_NONE && has_limits(&l->rates[i]))
			l->known |= (uint8_t)(1u << i);
	}
}

static bool
refuse_as(struct call *call, const struct limit_verdict *verdict,
    enum wire_error error)
{
	int64_t s = (verdict->wait_ns + NS_PER_S - 1) / NS_PER_S;

	/* Whoever waits that long gets through, if nobody else came first. */
	call->retry_after_s = s < 1 ? 1 : (uint32_t)s;
	call->limit = verdict->limit;
	call_refuse(call, error);
	return false;
}

static bool
refuse(struct call *call, const struct limit_verdict *verdict)
{
	static const enum wire_error errors[] = {
		[LIMIT_PASSED] = WIRE_ERROR_NONE,
		[LIMIT_REQUESTS] = WIRE_ERROR_RATE_REQUESTS,
		[LIMIT_TOKENS] = WIRE_ERROR_RATE_TOKENS,
		[LIMIT_CONCURRENT] = WIRE_ERROR_RATE_CONCURRENT,
	};

	return refuse_as(call, verdict, errors[verdict->kind]);
}

bool
limits_glance(struct call *call)
{
	struct limit_verdict verdict;

	find(call);
	for (int i = 0; call->limits.known >> i != 0; i++) {
		if ((call->limits.known >> i & 1) == 0)
			continue;
		verdict = limit_glance(call->worker->shm, (enum limit_level)i,
		    call->limits.slot[i], &call->limits.rates[i],
		    call_now(call));
		if (verdict.kind != LIMIT_PASSED)
			return refuse(call, &verdict);
	}
	return true;
}

bool
limits_fail(struct call *call)
{
	uint32_t most = call->worker->settings->address_failures_per_minute;
	struct budget_time when;
	struct limit_verdict verdict;

	if (most == 0)
		return true;
	when = budget_time(call->record.started_us);
	verdict = limit_fail(call->worker->shm, limit_address(
	    call->worker->shm, call->client->address, &when, call_now(call)),
	    most, call_now(call));
	return verdict.kind == LIMIT_PASSED ||
	    refuse_as(call, &verdict, WIRE_ERROR_RATE_KEYS);
}

static uint64_t
id_of(const struct call *call, enum limit_level level)
{
	switch (level) {
	case LIMIT_KEY:
		return call->record.key_id;
	case LIMIT_ACCOUNT:
		return call->record.account_id;
	case LIMIT_GROUP:
		return call->record.group_id;
	case LIMIT_ADDRESS:
	case LIMIT_CHANNEL:
		break;
	}
	return 0;
}

static void
leave(struct call *call)
{
	struct call_limits *l = &call->limits;

	for (int i = 0; l->entered >> i != 0; i++)
		if ((l->entered >> i & 1) != 0)
			limit_leave(call->worker->shm, (enum limit_level)i,
			    l->slot[i]);
	l->entered = 0;
}

static void
give_back(struct call *call)
{
	struct call_limits *l = &call->limits;

	for (int i = 0; l->taken >> i != 0; i++)
		if ((l->taken >> i & 1) != 0)
			limit_give_back(call->worker->shm,
			    (enum limit_level)i, l->slot[i], &l->rates[i],
			    l->tokens);
	l->taken = 0;
}

static struct limit_verdict
take_level(struct call *call, int i)
{
	struct limit_verdict verdict = { LIMIT_CONCURRENT,
		call->limits.rates[i].concurrent, NS_PER_S };
	struct call_limits *l = &call->limits;
	uint8_t bit = (uint8_t)(1u << i);

	if (!limit_enter(call->worker->shm, (enum limit_level)i, l->slot[i],
	    &l->rates[i], id_of(call, (enum limit_level)i),
	    call->record.address, call_now(call)))
		return verdict;
	l->entered |= bit;
	verdict = limit_take(call->worker->shm, (enum limit_level)i,
	    l->slot[i], &l->rates[i], l->tokens, call_now(call));
	if (verdict.kind == LIMIT_PASSED)
		l->taken |= bit;
	return verdict;
}

bool
limits_take(struct call *call, uint64_t tokens)
{
	struct limit_verdict verdict;

	call->limits.tokens = tokens;
	for (int i = 0; call->limits.known >> i != 0; i++) {
		if ((call->limits.known >> i & 1) == 0)
			continue;
		verdict = take_level(call, i);
		if (verdict.kind == LIMIT_PASSED)
			continue;
		give_back(call);
		leave(call);
		(void)refuse(call, &verdict);
		seat_add(call->worker->shm, call->worker->seat, SEAT_REFUSED,
		    1);
		settle_free(call);
		return false;
	}
	return true;
}

bool
limits_channel(struct call *call, uint32_t slot)
{
	const uint8_t bit = 1u << LIMIT_CHANNEL;
	struct call_limits *l = &call->limits;
	struct shm *shm = call->worker->shm;
	struct limit_verdict verdict;

	if ((l->taken & bit) != 0) {
		limit_give_back(shm, LIMIT_CHANNEL, l->slot[LIMIT_CHANNEL],
		    &l->rates[LIMIT_CHANNEL], l->tokens);
		l->taken &= (uint8_t)~bit;
	}
	l->rates[LIMIT_CHANNEL] = limit_read(shm, LIMIT_CHANNEL, slot);
	if (call->hold == HOLD_NONE || !has_limits(&l->rates[LIMIT_CHANNEL]))
		return true;
	verdict = limit_take(shm, LIMIT_CHANNEL, slot,
	    &l->rates[LIMIT_CHANNEL], l->tokens, call_now(call));
	if (verdict.kind != LIMIT_PASSED) {
		attempt_may_wait(call, (verdict.wait_ns + NS_PER_MS - 1) /
		    NS_PER_MS);
		return false;
	}
	l->slot[LIMIT_CHANNEL] = slot;
	l->taken |= bit;
	return true;
}

void
limits_end(struct call *call, uint64_t tokens)
{
	struct call_limits *l = &call->limits;

	if ((l->entered | l->taken) == 0)
		return;
	for (int i = 0; l->taken >> i != 0; i++)
		if ((l->taken >> i & 1) != 0)
			limit_correct(call->worker->shm, (enum limit_level)i,
			    l->slot[i], &l->rates[i], l->tokens, tokens,
			    call_now(call));
	l->taken = 0;
	leave(call);
}

void
limits_format_duration(int64_t ns, char text_r[LIMITS_DURATION_BYTES])
{
	int64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS, s = ms / 1000;

	if (ms < 1000)
		snprintf(text_r, LIMITS_DURATION_BYTES, "%" PRId64 "ms", ms);
	else if (s < 60)
		snprintf(text_r, LIMITS_DURATION_BYTES, "%" PRId64 ".%03"
		    PRId64 "s", s, ms % 1000);
	else
		snprintf(text_r, LIMITS_DURATION_BYTES, "%" PRId64 "m%" PRId64
		    "s", s / 60, s % 60);
}

/* The one that has least left of all that concern the call. */
static void
tightest(const struct call *call, struct limit_state *requests_r,
    struct limit_state *tokens_r)
{
	const struct call_limits *l = &call->limits;
	struct limit_state requests, tokens;

	memset(requests_r, 0, sizeof(*requests_r));
	memset(tokens_r, 0, sizeof(*tokens_r));
	for (int i = 0; l->known >> i != 0; i++) {
		if ((l->known >> i & 1) == 0)
			continue;
		limit_state(call->worker->shm, (enum limit_level)i,
		    l->slot[i], &l->rates[i], call_now(call), &requests,
		    &tokens);
		if (requests.limit != 0 && (requests_r->limit == 0 ||
		    requests.remaining < requests_r->remaining))
			*requests_r = requests;
		if (tokens.limit != 0 && (tokens_r->limit == 0 ||
		    tokens.remaining < tokens_r->remaining))
			*tokens_r = tokens;
	}
}

static bool
add(struct MHD_Response *response, const char *name, const char *value)
{
	return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool
add_number(struct MHD_Response *response, const char *name, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	return add(response, name, text);
}

static bool
add_openai(struct MHD_Response *response, const char *what,
    const struct limit_state *state)
{
	char name[HEADER_BYTES], text[LIMITS_DURATION_BYTES];

	if (state->limit == 0)
		return true;
	snprintf(name, sizeof(name), "x-ratelimit-limit-%s", what);
	if (!add_number(response, name, state->limit))
		return false;
	snprintf(name, sizeof(name), "x-ratelimit-remaining-%s", what);
	if (!add_number(response, name, state->remaining))
		return false;
	snprintf(name, sizeof(name), "x-ratelimit-reset-%s", what);
	limits_format_duration(state->reset_ns, text);
	return add(response, name, text);
}

static bool
add_anthropic(struct MHD_Response *response, const char *what,
    const struct limit_state *state)
{
	char name[HEADER_BYTES], text[WALL_TEXT_BYTES];
	struct wall_time at = clock_wall();

	if (state->limit == 0)
		return true;
	snprintf(name, sizeof(name), "anthropic-ratelimit-%s-limit", what);
	if (!add_number(response, name, state->limit))
		return false;
	snprintf(name, sizeof(name), "anthropic-ratelimit-%s-remaining",
	    what);
	if (!add_number(response, name, state->remaining))
		return false;
	snprintf(name, sizeof(name), "anthropic-ratelimit-%s-reset", what);
	/* RFC 3339, in whole seconds, not too early. */
	at.us += (state->reset_ns + NS_PER_S - 1) / 1000;
	wall_format(at, text);
	memcpy(text + 19, "Z", 2);
	return add(response, name, text);
}

bool
limits_add_headers(const struct call *call, struct MHD_Response *response)
{
	struct limit_state requests, tokens;

	if (call->limits.known == 0)
		return true;
	tightest(call, &requests, &tokens);
	switch (call->protocol) {
	case WIRE_OPENAI:
		return add_openai(response, "requests", &requests) &&
		    add_openai(response, "tokens", &tokens);
	case WIRE_ANTHROPIC:
		return add_anthropic(response, "requests", &requests) &&
		    add_anthropic(response, "tokens", &tokens);
	case WIRE_GEMINI:
		break;
	}
	return true;
}

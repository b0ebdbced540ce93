#include "worker/spending.h"

#include <string.h>

#include "base/clock.h"
#include "conf/settings.h"
#include "worker/call.h"
#include "worker/context.h"

#define US_PER_S 1000000

static void
find(struct call *call)
{
	const struct settings *s = call->worker->settings;
	struct call_spending *p = &call->spending;
	struct budget_caps address = {
		.nano[BUDGET_DAY] = s->address_spending_per_day_nano,
	};

	p->known = 0;
	for (int i = 0; i < LIMIT_LEVELS; i++) {
		if (call->limits.slot[i] == LIMIT_NONE)
			continue;
		p->caps[i] = i == LIMIT_ADDRESS ? address :
		    budget_read(call->worker->shm, (enum limit_level)i,
		    call->limits.slot[i]);
		if (budget_has_caps(&p->caps[i]))
			p->known |= (uint8_t)(1u << i);
	}
	if (p->known != 0)
		p->when = budget_time(call->record.started_us);
}

static void
put_terms(struct call *call, const struct budget_sum *sum)
{
	const struct call_spending *p = &call->spending;

	for (int i = 0; i < LIMIT_LEVELS; i++)
		call->terms.budget[i] = (p->known >> i & 1) != 0 ?
		    call->limits.slot[i] : LIMIT_NONE;
	call->terms.when = p->when;
	call->terms.spending = *sum;
}

/* When there will be something again; 0: only when somebody changes it. */
static uint32_t
retry_after_s(enum budget_verdict verdict)
{
	int64_t us = 0;

	if (verdict == BUDGET_DAY_SPENT)
		us = budget_left_us(BUDGET_DAY, clock_wall().us);
	else if (verdict == BUDGET_MONTH_SPENT)
		us = budget_left_us(BUDGET_MONTH, clock_wall().us);
	return (uint32_t)((us + US_PER_S - 1) / US_PER_S);
}

bool
spending_glance(struct call *call)
{
	struct call_spending *p = &call->spending;

	find(call);
	for (int i = 0; p->known >> i != 0; i++) {
		if ((p->known >> i & 1) == 0)
			continue;
		p->verdict = budget_glance(call->worker->shm,
		    (enum limit_level)i, call->limits.slot[i], &p->caps[i],
		    &p->when);
		if (p->verdict == BUDGET_PASSED)
			continue;
		call->retry_after_s = retry_after_s(p->verdict);
		call_refuse(call, spending_error(call));
		return false;
	}
	return true;
}

static void
give_back(struct call *call, int levels, const struct budget_sum *sum)
{
	const struct call_spending *p = &call->spending;
	struct budget_sum nothing = { 0, 0 };

	for (int i = 0; i < levels; i++)
		if ((p->known >> i & 1) != 0)
			budget_correct(call->worker->shm, (enum limit_level)i,
			    call->limits.slot[i], &p->when, sum, &nothing);
}

/* Of all that have caps, or of none. */
static bool
take(struct call *call, const struct budget_sum *sum)
{
	struct call_spending *p = &call->spending;

	p->verdict = BUDGET_PASSED;
	for (int i = 0; p->known >> i != 0; i++) {
		if ((p->known >> i & 1) == 0)
			continue;
		p->verdict = budget_take(call->worker->shm,
		    (enum limit_level)i, call->limits.slot[i], &p->caps[i],
		    &p->when, sum);
		if (p->verdict == BUDGET_PASSED)
			continue;
		give_back(call, i, sum);
		call->retry_after_s = retry_after_s(p->verdict);
		return false;
	}
	return true;
}

enum hold_result
spending_reserve(struct call *call, int64_t nano, uint64_t tokens)
{
	struct budget_sum sum = { nano, tokens };
	enum hold_result result;

	if (call->spending.known == 0)
		return hold_reserve(call->worker->book, call->account, nano,
		    &call->record, &call->terms, &call->hold);
	if (!take(call, &sum))
		return HOLD_SHORT;
	call->spending.taken = sum;
	put_terms(call, &sum);
	result = hold_reserve(call->worker->book, call->account, nano,
	    &call->record, &call->terms, &call->hold);
	if (result != HOLD_OK) {
		give_back(call, LIMIT_LEVELS, &sum);
		call->spending.taken = (struct budget_sum){ 0, 0 };
	}
	return result;
}

void
spending_leave_channel(struct call *call)
{
	struct call_spending *p = &call->spending;
	struct budget_sum taken = p->taken, nothing = { 0, 0 };
	uint32_t slot = call->limits.slot[LIMIT_CHANNEL];

	if ((p->known >> LIMIT_CHANNEL & 1) == 0)
		return;
	p->known &= (uint8_t)~(1u << LIMIT_CHANNEL);
	if (p->known == 0)
		p->taken = nothing;
	put_terms(call, &p->taken);
	hold_retell(call->worker->book, call->hold, &call->terms);
	budget_correct(call->worker->shm, LIMIT_CHANNEL, slot, &p->when,
	    &taken, &nothing);
}

bool
spending_channel(struct call *call, uint32_t slot)
{
	struct call_spending *p = &call->spending;
	struct shm *shm = call->worker->shm;
	enum budget_verdict verdict;
	struct budget_caps caps;
	struct budget_sum sum;

	if (call->hold == HOLD_NONE)
		return true;
	spending_leave_channel(call);
	caps = budget_read(shm, LIMIT_CHANNEL, slot);
	if (!budget_has_caps(&caps))
		return true;
	sum = p->taken;
	if (p->known == 0) {
		p->when = budget_time(call->record.started_us);
		sum.nano = hold_held(call->worker->book, call->hold);
		sum.tokens = call->input_tokens + call->covered_tokens;
	}
	verdict = budget_take(shm, LIMIT_CHANNEL, slot, &caps, &p->when, &sum);
	if (verdict != BUDGET_PASSED) {
		attempt_may_wait(call, retry_after_s(verdict) * INT64_C(1000));
		return false;
	}
	p->taken = sum;
	p->known |= (uint8_t)(1u << LIMIT_CHANNEL);
	p->verdict = BUDGET_PASSED;
	/* Only a look whether there is room: more is counted, not refused. */
	memset(&p->caps[LIMIT_CHANNEL], 0, sizeof(caps));
	call->limits.slot[LIMIT_CHANNEL] = slot;
	put_terms(call, &sum);
	hold_retell(call->worker->book, call->hold, &call->terms);
	return true;
}

enum hold_result
spending_extend(struct call *call, int64_t nano, uint64_t tokens)
{
	struct budget_sum *taken = &call->spending.taken;
	struct budget_sum sum = { nano, tokens };
	enum hold_result result;

	if (call->spending.known == 0)
		return hold_extend(call->worker->book, call->hold, nano);
	if (nano == INT64_MAX || !take(call, &sum))
		return HOLD_SHORT;
	result = hold_extend(call->worker->book, call->hold, nano);
	if (result != HOLD_OK) {
		give_back(call, LIMIT_LEVELS, &sum);
		return result;
	}
	taken->nano += nano;
	taken->tokens += tokens;
	hold_spending(call->worker->book, call->hold, taken);
	return HOLD_OK;
}

bool
spending_short(const struct call *call)
{
	return call->spending.known != 0 &&
	    call->spending.verdict != BUDGET_PASSED;
}

enum wire_error
spending_error(const struct call *call)
{
	switch (call->spending.verdict) {
	case BUDGET_PASSED:
		return WIRE_ERROR_NO_MONEY;
	case BUDGET_DAY_SPENT:
		return WIRE_ERROR_SPENT_DAY;
	case BUDGET_MONTH_SPENT:
		return WIRE_ERROR_SPENT_MONTH;
	case BUDGET_TOTAL_SPENT:
		return WIRE_ERROR_SPENT_TOTAL;
	case BUDGET_TOKENS_USED:
		return WIRE_ERROR_TOKENS_USED;
	}
	return WIRE_ERROR_NO_MONEY;
}

enum wire_error
spending_stream_error(const struct call *call)
{
	return spending_short(call) ? WIRE_ERROR_STREAM_SPENT :
	    WIRE_ERROR_STREAM_NO_MONEY;
}

void
spending_end(struct call *call, int64_t fee_nano, uint64_t tokens)
{
	struct call_spending *p = &call->spending;
	struct budget_sum used = { fee_nano, tokens }, none = { 0, 0 };

	if (p->known == 0)
		return;
	hold_spending(call->worker->book, call->hold, &none);
	for (int i = 0; p->known >> i != 0; i++)
		if ((p->known >> i & 1) != 0)
			budget_correct(call->worker->shm, (enum limit_level)i,
			    call->limits.slot[i], &p->when, &p->taken, &used);
	p->taken = none;
	p->known &= (uint8_t)~(1u << LIMIT_CHANNEL);
}

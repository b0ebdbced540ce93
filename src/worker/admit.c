#include "worker/admit.h"

#include <assert.h>
#include <string.h>

#include "base/fee.h"
#include "conf/settings.h"
#include "shm/directory.h"
#include "shm/segment.h"
#include "worker/amount.h"
#include "worker/answers.h"
#include "worker/attempt.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"
#include "worker/limits.h"
#include "worker/park.h"
#include "worker/screen.h"
#include "worker/spending.h"

#define RETRY_SOON_S 1
#define RETRY_LATER_S 5
/* An estimate of output is never more than so many times the truth. */
#define CEILING_DOUBT 4

static bool
refuse(struct call *call, enum wire_error error, uint32_t retry_after_s)
{
	call->retry_after_s = retry_after_s;
	call_refuse_about(call, error, call->request.model);
	return false;
}

bool
admit_any(struct call *call)
{
	uint32_t stops = shm_stops(call->worker->shm);
	bool starting = stops == SHM_STOP_LOADING;

	if (stops == 0 && call->worker->view != NULL)
		return true;
	call->retry_after_s = starting || stops == 0 ? RETRY_SOON_S :
	    RETRY_LATER_S;
	call_refuse(call, starting || stops == 0 ? WIRE_ERROR_STARTING :
	    WIRE_ERROR_OVERLOADED);
	return false;
}

static const struct catalogue_model *
find_model(struct call *call)
{
	const struct wire_request *req = &call->request;
	const struct catalogue_model *model;

	if (call->route->body == WIRE_BODY_NONE)
		model = view_model_by_id(call->worker->view,
		    call->stored.model_id);
	else
		model = view_model(call->worker->view, req->model,
		    req->model_len);
	if (model == NULL) {
		refuse(call, WIRE_ERROR_NO_MODEL, 0);
		return NULL;
	}
	call->record.model_id = model->model_id;
	if (call->route->body != WIRE_BODY_NONE && !policy_model(
	    call->worker->view, &call->policies, req->model,
	    req->model_len)) {
		refuse(call, WIRE_ERROR_MODEL_DENIED, 0);
		return NULL;
	}
	/* What has no price can't be sold, least of all for nothing. */
	if (!price_is_set(&model->price)) {
		refuse(call, WIRE_ERROR_NO_MODEL, 0);
		return NULL;
	}
	return model;
}

static bool
make_terms(struct call *call, const struct catalogue_model *model)
{
	struct hold_terms *terms = &call->terms;

	memset(terms, 0, sizeof(*terms));
	terms->price = model->price;
	terms->multiplier_ppm = MULTIPLIER_ONE_PPM;
	/* An account whose group isn't known yet is not billed by a guess. */
	if (!view_multiplier(call->worker->view, call->group_id, model,
	    &terms->multiplier_ppm) && call->group_id != 0)
		return refuse(call, WIRE_ERROR_STARTING, RETRY_SOON_S);
	call->record.price_version = terms->price.version;
	call->record.multiplier_ppm = terms->multiplier_ppm;
	return true;
}

/* The most output tokens of the plan that there is money for, by halving.
 * 0: not even for one. */
static uint64_t
reserve(struct call *call, const struct amount_plan *plan, bool may_shrink,
    enum hold_result *result_r)
{
	uint64_t tokens = plan->first_tokens;

	for (;;) {
		int64_t nano = plan->free ? 0 : amount_of(&call->terms,
		    &call->besides, plan->input_tokens, tokens);

		*result_r = nano == INT64_MAX ? HOLD_SHORT :
		    spending_reserve(call, nano, plan->free ? 0 :
		    plan->input_tokens + tokens);
		if (*result_r != HOLD_SHORT)
			return tokens;
		if (!may_shrink || tokens <= 1)
			return 0;
		tokens /= 2;
	}
}

/* All of the plan, or if there is no more to come, less of it.  False: parked,
 * or refused. */
static bool
reserve_or_park(struct call *call, const struct amount_plan *plan,
    enum hold_result *result_r)
{
	enum park_result waiting = PARK_SHORT;
	int64_t nano = amount_of(&call->terms, &call->besides,
	    plan->input_tokens, plan->first_tokens);

	call->covered_tokens = reserve(call, plan, false, result_r);
	if (*result_r != HOLD_SHORT)
		return true;
	if (nano != INT64_MAX && !spending_short(call))
		waiting = park_wait(call, nano, call->request.stream ?
		    amount_of(&call->terms, &call->besides,
		    plan->input_tokens, 1) : nano);
	if (waiting == PARK_WAITS)
		return false;
	if (call->request.stream)
		call->covered_tokens = reserve(call, plan, true, result_r);
	if (*result_r == HOLD_SHORT && waiting == PARK_NO_ANSWER)
		return refuse(call, WIRE_ERROR_OVERLOADED, RETRY_SOON_S);
	return true;
}

/* What can't be charged isn't sold.  Of a form that is still coming nobody
 * knows yet what exactly it asks for. */
static bool
check_priced(struct call *call, const struct usage *besides,
    uint64_t output_tokens)
{
	const struct price *price = &call->terms.price;
	bool whole = call->route->body != WIRE_BODY_FORM || call->form.done;
	bool strict = whole && call->worker->settings->unpriced_dimension ==
	    UNPRICED_REFUSE;
	struct usage without = *besides;

	if (amount_priced(price, besides, output_tokens, strict))
		return true;
	without.count[USAGE_TOOL_CALLS] = 0;
	if (!amount_priced(price, &without, output_tokens, strict))
		return refuse(call, WIRE_ERROR_NO_MODEL, 0);
	call_refuse_about(call, WIRE_ERROR_NOT_OFFERED, "tools");
	return false;
}

static bool
take_hold(struct call *call, const struct catalogue_model *model)
{
	const struct settings *s = call->worker->settings;
	struct amount_plan plan;
	enum hold_result result;

	plan = amount_plan(&call->request, model->max_output_tokens,
	    s->default_max_tokens, s->stream_extend_tokens);
	plan.free = call->route->free;
	if (answers_open(call)) {
		plan.free = false;
		plan.input_tokens = call->stored.context_tokens;
		plan.ceiling_tokens = plan.first_tokens =
		    call->stored.held_tokens;
	}
	call->hold = HOLD_NONE;
	call->besides = amount_besides(&call->request, &call->terms.price);
	if (!plan.free && !check_priced(call, &call->besides,
	    plan.ceiling_tokens))
		return false;
	if (!reserve_or_park(call, &plan, &result)) {
		call->hold = HOLD_NONE;
		return false;
	}
	park_done(call);
	switch (result) {
	case HOLD_OK:
		park_in_time(call, 0);
		call->input_tokens = plan.input_tokens;
		call->ceiling_tokens = plan.ceiling_tokens;
		return true;
	case HOLD_SHORT:
		call->hold = HOLD_NONE;
		return refuse(call, spending_error(call),
		    spending_short(call) ? call->retry_after_s : 0);
	case HOLD_BUSY:
	case HOLD_CONTENDED:
		break;
	}
	call->hold = HOLD_NONE;
	return refuse(call, WIRE_ERROR_OVERLOADED, RETRY_SOON_S);
}

/* Of a form what came so far was screened when it came. */
static bool
screen(struct call *call)
{
	if (call->route->body == WIRE_BODY_FORM || screen_request(call))
		return true;
	return refuse(call, WIRE_ERROR_CONTENT_BLOCKED, 0);
}

bool
admit_call(struct call *call, struct admission *admission_r)
{
	if (!admit_any(call))
		return false;
	if (!limits_glance(call) || !spending_glance(call))
		return false;
	admission_r->model = find_model(call);
	return admission_r->model != NULL && screen(call) &&
	    attempt_choose(call, admission_r->model, &admission_r->choice) &&
	    make_terms(call, admission_r->model) &&
	    take_hold(call, admission_r->model) &&
	    limits_take(call, call->input_tokens + call->covered_tokens);
}

/* Up to `more` tokens more, by halving; 0: there is no money for any. */
static uint64_t
extend_by(struct call *call, uint64_t more)
{
	for (;;) {
		int64_t nano = amount_more(&call->terms, &call->besides,
		    call->input_tokens, call->covered_tokens, more);

		switch (spending_extend(call, nano, more)) {
		case HOLD_OK:
			return more;
		case HOLD_SHORT:
			break;
		case HOLD_BUSY:
		case HOLD_CONTENDED:
			return 0;
		}
		if (more <= AMOUNT_STEP_MIN_TOKENS)
			return 0;
		more /= 2;
	}
}

bool
admit_priced(struct call *call)
{
	struct usage besides = amount_besides(&call->request,
	    &call->terms.price);

	return check_priced(call, &besides, call->ceiling_tokens);
}

enum admit_more
admit_rest(struct call *call)
{
	struct usage besides = amount_besides(&call->request,
	    &call->terms.price);
	uint64_t tokens = wire_request_output_tokens(&call->request,
	    call->ceiling_tokens);
	int64_t held = amount_of(&call->terms, &call->besides,
	    call->input_tokens, call->covered_tokens);
	int64_t needed;

	if (tokens < call->covered_tokens)
		tokens = call->covered_tokens;
	needed = amount_of(&call->terms, &besides, call->input_tokens, tokens);
	if (needed == INT64_MAX)
		return ADMIT_NO_MONEY;
	if (needed > held && spending_extend(call, needed - held,
	    tokens - call->covered_tokens) != HOLD_OK)
		return !spending_short(call) && park_wait(call, needed - held,
		    needed - held) == PARK_WAITS ? ADMIT_PARKED :
		    ADMIT_NO_MONEY;
	call->besides = besides;
	call->covered_tokens = tokens;
	return ADMIT_COVERED;
}

/* How much output is to be held for next: no further than to the ceiling,
 * unless the upstream went past it. */
static uint64_t
next_step(const struct call *call)
{
	uint64_t step = call->worker->settings->stream_extend_tokens;
	uint64_t left = call->ceiling_tokens > call->covered_tokens ?
	    call->ceiling_tokens - call->covered_tokens : 0;

	return left > 0 && left < step ? left : step;
}

/* What came is not covered, and the lease has no more. */
static enum admit_more
wait_for_more(struct call *call, uint64_t output_tokens, bool below)
{
	uint64_t lack = output_tokens - call->covered_tokens;
	int64_t nano = amount_more(&call->terms, &call->besides,
	    call->input_tokens, call->covered_tokens,
	    lack > AMOUNT_STEP_MIN_TOKENS ? lack : AMOUNT_STEP_MIN_TOKENS);

	if (!spending_short(call) &&
	    park_wait(call, nano, nano) == PARK_WAITS)
		return ADMIT_PARKED;
	park_done(call);
	/* Past the ceiling it is rather our estimate that is too high, by a
	 * factor at most, than the upstream's count. */
	return !below && output_tokens / CEILING_DOUBT <=
	    call->covered_tokens ? ADMIT_COVERED : ADMIT_NO_MONEY;
}

enum admit_more
admit_extend(struct call *call, uint64_t output_tokens)
{
	uint64_t step = call->worker->settings->stream_extend_tokens;

	if (call->route->free && !answers_open(call))
		return ADMIT_COVERED;
	for (;;) {
		bool below = call->covered_tokens < call->ceiling_tokens;
		uint64_t got;

		/* Half a step ahead, so that no stream waits for its money;
		 * at the ceiling, or once refused, only when it is needed. */
		if (output_tokens + (below && !call->exhausted ? step / 2 : 0)
		    <= call->covered_tokens) {
			park_done(call);
			return ADMIT_COVERED;
		}
		got = extend_by(call, next_step(call));
		call->exhausted = got == 0;
		call->covered_tokens += got;
		if (got == 0 && output_tokens > call->covered_tokens)
			return wait_for_more(call, output_tokens, below);
		park_in_time(call, got > 0 ? 0 : amount_more(&call->terms,
		    &call->besides, call->input_tokens, call->covered_tokens,
		    next_step(call)));
		if (got == 0)
			return ADMIT_COVERED;
	}
}

#include "worker/admit.h"

#include <assert.h>
#include <string.h>

#include "base/fee.h"
#include "conf/settings.h"
#include "shm/directory.h"
#include "shm/segment.h"
#include "worker/amount.h"
#include "worker/answers.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"

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
	/* What has no price can't be sold, least of all for nothing. */
	if (!fee_price_complete(&model->price)) {
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
	if (!view_group(call->worker->view, call->group_id,
	    &terms->multiplier_ppm) && call->group_id != 0)
		return refuse(call, WIRE_ERROR_STARTING, RETRY_SOON_S);
	call->record.price_version = terms->price.version;
	call->record.multiplier_ppm = terms->multiplier_ppm;
	return true;
}

/* The most output tokens up to `tokens` that there is money for, by halving.
 * 0: not even for one. */
static uint64_t
reserve(struct call *call, const struct amount_plan *plan, bool may_shrink,
    enum hold_result *result_r)
{
	uint64_t tokens = plan->first_tokens;

	for (;;) {
		int64_t nano = amount_of(&call->terms, plan->input_tokens,
		    tokens);

		if (plan->free)
			nano = 0;
		else if (nano < INT64_MAX - call->fixed_nano)
			nano += call->fixed_nano;
		else
			nano = INT64_MAX;

		*result_r = nano == INT64_MAX ? HOLD_SHORT :
		    hold_reserve(call->worker->book, call->account, nano,
		    &call->record, &call->terms, &call->hold);
		if (*result_r != HOLD_SHORT)
			return tokens;
		if (!may_shrink || tokens <= 1)
			return 0;
		tokens /= 2;
	}
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
	call->fixed_nano = amount_fixed(&call->terms, &call->request);
	call->hold = HOLD_NONE;
	call->covered_tokens = reserve(call, &plan, call->request.stream,
	    &result);
	switch (result) {
	case HOLD_OK:
		call->input_tokens = plan.input_tokens;
		call->ceiling_tokens = plan.ceiling_tokens;
		return true;
	case HOLD_SHORT:
		call->hold = HOLD_NONE;
		return refuse(call, WIRE_ERROR_NO_MONEY, 0);
	case HOLD_BUSY:
	case HOLD_CONTENDED:
		break;
	}
	call->hold = HOLD_NONE;
	return refuse(call, WIRE_ERROR_OVERLOADED, RETRY_SOON_S);
}

static uint32_t
random_of(const struct call *call)
{
	uint32_t n;

	/* The last bytes of the id are as random as anything. */
	memcpy(&n, call->record.request_id + RECORD_ID_BYTES - sizeof(n),
	    sizeof(n));
	return n;
}

static enum view_choice
choose(struct call *call, const struct catalogue_model *model,
    struct admission *admission_r)
{
	if (call->is_stored)
		return view_pinned(call->worker->view, model, call->protocol,
		    call->stored.channel_id, &admission_r->channel,
		    &admission_r->upstream_name);
	return view_choose(call->worker->view, model, call->protocol,
	    random_of(call), &admission_r->channel,
	    &admission_r->upstream_name);
}

bool
admit_call(struct call *call, struct admission *admission_r)
{
	const struct catalogue_model *model;

	if (!admit_any(call))
		return false;
	model = find_model(call);
	if (model == NULL)
		return false;
	switch (choose(call, model, admission_r)) {
	case VIEW_CHOSEN:
		break;
	case VIEW_NO_CHANNEL:
		return refuse(call, WIRE_ERROR_NO_CHANNEL, RETRY_LATER_S);
	case VIEW_NO_ROUTE:
		return refuse(call, WIRE_ERROR_NO_MODEL, 0);
	}
	call->record.channel_id = admission_r->channel->channel->channel_id;
	if (!make_terms(call, model))
		return false;
	return take_hold(call, model);
}

/* Up to `more` tokens more, by halving; 0: there is no money for any. */
static uint64_t
extend_by(struct call *call, uint64_t more)
{
	for (;;) {
		int64_t nano = amount_more(&call->terms, call->input_tokens,
		    call->covered_tokens, more);

		switch (hold_extend(call->worker->book, call->hold, nano)) {
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
admit_more(struct call *call)
{
	int64_t fixed = amount_fixed(&call->terms, &call->request);
	int64_t more = fixed > call->fixed_nano ? fixed - call->fixed_nano : 0;
	uint64_t tokens = wire_request_output_tokens(&call->request,
	    call->ceiling_tokens);

	if (fixed == INT64_MAX)
		return false;
	if (tokens > call->covered_tokens) {
		int64_t text = amount_more(&call->terms, call->input_tokens,
		    call->covered_tokens, tokens - call->covered_tokens);

		if (text > INT64_MAX - more)
			return false;
		more += text;
	} else
		tokens = call->covered_tokens;
	if (more > 0 && hold_extend(call->worker->book, call->hold, more) !=
	    HOLD_OK)
		return false;
	if (fixed > call->fixed_nano)
		call->fixed_nano = fixed;
	call->covered_tokens = tokens;
	return true;
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

bool
admit_extend(struct call *call, uint64_t output_tokens)
{
	uint64_t step = call->worker->settings->stream_extend_tokens;

	if (call->route->free && !answers_open(call))
		return true;
	for (;;) {
		bool below = call->covered_tokens < call->ceiling_tokens;
		uint64_t got;

		/* Half a step ahead, so that no stream waits for its money;
		 * at the ceiling, or once refused, only when it is needed. */
		if (output_tokens + (below && !call->exhausted ? step / 2 : 0)
		    <= call->covered_tokens)
			return true;
		got = extend_by(call, next_step(call));
		call->exhausted = got == 0;
		call->covered_tokens += got;
		if (got > 0)
			continue;
		if (output_tokens <= call->covered_tokens)
			return true;
		/* Past the ceiling it is rather our estimate that is too
		 * high, by a factor at most, than the upstream's count. */
		return !below && output_tokens / CEILING_DOUBT <=
		    call->covered_tokens;
	}
}

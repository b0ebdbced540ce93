#include "worker/settle.h"

#include <assert.h>
#include <string.h>

#include "base/loop.h"
#include "shm/seat.h"
#include "wire/estimate.h"
#include "worker/answers.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"
#include "worker/durable.h"
#include "worker/limits.h"
#include "worker/spending.h"

/* The reclaimer's knowledge may lag by this much estimated output. */
#define PROGRESS_STEP_TOKENS 16

static void
count(struct call *call, enum seat_counter c, int64_t n)
{
	seat_add(call->worker->shm, call->worker->seat, c, n);
}

static uint32_t
elapsed_ms(const struct call *call)
{
	int64_t ms = mono_diff_ms(loop_now(call->worker->loop), call->started);

	return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* What was read, or done, by whatever name and by whatever model. */
static uint64_t
all_input(const struct usage *usage)
{
	uint64_t sum = 0;

	for (int i = 0; i < USAGE_DIMS; i++)
		if (usage_dims[i].kind != USAGE_KIND_OUTPUT &&
		    usage_dims[i].kind != USAGE_KIND_CALL)
			sum += usage->count[i];
	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		if (usage_dims[i].kind != USAGE_KIND_OUTPUT)
			sum += usage->other.count[i];
	return sum;
}

/* What was made, likewise. */
static uint64_t
all_output(const struct usage *usage)
{
	uint64_t sum = usage->other.count[USAGE_OUTPUT];

	for (int i = 0; i < USAGE_DIMS; i++)
		if (usage_dims[i].kind == USAGE_KIND_OUTPUT)
			sum += usage->count[i];
	return sum;
}

void
settle_complete_usage(const struct usage *seen, bool complete,
    const struct settle_known *known, struct usage *usage_r)
{
	uint64_t *output = &usage_r->count[USAGE_OUTPUT];
	uint64_t most = known->ceiling_tokens > known->output_tokens ?
	    known->ceiling_tokens : known->output_tokens;
	uint64_t made;

	*usage_r = *seen;
	if ((seen->marks & USAGE_SEEN) == 0) {
		/* Nobody said: our own estimate, never nothing. */
		memset(usage_r->count, 0, sizeof(usage_r->count));
		memset(&usage_r->other, 0, sizeof(usage_r->other));
	}
	/* No request is read for nothing. */
	if (all_input(usage_r) == 0) {
		usage_r->count[USAGE_INPUT] = known->input_tokens;
		usage_r->marks |= USAGE_ESTIMATED;
	}
	/* An early statement (message_start) knows the input only, and what
	 * we saw pass was not nothing. */
	made = all_output(usage_r);
	if ((!complete || made == 0) && known->output_tokens > made) {
		*output += known->output_tokens - made;
		usage_r->marks |= USAGE_ESTIMATED;
	}
	/* More than was asked for, and more than passed before our eyes. */
	if (known->ceiling_tokens != 0 && *output > most) {
		*output = most;
		usage_r->marks |= USAGE_CLAMPED;
	}
	if (usage_r->reasoning > *output)
		usage_r->reasoning = *output;
}

uint64_t
settle_output_tokens(struct call *call)
{
	uint64_t stated = wire_meter_usage(&call->meter)->count[USAGE_OUTPUT];
	uint64_t estimated =
	    wire_estimate_output_tokens(call->meter.output_bytes_seen);

	/* No statement can make us hold for more than was asked for; what
	 * passed before our eyes can. */
	if (stated > call->ceiling_tokens)
		stated = call->ceiling_tokens;
	return stated > estimated ? stated : estimated;
}

static void
usage_now(struct call *call, struct usage *usage_r)
{
	static const struct usage nothing;
	struct settle_known known = {
		.input_tokens = call->input_tokens,
		.ceiling_tokens = call->ceiling_tokens,
	};

	*usage_r = call->metered ? *wire_meter_usage(&call->meter) : nothing;
	if (wire_request_complete(&call->request, usage_r))
		return;
	if (call->metered)
		known.output_tokens = wire_estimate_output_tokens(
		    call->meter.output_bytes_seen);
	settle_complete_usage(call->metered ?
	    wire_meter_usage(&call->meter) : &nothing,
	    call->metered && call->meter.finished, &known, usage_r);
	(void)!wire_request_complete(&call->request, usage_r);
	if (usage_r->count[USAGE_CALLS] == 0)
		usage_r->count[USAGE_CALLS] = 1;
}

/* The price of what another model did, and whose it is.  NULL: there is none,
 * or nothing to be priced; then the call's own price holds. */
static const struct price *
other_price(struct call *call, const struct usage *usage)
{
	const struct catalogue_model *model;

	if (usage->other.model[0] == '\0' || call->worker->view == NULL)
		return NULL;
	model = view_model_upstream(call->worker->view,
	    call->record.channel_id, usage->other.model);
	if (model == NULL)
		return NULL;
	call->record.other_model_id = model->model_id;
	if (!price_is_set(&model->price))
		return NULL;
	call->record.other_price_version = model->price.version;
	return &model->price;
}

static void
fill_common(struct call *call)
{
	struct call_record *r = &call->record;

	r->route = call->route != NULL ? (uint16_t)call->route->route : 0;
	r->protocol = (uint16_t)call->protocol;
	r->status = (uint16_t)(call->status > 0 ? call->status :
	    wire_error_status(call->error));
	r->error = (uint16_t)(call->recorded_error != WIRE_ERROR_NONE ?
	    call->recorded_error : call->error);
	r->total_ms = elapsed_ms(call);
	if (call->streamed)
		r->flags |= RECORD_STREAMED;
}

static void
end_hold(struct call *call, int64_t fee, int64_t tokens)
{
	call->fee_nano = fee;
	fill_common(call);
	limits_end(call, (uint64_t)tokens);
	spending_end(call, fee, (uint64_t)tokens);
	hold_settle(call->worker->book, call->hold, fee, &call->record);
	call->hold = HOLD_NONE;
	call->settled = true;
	call->recorded = true;
	durable_await(call);
	if (call->recorded_error == WIRE_ERROR_NONE &&
	    call->error == WIRE_ERROR_NONE)
		count(call, SEAT_CALLS, 1);
	count(call, SEAT_FEE_NANO, fee);
}

void
settle_usage(struct call *call)
{
	struct usage usage;
	int64_t fee, uncollected, tokens = 0;

	if (call->settled || call->hold == HOLD_NONE)
		return;
	if (!answers_charge(call)) {
		end_hold(call, 0, 0);
		return;
	}
	usage_now(call, &usage);
	call->record.flags |= hold_price_with(&usage, &call->terms,
	    other_price(call, &usage),
	    hold_held(call->worker->book, call->hold), &fee, &uncollected);
	record_put_usage(&call->record, &usage);
	call->record.uncollected_nano = uncollected;
	tokens = (int64_t)usage_tokens(&usage);
	count(call, SEAT_TOKENS, tokens);
	if (usage.marks & USAGE_UNKNOWN_FIELD)
		count(call, SEAT_UNKNOWN_USAGE, 1);
	end_hold(call, fee, tokens);
}

void
settle_free(struct call *call)
{
	if (call->settled || call->hold == HOLD_NONE)
		return;
	end_hold(call, 0, 0);
}

void
settle_refusal(struct call *call)
{
	if (call->settled)
		return;
	assert(call->hold == HOLD_NONE);
	call->settled = true;
	count(call, SEAT_REFUSED, 1);
	if (call->route == NULL || !call->route->billed)
		return;
	/* Whoever guesses keys must not fill the database. */
	if (call->error == WIRE_ERROR_RATE_KEYS)
		return;
	fill_common(call);
	if (hold_publish_refusal(call->worker->book, &call->record))
		call->recorded = true;
	else
		count(call, SEAT_DROPPED_RECORDS, 1);
}

void
settle_progress(struct call *call, bool billable)
{
	struct hold_progress progress;
	uint64_t input, output;

	if (call->settled || call->hold == HOLD_NONE || !call->metered)
		return;
	/* Whether these are charged is decided at their end only. */
	if (call->route->free || call->request.background)
		return;
	memset(&progress, 0, sizeof(progress));
	usage_now(call, &progress.usage);
	billable = billable || call->told_billable;
	input = all_input(&progress.usage);
	output = settle_output_tokens(call);
	if (billable == call->told_billable &&
	    progress.usage.marks == call->progress_marks &&
	    input == call->progress_input &&
	    output < call->progress_tokens + PROGRESS_STEP_TOKENS)
		return;
	progress.channel_id = call->record.channel_id;
	progress.credential_id = call->record.credential_id;
	progress.attempts = call->record.attempts;
	progress.answer_bytes = call->record.answer_bytes;
	progress.status = (uint16_t)call->status;
	progress.upstream_status = call->record.upstream_status;
	progress.flags = call->record.flags |
	    (call->streamed ? RECORD_STREAMED : 0);
	progress.billable = billable;
	hold_progress(call->worker->book, call->hold, &progress);
	call->told_billable = billable;
	call->progress_marks = progress.usage.marks;
	call->progress_input = input;
	call->progress_tokens = output;
}

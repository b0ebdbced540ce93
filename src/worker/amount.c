#include "worker/amount.h"

#include "wire/request.h"

struct amount_plan
amount_plan(const struct wire_request *request, uint64_t max_output_tokens,
    uint64_t default_max_tokens, uint64_t step_tokens)
{
	struct amount_plan plan = { .free = false };
	uint64_t ceiling = max_output_tokens > 0 ? max_output_tokens :
	    default_max_tokens;

	plan.input_tokens = wire_request_input_tokens(request);
	plan.ceiling_tokens = wire_request_output_tokens(request, ceiling);
	plan.first_tokens = plan.ceiling_tokens;
	if (request->stream && plan.first_tokens > step_tokens)
		plan.first_tokens = step_tokens;
	return plan;
}

static enum usage_dim
dearest_input(const struct price *price)
{
	static const enum usage_dim dims[] = { USAGE_CACHE_READ,
		USAGE_CACHE_WRITE_5M, USAGE_CACHE_WRITE_1H };
	enum usage_dim best = USAGE_INPUT;

	for (size_t i = 0; i < sizeof(dims) / sizeof(dims[0]); i++)
		if (fee_price_of(price, dims[i]) > fee_price_of(price, best))
			best = dims[i];
	return best;
}

int64_t
amount_of(const struct hold_terms *terms, uint64_t input_tokens,
    uint64_t output_tokens)
{
	struct usage usage = { 0 };
	int64_t nano;

	usage.count[dearest_input(&terms->price)] =
	    input_tokens < USAGE_COUNT_MAX ? input_tokens : USAGE_COUNT_MAX;
	usage.count[USAGE_OUTPUT] =
	    output_tokens < USAGE_COUNT_MAX ? output_tokens : USAGE_COUNT_MAX;
	if (fee_compute(&usage, &terms->price, terms->multiplier_ppm,
	    &nano) != FEE_OK)
		return INT64_MAX;
	return nano;
}

int64_t
amount_fixed(const struct hold_terms *terms,
    const struct wire_request *request)
{
	struct usage usage;
	int64_t nano;

	wire_request_most(request, &usage);
	if (fee_compute(&usage, &terms->price, terms->multiplier_ppm,
	    &nano) != FEE_OK || nano == INT64_MAX)
		return INT64_MAX;
	/* Two amounts that are rounded apart lack up to one. */
	return nano > 0 ? nano + 1 : 0;
}

int64_t
amount_more(const struct hold_terms *terms, uint64_t input_tokens,
    uint64_t covered_tokens, uint64_t more_tokens)
{
	int64_t now = amount_of(terms, input_tokens, covered_tokens);
	int64_t then = amount_of(terms, input_tokens,
	    covered_tokens + more_tokens);

	return then > now ? then - now : 0;
}

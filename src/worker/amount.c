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

/* Of a set of ways, the one with the largest multiplier. */
static uint8_t
dearest_way(const uint32_t *ppm, unsigned int ways, uint8_t set)
{
	uint8_t best = 0;
	uint32_t most = 0;

	for (uint8_t i = 0; i < ways; i++) {
		/* Not set counts as one. */
		uint32_t one = ppm[i] != 0 ? ppm[i] : MULTIPLIER_ONE_PPM;

		if ((set >> i & 1) != 0 && one > most) {
			best = i;
			most = one;
		}
	}
	return best;
}

struct usage
amount_besides(const struct wire_request *request, const struct price *price)
{
	const struct wire_asked *asked = &request->asked;
	struct usage besides;

	wire_request_most(request, &besides);
	besides.count[USAGE_TOOL_CALLS] = asked->tool_calls;
	besides.tier = dearest_way(price->tier_ppm, USAGE_TIERS,
	    asked->tiers);
	besides.speed = dearest_way(price->speed_ppm, USAGE_SPEEDS,
	    asked->speeds);
	besides.region = dearest_way(price->region_ppm, USAGE_REGIONS,
	    asked->regions);
	return besides;
}

/* The dimension of a kind in which `tokens` cost most, next to `besides`. */
static enum usage_dim
dearest_dim(const struct price *price, const struct usage *besides,
    enum usage_kind kind, enum usage_dim usual, uint64_t tokens)
{
	enum usage_dim best = usual;
	unsigned __int128 most = 0;

	for (int i = 0; i < USAGE_DIMS; i++) {
		struct usage usage = *besides;
		unsigned __int128 cost;
		struct fee_line line;

		if (usage_dims[i].kind != kind)
			continue;
		usage.count[i] = tokens;
		line = fee_line(&usage, price, (enum usage_dim)i);
		cost = (unsigned __int128)line.nano * line.ppm;
		if (cost > most) {
			most = cost;
			best = (enum usage_dim)i;
		}
	}
	return best;
}

static uint64_t
clamped(uint64_t tokens)
{
	return tokens < USAGE_COUNT_MAX ? tokens : USAGE_COUNT_MAX;
}

int64_t
amount_of(const struct hold_terms *terms, const struct usage *besides,
    uint64_t input_tokens, uint64_t output_tokens)
{
	struct fee_terms fee_terms = { &terms->price, NULL,
		terms->multiplier_ppm };
	struct usage usage = *besides;
	enum usage_dim in, out;
	int64_t nano;

	/* A long context makes the output dearer, too. */
	in = dearest_dim(&terms->price, besides, USAGE_KIND_INPUT,
	    USAGE_INPUT, clamped(input_tokens));
	usage.count[in] = clamped(usage.count[in] + clamped(input_tokens));
	out = dearest_dim(&terms->price, &usage, USAGE_KIND_OUTPUT,
	    USAGE_OUTPUT, clamped(output_tokens));
	usage.count[out] = clamped(usage.count[out] + clamped(output_tokens));
	if (fee_compute(&usage, &fee_terms, &nano, NULL) != FEE_OK)
		return INT64_MAX;
	return nano;
}

int64_t
amount_more(const struct hold_terms *terms, const struct usage *besides,
    uint64_t input_tokens, uint64_t covered_tokens, uint64_t more_tokens)
{
	int64_t now = amount_of(terms, besides, input_tokens, covered_tokens);
	int64_t then = amount_of(terms, besides, input_tokens,
	    covered_tokens + more_tokens);

	return then > now ? then - now : 0;
}

bool
amount_priced(const struct price *price, const struct usage *besides,
    uint64_t output_tokens, bool refuse)
{
	struct fee_terms fee_terms = { price, NULL, MULTIPLIER_ONE_PPM };
	struct usage usage = *besides;
	int64_t nano;

	usage.count[USAGE_INPUT] = 1;
	usage.count[USAGE_OUTPUT] = output_tokens > 0;
	if (fee_compute(&usage, &fee_terms, &nano, NULL) == FEE_UNPRICED)
		return false;
	return !refuse || fee_price_covers(price, &usage);
}

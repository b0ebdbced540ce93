#include "base/fee.h"

#include <assert.h>
#include <string.h>

#include "base/wide.h"

/*
 * All is kept in integers of 1/(THIRD × 10^n) nano-units: prices are for 1,
 * 1000, 60000 or 10^6 of a dimension, which all divide 3 × 10^6, and each
 * multiplier adds six places.
 *
 * A sum over the dimensions, which has the places of the long-context
 * multiplier too, stays below 2^128 ≈ 3.4 × 10^38.  Per dimension:
 *	tokens			10^9 × 10^15 × 3 × 10^9		= 3 × 10^33
 *	the others		10^9 × 10^15 × 3 × 10^6 × 10^6	= 3 × 10^36
 *	the others, as tokens	10^9 × 8000 × 10^15 × 3 × 10^9	= 2.4 × 10^37
 * fifteen times the least of which and five times the largest is 1.2 × 10^38.
 * Four multipliers up to 10^9 make it 1.2 × 10^74, another model's and the
 * minimum hardly more; 2^256 is 1.1 × 10^77.
 */
#define UNITS UINT64_C(3000000)
#define PPM ((uint64_t)MULTIPLIER_ONE_PPM)
/* Decimal places of UNITS × 10^6, of that with three, with four factors. */
#define PLACES_SUM 12
#define PLACES_SERVED 30
#define PLACES_CHARGED 36
#define PLACES_NANO 9
/* 3 × 10^36 is this by that */
#define DIVISOR_1 UINT64_C(1000000000000000000)
#define DIVISOR_2 UINT64_C(3000000000000000000)

static bool
is_free(const struct price *price)
{
	return (price->flags & PRICE_FREE) != 0;
}

static bool
is_long(const struct usage *usage, const struct price *price)
{
	return price->long_above != 0 &&
	    usage_input_tokens(usage) > price->long_above;
}

/* Which entry says more about the image: its size before its quality. */
static int
image_fit(const struct usage *usage, const struct price_image *image)
{
	bool sized = image->width != 0 || image->height != 0;
	bool same = (image->width == usage->image_width &&
	    image->height == usage->image_height) ||
	    (image->width == usage->image_height &&
	    image->height == usage->image_width);

	if ((sized && !same) || (image->quality != 0 &&
	    image->quality != usage->image_quality))
		return 0;
	return 1 + 2 * sized + (image->quality != 0);
}

/* An image that no entry fits costs as the dearest there is. */
static int64_t
image_price(const struct usage *usage, const struct price *price,
    bool *marked_r)
{
	int64_t nano = price->nano[USAGE_IMAGES], dearest = PRICE_UNSET;
	int best = 0, fit;

	*marked_r = false;
	for (uint32_t i = 0; i < price->images; i++) {
		fit = image_fit(usage, &price->image[i]);
		if (fit > best) {
			best = fit;
			nano = price->image[i].nano;
		}
		if (price->image[i].nano > dearest)
			dearest = price->image[i].nano;
	}
	if (nano >= 0)
		return nano;
	*marked_r = dearest >= 0;
	return dearest;
}

/* The row's own entry for a dimension of tokens. */
static bool
token_entry(const struct price *price, enum usage_dim dim, bool when_long,
    struct fee_line *line)
{
	uint32_t ppm;

	line->as = dim;
	line->ppm = MULTIPLIER_ONE_PPM;
	line->is_long = false;
	if (when_long && dim < USAGE_OTHER_DIMS && price->long_nano[dim] >= 0) {
		line->nano = price->long_nano[dim];
		line->is_long = true;
		return true;
	}
	line->nano = price->nano[dim];
	ppm = price->long_ppm[usage_dims[dim].kind == USAGE_KIND_OUTPUT];
	if (when_long && ppm != 0) {
		line->ppm = ppm;
		line->is_long = true;
	}
	return line->nano >= 0;
}

/* That, or the entry of what it refines. */
static bool
token_price(const struct price *price, enum usage_dim dim, bool when_long,
    struct fee_line *line)
{
	while (!token_entry(price, dim, when_long, line)) {
		if (usage_dims[dim].fallback == dim)
			return false;
		dim = usage_dims[dim].fallback;
	}
	return true;
}

static bool
dearest_token(const struct price *price, bool when_long,
    struct fee_line *line)
{
	struct fee_line one;
	bool found = false;

	for (int i = 0; i < USAGE_DIMS; i++) {
		if (!usage_dim_is_tokens((enum usage_dim)i) ||
		    !token_entry(price, (enum usage_dim)i, when_long, &one))
			continue;
		if (!found || (unsigned __int128)one.nano * one.ppm >
		    (unsigned __int128)line->nano * line->ppm) {
			line->as = one.as;
			line->nano = one.nano;
			line->ppm = one.ppm;
			line->is_long = one.is_long;
		}
		found = true;
	}
	return found;
}

/* The price of a whole one: an image, a minute, a call. */
static int64_t
unit_price(const struct usage *usage, const struct price *price,
    enum usage_dim dim, bool *marked_r)
{
	*marked_r = false;
	return dim == USAGE_IMAGES ? image_price(usage, price, marked_r) :
	    price->nano[dim];
}

/* Is the work charged by something else than tokens? */
static bool
units_charged(const struct usage *usage, const struct price *price)
{
	bool marked;

	for (int i = 0; i < USAGE_DIMS; i++)
		if ((usage_dims[i].kind == USAGE_KIND_MEASURE ||
		    usage_dims[i].kind == USAGE_KIND_CALL) &&
		    usage->count[i] != 0 && unit_price(usage, price,
		    (enum usage_dim)i, &marked) >= 0)
			return true;
	return false;
}

/* … or by tokens? */
static bool
tokens_charged(const struct usage *usage, const struct price *price)
{
	struct fee_line any;

	if (!dearest_token(price, false, &any))
		return false;
	for (int i = 0; i < USAGE_DIMS; i++)
		if (usage_dim_is_tokens((enum usage_dim)i) &&
		    usage->count[i] != 0)
			return true;
	return false;
}

static enum fee_how
price_tokens(const struct usage *usage, const struct price *price,
    enum usage_dim dim, struct fee_line *line)
{
	bool when_long = is_long(usage, price);

	if (token_price(price, dim, when_long, line)) {
		if (line->as == dim)
			return FEE_HOW_PRICED;
		return dim < USAGE_OTHER_DIMS ? FEE_HOW_ALIAS :
		    FEE_HOW_REFINED;
	}
	if (dearest_token(price, when_long, line))
		return FEE_HOW_MARKED;
	return units_charged(usage, price) ? FEE_HOW_INCLUDED :
	    FEE_HOW_UNPRICED;
}

static enum fee_how
price_as_tokens(const struct usage *usage, const struct price *price,
    enum usage_dim dim, struct fee_line *line)
{
	const struct usage_dim_info *info = &usage_dims[dim];
	bool when_long = is_long(usage, price);

	if (!token_price(price, info->fallback, when_long, line) &&
	    !dearest_token(price, when_long, line))
		return FEE_HOW_UNPRICED;
	line->count = (line->count * info->fallback_count +
	    info->fallback_per - 1) / info->fallback_per;
	return FEE_HOW_MARKED;
}

static enum fee_how
price_units(const struct usage *usage, const struct price *price,
    enum usage_dim dim, struct fee_line *line)
{
	bool marked;

	line->nano = unit_price(usage, price, dim, &marked);
	if (line->nano >= 0)
		return marked ? FEE_HOW_MARKED : FEE_HOW_PRICED;
	switch (usage_dims[dim].kind) {
	case USAGE_KIND_CALL:
		return FEE_HOW_INCLUDED;
	case USAGE_KIND_MEASURE:
		if (tokens_charged(usage, price) ||
		    units_charged(usage, price))
			return FEE_HOW_INCLUDED;
		break;
	case USAGE_KIND_INPUT:
	case USAGE_KIND_OUTPUT:
	case USAGE_KIND_EXTRA:
		break;
	}
	return price_as_tokens(usage, price, dim, line);
}

struct fee_line
fee_line(const struct usage *usage, const struct price *price,
    enum usage_dim dim)
{
	struct fee_line line = { .as = dim, .count = usage->count[dim],
		.ppm = MULTIPLIER_ONE_PPM };

	if (line.count == 0)
		line.how = FEE_HOW_NOT_USED;
	else if (is_free(price))
		line.how = FEE_HOW_FREE;
	else if (usage_dim_is_tokens(dim))
		line.how = price_tokens(usage, price, dim, &line);
	else
		line.how = price_units(usage, price, dim, &line);
	switch (line.how) {
	case FEE_HOW_PRICED:
	case FEE_HOW_ALIAS:
	case FEE_HOW_REFINED:
	case FEE_HOW_MARKED:
		break;
	case FEE_HOW_NOT_USED:
	case FEE_HOW_INCLUDED:
	case FEE_HOW_FREE:
	case FEE_HOW_UNPRICED:
		line.as = dim;
		line.nano = 0;
		line.ppm = MULTIPLIER_ONE_PPM;
		line.is_long = false;
		break;
	}
	return line;
}

int64_t
fee_price_of(const struct price *price, enum usage_dim dim)
{
	struct fee_line line;

	if (is_free(price))
		return 0;
	if (!usage_dim_is_tokens(dim))
		return price->nano[dim];
	return token_price(price, dim, false, &line) ? line.nano :
	    PRICE_UNSET;
}

bool
fee_price_covers(const struct price *price, const struct usage *usage)
{
	for (int i = 0; i < USAGE_DIMS; i++) {
		enum fee_how how = fee_line(usage, price,
		    (enum usage_dim)i).how;

		if (how == FEE_HOW_MARKED || how == FEE_HOW_UNPRICED)
			return false;
	}
	return true;
}

bool
fee_price_complete(const struct price *price)
{
	struct usage text = { .count = { [USAGE_INPUT] = 1,
		[USAGE_OUTPUT] = 1, [USAGE_CALLS] = 1 } };

	return fee_price_covers(price, &text);
}

static uint32_t
factor(const uint32_t *ppm, unsigned int i)
{
	return ppm[i] != 0 ? ppm[i] : MULTIPLIER_ONE_PPM;
}

struct fee_factors
fee_factors(const struct usage *usage, const struct price *price)
{
	assert(usage->tier < USAGE_TIERS && usage->speed < USAGE_SPEEDS &&
	    usage->region < USAGE_REGIONS);
	return (struct fee_factors) {
		.tier_ppm = factor(price->tier_ppm, usage->tier),
		.speed_ppm = factor(price->speed_ppm, usage->speed),
		.region_ppm = factor(price->region_ppm, usage->region),
	};
}

bool
fee_is_flat(enum usage_dim dim)
{
	return usage_dims[dim].kind == USAGE_KIND_EXTRA ||
	    usage_dims[dim].kind == USAGE_KIND_CALL;
}

void
fee_other_usage(const struct usage *usage, struct usage *other_r)
{
	memset(other_r, 0, sizeof(*other_r));
	memcpy(other_r->count, usage->other.count,
	    sizeof(usage->other.count));
	other_r->tier = usage->tier;
	other_r->speed = usage->speed;
	other_r->region = usage->region;
}

struct sums {
	unsigned __int128 scaled, flat;	/* PLACES_SUM */
	bool marked, unpriced;
};

static unsigned __int128
line_amount(const struct fee_line *line)
{
	assert(line->nano >= 0 && line->nano <= PRICE_MAX_NANO);
	assert(line->ppm <= MULTIPLIER_MAX_PPM);
	return (unsigned __int128)line->count * (uint64_t)line->nano *
	    (UNITS / usage_dims[line->as].per) * line->ppm;
}

static struct sums
add_up(const struct usage *usage, const struct price *price)
{
	struct sums sums = { 0 };

	for (int i = 0; i < USAGE_DIMS; i++) {
		enum usage_dim dim = (enum usage_dim)i;
		struct fee_line line;

		if (usage->count[i] == 0)
			continue;
		assert(usage->count[i] <= USAGE_COUNT_MAX);
		line = fee_line(usage, price, dim);
		sums.marked |= line.how == FEE_HOW_MARKED ||
		    line.how == FEE_HOW_REFINED;
		sums.unpriced |= line.how == FEE_HOW_UNPRICED;
		if (fee_is_flat(dim))
			sums.flat += line_amount(&line);
		else
			sums.scaled += line_amount(&line);
	}
	return sums;
}

static struct wide
served(const struct sums *sums, const struct fee_factors *f)
{
	/* Two of them fit into 64 bits: 10^9 × 10^9. */
	return wide_mul(wide_mul(wide_of(sums->scaled),
	    (uint64_t)f->tier_ppm * f->speed_ppm), f->region_ppm);
}

static struct wide
unserved(const struct sums *sums)
{
	return wide_mul(wide_of(sums->flat), PPM * PPM * PPM);
}

/* The parts of a fee; what the explanation and the fee itself come from. */
struct parts {
	struct sums sums, other_sums;
	struct wide served, flat, other, total;	/* PLACES_SERVED */
	struct wide least;			/* if by_minimum */
	struct wide charged;			/* PLACES_CHARGED */
	bool has_other, by_minimum, marked, unpriced;
};

/* Is the total below the least that a call costs?  Then it becomes that. */
static void
raise_to_minimum(const struct usage *usage, const struct price *price,
    struct parts *p)
{
	struct wide minimum;

	if (price->minimum_nano <= 0 || is_free(price) ||
	    usage_is_empty(usage))
		return;
	minimum = wide_mul(wide_of((unsigned __int128)price->minimum_nano *
	    (UNITS * PPM)), PPM * PPM * PPM);
	p->by_minimum = wide_compare(p->total, minimum) < 0;
	if (p->by_minimum)
		p->least = minimum;
}

static bool
has_other(const struct usage *usage)
{
	uint64_t any = 0;

	for (int i = 0; i < USAGE_OTHER_DIMS; i++)
		any |= usage->other.count[i];
	return any != 0;
}

static void
add_other(const struct usage *usage, const struct fee_terms *terms,
    struct parts *p)
{
	const struct price *price = terms->other != NULL ? terms->other :
	    terms->price;
	struct fee_factors factors;
	struct usage other;

	fee_other_usage(usage, &other);
	p->has_other = true;
	factors = fee_factors(&other, price);
	p->other_sums = add_up(&other, price);
	p->other = served(&p->other_sums, &factors);
	p->total = wide_add(p->total, p->other);
	p->marked |= p->other_sums.marked || terms->other == NULL;
	p->unpriced |= p->other_sums.unpriced;
}

static void
take_apart(const struct usage *usage, const struct fee_terms *terms,
    struct parts *p)
{
	struct fee_factors factors = fee_factors(usage, terms->price);

	assert(terms->multiplier_ppm <= MULTIPLIER_MAX_PPM);
	memset(p, 0, sizeof(*p));
	for (int i = USAGE_DIMS; i < USAGE_SLOTS; i++)
		assert(usage->count[i] == 0);
	p->sums = add_up(usage, terms->price);
	p->marked = p->sums.marked;
	p->unpriced = p->sums.unpriced;
	p->served = served(&p->sums, &factors);
	p->total = p->served;
	if (p->sums.flat != 0) {
		p->flat = unserved(&p->sums);
		p->total = wide_add(p->total, p->flat);
	}
	if (has_other(usage))
		add_other(usage, terms, p);
	raise_to_minimum(usage, terms->price, p);
	p->charged = wide_mul(p->by_minimum ? p->least : p->total,
	    terms->multiplier_ppm);
}

enum fee_result
fee_compute(const struct usage *usage, const struct fee_terms *terms,
    int64_t *fee_nano_r, bool *marked_r)
{
	uint64_t low, high, fee;
	struct parts p;
	struct wide q;

	take_apart(usage, terms, &p);
	if (marked_r != NULL)
		*marked_r = p.marked || p.unpriced;
	*fee_nano_r = 0;
	if (p.unpriced)
		return FEE_UNPRICED;
	q = wide_div(wide_div(p.charged, DIVISOR_1, &low), DIVISOR_2, &high);
	*fee_nano_r = INT64_MAX;
	if (!wide_to_u64(q, &fee) || fee > INT64_MAX)
		return FEE_OVERFLOW;
	/* What is left is high, and something behind it unless low is 0. */
	if (high > DIVISOR_2 / 2 || (high == DIVISOR_2 / 2 &&
	    (low != 0 || (fee & 1) != 0)))
		fee++;
	if (fee > INT64_MAX)
		return FEE_OVERFLOW;
	*fee_nano_r = (int64_t)fee;
	return FEE_OK;
}

/* The three is divided away; a minute's price may leave a rest for ever. */
static void
exact(struct wide amount, int places, char text_r[FEE_EXACT_BYTES])
{
	uint64_t rest;

	amount = wide_div(amount, 3, &rest);
	wide_format(amount, places + PLACES_NANO, rest != 0 ?
	    places + PLACES_NANO : 2, text_r);
	if (rest != 0)
		strcat(text_r, "...");
}

void
fee_line_amount(const struct fee_line *line, char text_r[FEE_EXACT_BYTES])
{
	exact(wide_of(line_amount(line)), PLACES_SUM, text_r);
}

void
fee_explain(const struct usage *usage, const struct fee_terms *terms,
    struct fee_steps *steps_r)
{
	struct parts p;

	take_apart(usage, terms, &p);
	exact(wide_of(p.sums.scaled), PLACES_SUM, steps_r->scaled);
	exact(wide_of(p.sums.flat), PLACES_SUM, steps_r->flat);
	exact(p.served, PLACES_SERVED, steps_r->served);
	exact(p.other, PLACES_SERVED, steps_r->other);
	exact(p.total, PLACES_SERVED, steps_r->total);
	exact(p.charged, PLACES_CHARGED, steps_r->charged);
	steps_r->has_flat = p.sums.flat != 0;
	steps_r->has_other = p.has_other;
	steps_r->by_minimum = p.by_minimum;
}

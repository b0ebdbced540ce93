#include "admin/explain.h"

#include <stdio.h>
#include <string.h>

#include "admin/report.h"
#include "base/money.h"

static const struct report_column line_columns[] = {
	{ "dimension", "", REPORT_TEXT, false },
	{ "count", "COUNT", REPORT_NUMBER, false },
	{ "price", "PRICE", REPORT_MONEY, false },
	{ "per", "PER", REPORT_NUMBER, false },
	{ "priced_as", NULL, REPORT_TEXT, false },
	{ "priced_count", NULL, REPORT_NUMBER, false },
	{ "how", NULL, REPORT_TEXT, false },
	{ "long", NULL, REPORT_FLAG, false },
	{ "long_multiplier", NULL, REPORT_TEXT, false },
	{ "amount", "AMOUNT", REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static const char *
how_name(enum fee_how how)
{
	switch (how) {
	case FEE_HOW_NOT_USED:
		return "not_used";
	case FEE_HOW_PRICED:
		return "priced";
	case FEE_HOW_ALIAS:
		return "as_usual";
	case FEE_HOW_REFINED:
		return "refined";
	case FEE_HOW_MARKED:
		return "unpriced_as";
	case FEE_HOW_INCLUDED:
		return "included";
	case FEE_HOW_FREE:
		return "free";
	case FEE_HOW_UNPRICED:
		return "unpriced";
	}
	return "";
}

static void
add_cells(struct report *lines, enum usage_dim dim, uint64_t count,
    const struct fee_line *line, const char *ppm, const char *amount)
{
	report_text(lines, usage_dims[dim].name);
	report_number(lines, (int64_t)count);
	report_money(lines, line->nano);
	report_number(lines, usage_dims[line->as].per);
	report_text(lines, usage_dims[line->as].name);
	report_number(lines, (int64_t)line->count);
	report_text(lines, how_name(line->how));
	report_flag(lines, line->is_long);
	report_text(lines, ppm);
	report_text(lines, amount);
}

/* For people: what it is charged as, if not as itself. */
static void
add_words(struct record *record, enum usage_dim dim, uint64_t count,
    const struct fee_line *line, const char *ppm, const char *amount)
{
	char name[80], price[MONEY_TEXT_BYTES], factor[MONEY_TEXT_BYTES + 8];

	switch (line->how) {
	case FEE_HOW_NOT_USED:
		return;
	case FEE_HOW_INCLUDED:
		if (dim != USAGE_CALLS)
			record_line(record, "  %-28s %12llu   included",
			    usage_dims[dim].name, (unsigned long long)count);
		return;
	case FEE_HOW_FREE:
	case FEE_HOW_UNPRICED:
		record_line(record, "  %-28s %12llu   %s",
		    usage_dims[dim].name, (unsigned long long)count,
		    line->how == FEE_HOW_FREE ? "free" : "has no price");
		return;
	case FEE_HOW_PRICED:
	case FEE_HOW_ALIAS:
	case FEE_HOW_REFINED:
	case FEE_HOW_MARKED:
		break;
	}
	if (line->as == dim)
		snprintf(name, sizeof name, "%s%s", usage_dims[dim].name,
		    line->is_long ? ", long" : "");
	else
		snprintf(name, sizeof name, "%s (as %s)%s",
		    usage_dims[dim].name, usage_dims[line->as].name,
		    line->is_long ? ", long" : "");
	factor[0] = '\0';
	if (line->ppm != MULTIPLIER_ONE_PPM)
		snprintf(factor, sizeof factor, " x %s", ppm);
	money_format(line->nano, 2, price);
	record_line(record, "  %-28s %12llu x %12s / %s%s = %s", name,
	    (unsigned long long)line->count, price, usage_dims[line->as].unit,
	    factor, amount);
}

static void
add_lines(struct record *record, struct report *lines,
    const struct usage *usage, const struct price *price)
{
	char amount[FEE_EXACT_BYTES], ppm[MONEY_TEXT_BYTES];
	struct fee_line line;
	enum usage_dim dim;
	int i;

	for (i = 0; i < USAGE_DIMS; i++) {
		dim = (enum usage_dim)i;
		line = fee_line(usage, price, dim);
		/* The call itself is worth a line when it costs something. */
		if (line.how == FEE_HOW_NOT_USED || (dim == USAGE_CALLS &&
		    line.how == FEE_HOW_INCLUDED))
			continue;
		fee_line_amount(&line, amount);
		ppm_format(line.ppm, ppm);
		add_cells(lines, dim, usage->count[i], &line, ppm, amount);
		add_words(record, dim, usage->count[i], &line, ppm, amount);
	}
}

static void
add_factor(struct record *record, const char *key, const char *what,
    const char *which, uint32_t ppm)
{
	char text[MONEY_TEXT_BYTES], label[64];

	ppm_format(ppm, text);
	snprintf(label, sizeof label, "%s_multiplier", key);
	record_text(record, key, NULL, which);
	record_text(record, label, NULL, text);
	if (ppm != MULTIPLIER_ONE_PPM)
		record_line(record, "  x %s %-*s %12s", what,
		    25 - (int)strlen(what), which, text);
}

static void
add_factors(struct record *record, const struct usage *usage,
    const struct price *price)
{
	struct fee_factors f;

	f = fee_factors(usage, price);
	add_factor(record, "tier", "tier", usage_tier_name(usage->tier),
	    f.tier_ppm);
	add_factor(record, "speed", "speed", usage_speed_name(usage->speed),
	    f.speed_ppm);
	add_factor(record, "region", "region",
	    usage_region_name(usage->region), f.region_ppm);
}

static void
add_step(struct record *record, const char *key, const char *label,
    const char *amount)
{
	record_text(record, key, NULL, amount);
	if (label != NULL)
		record_line(record, "  %-64s = %s", label, amount);
}

static void
add_other(struct record *record, const struct usage *usage,
    const struct fee_terms *terms, const char *other_model,
    const struct fee_steps *steps)
{
	struct report *lines;
	struct usage other;

	if (!steps->has_other)
		return;
	record_line(record, "  Done by %s%s:", other_model != NULL ?
	    other_model : "a model that isn't sold here",
	    terms->other == NULL ? ", at this one's price" : "");
	fee_other_usage(usage, &other);
	lines = report_list("other_lines", line_columns);
	add_lines(record, lines, &other,
	    terms->other != NULL ? terms->other : terms->price);
	record_list(record, &lines);
	add_step(record, "other", "  that, in the same tier, speed and region",
	    steps->other);
}

enum fee_result
explain_fee(struct record *record, const struct usage *usage,
    const struct fee_terms *terms, const char *other_model, int64_t *fee_r,
    bool *marked_r)
{
	char factor[MONEY_TEXT_BYTES], text[MONEY_TEXT_BYTES];
	struct fee_steps steps;
	struct report *lines;
	enum fee_result result;

	fee_explain(usage, terms, &steps);
	lines = report_list("lines", line_columns);
	add_lines(record, lines, usage, terms->price);
	record_list(record, &lines);
	add_step(record, "sum", "sum", steps.scaled);
	add_factors(record, usage, terms->price);
	add_step(record, "served", strcmp(steps.served, steps.scaled) != 0 ?
	    "sum as it was served" : NULL, steps.served);
	add_step(record, "flat", steps.has_flat ?
	    "+ calls and tool calls" : NULL, steps.flat);
	add_other(record, usage, terms, other_model, &steps);
	add_step(record, "total", steps.has_flat || steps.has_other ?
	    "total" : NULL, steps.total);
	if (steps.by_minimum) {
		money_format(terms->price->minimum_nano, 2, text);
		record_line(record, "  %-64s = %s", "the least that a call "
		    "costs", text);
	}
	record_flag(record, "by_minimum", NULL, steps.by_minimum);
	ppm_format(terms->multiplier_ppm, factor);
	record_text(record, "multiplier", NULL, factor);
	record_text(record, "exact", NULL, steps.charged);
	record_line(record, "  %-28s %12s   %12s         = %s",
	    "x group's multiplier", "", factor, steps.charged);
	result = fee_compute(usage, terms, fee_r, marked_r);
	money_format(*fee_r, 9, text);
	record_line(record, "  %-64s = %s", result == FEE_UNPRICED ?
	    "something has no price: what is held is charged" :
	    "rounded half to even, to the nano", text);
	record_flag(record, "marked", NULL, *marked_r);
	return result;
}

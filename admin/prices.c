#include "admin/prices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/queries.h"

struct prices {
	size_t rows;
	size_t room;
	struct priced *row;		/* by version; costs: by channel, too */
	size_t models;
	size_t model_room;
	struct model_name *model;	/* by id */
	bool failed;
};

struct model_name {
	uint64_t id;
	char name[MODEL_NAME_BYTES];
};

static bool
keep(const struct price_row *row, void *arg)
{
	struct prices *p = arg;
	struct priced *more;

	if (p->rows == p->room) {
		p->room = p->room == 0 ? 64 : p->room * 2;
		more = realloc(p->row, p->room * sizeof *more);
		if (more == NULL) {
			p->failed = true;
			return false;
		}
		p->row = more;
	}
	more = &p->row[p->rows++];
	more->price = row->price;
	more->model_id = (uint64_t)row->model_id;
	more->channel_id = (uint64_t)row->channel_id;
	more->effective_us = row->effective_us;
	snprintf(more->model, sizeof more->model, "%s", row->model);
	return true;
}

static bool
keep_model(const struct model_row *row, void *arg)
{
	struct prices *p = arg;
	struct model_name *more;

	if (p->models == p->model_room) {
		p->model_room = p->model_room == 0 ? 64 : p->model_room * 2;
		more = realloc(p->model, p->model_room * sizeof *more);
		if (more == NULL) {
			p->failed = true;
			return false;
		}
		p->model = more;
	}
	more = &p->model[p->models++];
	more->id = (uint64_t)row->id;
	snprintf(more->name, sizeof more->name, "%s", row->name);
	return true;
}

static int
compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Prices have no channel. */
static int
by_channel_and_version(const void *a, const void *b)
{
	const struct priced *x = a, *y = b;
	int order;

	order = compare(x->channel_id, y->channel_id);
	return order != 0 ? order :
	    compare(x->price.version, y->price.version);
}

static struct prices *
load(struct db *db, bool costs, enum db_result *result_r)
{
	struct prices *p;

	*result_r = DB_OK;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	*result_r = costs ? q_cost_each(db, 0, NULL, keep, p) :
	    q_price_each(db, NULL, keep, p);
	if (*result_r == DB_OK)
		*result_r = q_model_each(db, keep_model, p);
	if (*result_r != DB_OK || p->failed) {
		prices_free(&p);
		return NULL;
	}
	if (p->rows > 0)
		qsort(p->row, p->rows, sizeof *p->row,
		    by_channel_and_version);
	return p;
}

struct prices *
prices_load(struct db *db, enum db_result *result_r)
{
	return load(db, false, result_r);
}

struct prices *
costs_load(struct db *db, enum db_result *result_r)
{
	return load(db, true, result_r);
}

void
prices_free(struct prices **prices)
{
	if (*prices != NULL) {
		free((*prices)->row);
		free((*prices)->model);
	}
	free(*prices);
	*prices = NULL;
}

const struct priced *
prices_find(const struct prices *p, uint64_t version)
{
	struct priced key;

	if (p->rows == 0)
		return NULL;
	memset(&key, 0, sizeof key);
	key.price.version = version;
	return bsearch(&key, p->row, p->rows, sizeof *p->row,
	    by_channel_and_version);
}

static int
by_id(const void *a, const void *b)
{
	const struct model_name *x = a, *y = b;

	return compare(x->id, y->id);
}

bool
prices_fit(const struct prices *p, const struct priced *priced,
    uint64_t model_id)
{
	const struct model_name *found;
	struct model_name key;

	if (priced->model_id == model_id)
		return true;
	memset(&key, 0, sizeof key);
	key.id = model_id;
	found = p->models == 0 ? NULL : bsearch(&key, p->model, p->models,
	    sizeof *p->model, by_id);
	return found != NULL && model_fit(priced->model, found->name) != 0;
}

/* Where a channel's rows begin. */
static size_t
first_of(const struct prices *p, uint64_t channel_id)
{
	size_t low, high, mid;

	low = 0;
	high = p->rows;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (p->row[mid].channel_id < channel_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct price *
costs_at(const struct prices *p, uint64_t channel_id, const char *model,
    int64_t at_us)
{
	const struct priced *best, *row;
	size_t best_fit, fit, i;

	best = NULL;
	best_fit = 0;
	for (i = first_of(p, channel_id); i < p->rows &&
	    p->row[i].channel_id == channel_id; i++) {
		row = &p->row[i];
		fit = row->effective_us <= at_us ?
		    model_fit(row->model, model) : 0;
		/* Of equals the latest, then the one that was set last. */
		if (fit == 0 || fit < best_fit || (fit == best_fit &&
		    row->effective_us < best->effective_us))
			continue;
		best = row;
		best_fit = fit;
	}
	return best != NULL ? &best->price : NULL;
}

static bool
counts_sane(const struct call_record *r)
{
	int i;

	for (i = 0; i < USAGE_SLOTS; i++)
		if (r->count[i] > (i < USAGE_DIMS ? USAGE_COUNT_MAX : 0))
			return false;
	for (i = 0; i < USAGE_OTHER_DIMS; i++)
		if (r->other_count[i] > USAGE_COUNT_MAX)
			return false;
	return true;
}

const char *
prices_fee(const struct call_record *r, const struct price *price,
    const struct price *other, uint32_t multiplier_ppm, int64_t *fee_r,
    bool *marked_r)
{
	struct fee_terms terms = { price, other, multiplier_ppm };
	struct usage usage;

	if (multiplier_ppm > MULTIPLIER_MAX_PPM)
		return "its multiplier is impossible";
	if (!counts_sane(r))
		return "its counts are impossible";
	if (r->tier >= USAGE_TIERS || r->speed >= USAGE_SPEEDS ||
	    r->region >= USAGE_REGIONS || r->image_quality >= IMAGE_QUALITIES)
		return "its tier, speed, region or quality is impossible";
	record_get_usage(r, &usage);
	switch (fee_compute(&usage, &terms, fee_r, marked_r)) {
	case FEE_OK:
	case FEE_OVERFLOW:
		break;
	case FEE_UNPRICED:
		/* Then what was held is the fee. */
		*fee_r = r->held_nano;
		break;
	}
	return NULL;
}

bool
prices_used(const struct call_record *r)
{
	struct usage usage;

	record_get_usage(r, &usage);
	return !usage_is_empty(&usage);
}

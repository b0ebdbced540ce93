#include "admin/prices.h"

#include <stdlib.h>
#include <string.h>

#include "db/queries.h"

struct priced {
	struct price price;
	uint64_t model_id;
};

struct prices {
	size_t rows;
	size_t room;
	struct priced *row;
	bool failed;
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
	p->row[p->rows].price = row->price;
	p->row[p->rows].model_id = (uint64_t)row->model_id;
	p->rows++;
	return true;
}

static int
by_version(const void *a, const void *b)
{
	const struct priced *x = a, *y = b;

	return x->price.version < y->price.version ? -1 :
	    x->price.version > y->price.version;
}

struct prices *
prices_load(struct db *db, enum db_result *result_r)
{
	struct prices *p;

	*result_r = DB_OK;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	*result_r = q_price_each(db, NULL, keep, p);
	if (*result_r != DB_OK || p->failed) {
		prices_free(&p);
		return NULL;
	}
	if (p->rows > 0)
		qsort(p->row, p->rows, sizeof *p->row, by_version);
	return p;
}

void
prices_free(struct prices **prices)
{
	if (*prices != NULL)
		free((*prices)->row);
	free(*prices);
	*prices = NULL;
}

const struct price *
prices_find(const struct prices *p, uint64_t version, uint64_t *model_id_r)
{
	struct priced key;
	const struct priced *found;

	if (p->rows == 0)
		return NULL;
	memset(&key, 0, sizeof key);
	key.price.version = version;
	found = bsearch(&key, p->row, p->rows, sizeof *p->row, by_version);
	if (found == NULL)
		return NULL;
	if (model_id_r != NULL)
		*model_id_r = found->model_id;
	return &found->price;
}

const char *
prices_fee(const struct price *price, const uint64_t *count,
    uint32_t multiplier_ppm, int64_t *fee_r)
{
	struct usage usage;
	int i;

	memset(&usage, 0, sizeof usage);
	if (multiplier_ppm > MULTIPLIER_MAX_PPM)
		return "its multiplier is impossible";
	for (i = 0; i < USAGE_SLOTS; i++) {
		if (count[i] == 0)
			continue;
		if (i >= USAGE_DIMS || count[i] > USAGE_COUNT_MAX)
			return "its token counts are impossible";
		if (fee_price_of(price, (enum usage_dim)i) == PRICE_UNSET)
			return "its price has no entry for what it used";
		usage.count[i] = count[i];
	}
	if (fee_compute(&usage, price, multiplier_ppm, fee_r) != FEE_OK)
		return "its fee is larger than any amount";
	return NULL;
}

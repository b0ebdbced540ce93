/*
 * fee_calc.c: fees by the program's arithmetic, for test_fee_oracle.py.
 *
 * First it says the names of a price's fields and of the dimensions, a line
 * each.  Then a line in is numbers: flags, images and four of each, the
 * fields, of the price and of the other model's row; whether that one is to
 * be used; the counts, tier, speed, region, quality, width, height; the other
 * model's counts; the multiplier.  A line out: result, fee, marked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fee.h"

static int64_t
next(void)
{
	int64_t n;

	if (scanf("%" SCNd64, &n) != 1)
		exit(feof(stdin) ? 0 : 1);
	return n;
}

static void
read_price(struct price *p, int64_t flags)
{
	price_clear(p);
	p->flags = (uint32_t)flags;
	p->images = (uint32_t)next();
	for (uint32_t i = 0; i < p->images; i++) {
		p->image[i].width = (uint16_t)next();
		p->image[i].height = (uint16_t)next();
		p->image[i].quality = (uint8_t)next();
		p->image[i].nano = next();
	}
	for (int i = 0; i < PRICE_FIELDS_N; i++)
		if (!price_set(p, &price_fields[i], next()))
			exit(2);
	if (!price_is_sane(p))
		exit(3);
}

int
main(void)
{
	struct price price, other;

	for (int i = 0; i < PRICE_FIELDS_N; i++)
		printf("%s ", price_fields[i].name);
	printf("\n");
	for (int i = 0; i < USAGE_DIMS; i++)
		printf("%s ", usage_dims[i].name);
	printf("\n");
	fflush(stdout);
	for (;;) {
		struct fee_terms terms = { &price, &other, 0 };
		struct usage u = { .marks = USAGE_SEEN };
		enum fee_result result;
		int64_t fee;
		bool marked;

		read_price(&price, next());
		read_price(&other, next());
		if (next() == 0)
			terms.other = NULL;
		for (int i = 0; i < USAGE_DIMS; i++)
			u.count[i] = (uint64_t)next();
		u.tier = (uint8_t)next();
		u.speed = (uint8_t)next();
		u.region = (uint8_t)next();
		u.image_quality = (uint8_t)next();
		u.image_width = (uint16_t)next();
		u.image_height = (uint16_t)next();
		for (int i = 0; i < USAGE_OTHER_DIMS; i++)
			u.other.count[i] = (uint64_t)next();
		terms.multiplier_ppm = (uint32_t)next();
		result = fee_compute(&u, &terms, &fee, &marked);
		printf("%d %" PRId64 " %d\n", result, fee, marked);
		fflush(stdout);
	}
}

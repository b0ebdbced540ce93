#include "db/price_columns.h"

#include <stdlib.h>

/* "width height quality nano …"; the table's CHECK keeps them in bounds. */
static void
get_images(const char *text, struct price *price)
{
	long long v[DB_PRICE_IMAGE_MEMBERS];
	struct price_image *image;
	char *end;
	int n = 0;

	while (price->images < PRICE_IMAGES) {
		v[n++] = strtoll(text, &end, 10);
		if (end == text)
			return;
		text = end;
		if (n < DB_PRICE_IMAGE_MEMBERS)
			continue;
		image = &price->image[price->images++];
		image->width = (uint16_t)v[0];
		image->height = (uint16_t)v[1];
		image->quality = (uint8_t)v[2];
		image->nano = v[3];
		n = 0;
	}
}

void
db_get_price(const struct db_rows *rows, size_t row, int first,
    struct price *price_r)
{
	int column = first;

	price_clear(price_r);
	price_r->version = (uint64_t)db_get_int(rows, row, column++);
	for (int i = 0; i < PRICE_FIELDS_N; i++, column++)
		/* What is out of bounds stays unset. */
		if (!db_null(rows, row, column))
			(void)!price_set(price_r, &price_fields[i],
			    db_get_int(rows, row, column));
	if (db_get_bool(rows, row, column++))
		price_r->flags |= PRICE_FREE;
	get_images(db_get_text(rows, row, column), price_r);
}

void
db_put_price(const struct price *price,
    struct db_param param_r[DB_PRICE_INSERT_COUNT],
    int64_t images_r[PRICE_IMAGES * DB_PRICE_IMAGE_MEMBERS])
{
	size_t n = 0;
	int i;

	for (i = 0; i < PRICE_FIELDS_N; i++) {
		int64_t v = price_get(price, &price_fields[i]);

		param_r[i] = db_int(v);
		param_r[i].null = v == PRICE_UNSET;
	}
	param_r[i++] = db_bool((price->flags & PRICE_FREE) != 0);
	for (uint32_t k = 0; k < price->images; k++) {
		images_r[n++] = price->image[k].width;
		images_r[n++] = price->image[k].height;
		images_r[n++] = price->image[k].quality;
		images_r[n++] = price->image[k].nano;
	}
	param_r[i] = db_int_array(images_r, n);
}

/*
 * price_columns.h: a row of youyun.price or youyun.cost as a struct price,
 * and back.
 * Layer: db.
 * Written by: pure functions.
 */
#ifndef DB_PRICE_COLUMNS_H
#define DB_PRICE_COLUMNS_H

#include "base/price.h"
#include "db/value.h"

/* A column is called after its field and what it is in. */
#define DB_PRICE_SUFFIX_NANO "_nano"
#define DB_PRICE_SUFFIX_PPM "_ppm"
#define DB_PRICE_SUFFIX_COUNT "_count"

/* In this order, for a SELECT from a table called p. */
#define DB_PRICE_COLUMN(kind, member, name) \
	" p." name DB_PRICE_SUFFIX_##kind ","
#define DB_PRICE_COLUMNS "p.id," PRICE_FIELDS(DB_PRICE_COLUMN) \
	" p.free, array_to_string(p.images, ' ')"
#define DB_PRICE_COLUMN_COUNT (PRICE_FIELDS_N + 3)

/* Reads them from column `first` on; without a row nothing is priced. */
void	db_get_price(const struct db_rows *rows, size_t row, int first,
	    struct price *price_r);

/* For an INSERT: "name, name …, free, images", and as many parameters.
 * images_r backs the last of them. */
#define DB_PRICE_INSERT_COLUMN(kind, member, name) \
	" " name DB_PRICE_SUFFIX_##kind ","
#define DB_PRICE_INSERT_COLUMNS PRICE_FIELDS(DB_PRICE_INSERT_COLUMN) \
	" free, images"
#define DB_PRICE_INSERT_COUNT (PRICE_FIELDS_N + 2)
#define DB_PRICE_IMAGE_MEMBERS 4
void	db_put_price(const struct price *price,
	    struct db_param param_r[DB_PRICE_INSERT_COUNT],
	    int64_t images_r[PRICE_IMAGES * DB_PRICE_IMAGE_MEMBERS]);

#endif

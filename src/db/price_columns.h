/*
 * price_columns.h: a price row's columns into a struct price.
 * Layer: db.
 * Written by: pure functions.
 */
#ifndef DB_PRICE_COLUMNS_H
#define DB_PRICE_COLUMNS_H

#include "base/fee.h"
#include "db/value.h"

/* In this order, for a SELECT. */
#define DB_PRICE_COLUMNS "p.id, p.input_nano, p.output_nano," \
	" p.cache_read_nano, p.cache_write_5m_nano, p.cache_write_1h_nano"
#define DB_PRICE_COLUMN_COUNT 6

/* Reads them from column `first` on; NULL becomes PRICE_UNSET, as do the
 * dimensions that have no column. */
void	db_get_price(const struct db_rows *rows, size_t row, int first,
	    struct price *price_r);

#endif

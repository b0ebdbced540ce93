#include "db/price_columns.h"

void
db_get_price(const struct db_rows *rows, size_t row, int first,
    struct price *price_r)
{
	int dim;

	price_r->version = (uint64_t)db_get_int(rows, row, first);
	for (dim = 0; dim < USAGE_SLOTS; dim++) {
		price_r->nano_per_million[dim] = PRICE_UNSET;
		if (dim < USAGE_DIMS_STORED &&
		    !db_null(rows, row, first + 1 + dim))
			price_r->nano_per_million[dim] =
			    db_get_int(rows, row, first + 1 + dim);
	}
}

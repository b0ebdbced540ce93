/*
 * price_text.h: what people write for a price row, and what they read.
 * Layer: admin.
 * Written by: nobody; pure functions.
 */
#ifndef ADMIN_PRICE_TEXT_H
#define ADMIN_PRICE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/price.h"

struct args;

/* Room for a field's name or value, and for all of a row's images. */
#define PRICE_TEXT_BYTES 64
#define PRICE_IMAGES_BYTES (PRICE_IMAGES * 48)
#define PRICE_SUMMARY_BYTES 2048

/* NULL: the field is set; else why not (static). */
const char *price_field_read(struct price *price,
	    const struct price_field *field, const char *text)
	    __attribute__((warn_unused_result));
/* "" for what isn't set. */
void	price_field_write(const struct price *price,
	    const struct price_field *field, char text_r[PRICE_TEXT_BYTES]);
/* "cache-read": as youyunctl's options are spelled. */
void	price_field_option(const struct price_field *field,
	    char name_r[PRICE_TEXT_BYTES]);

/*
 * Images, with spaces between: "1024x1024:high=0.167", "1024x1024=0.04" for
 * any quality, "any:low=0.011" for any size.  Adds to those there are; NULL or
 * why not.
 */
const char *price_images_read(struct price *price, const char *text)
	    __attribute__((warn_unused_result));
void	price_images_write(const struct price *price,
	    char text_r[PRICE_IMAGES_BYTES]);

/* "1024x1536"; false: it is no size. */
bool	image_size_read(const char *text, uint16_t *width_r,
	    uint16_t *height_r) __attribute__((warn_unused_result));

/* All that is set from field number `first` on: "input 3.00, flex x 0.5". */
void	price_summary(const struct price *price, int first,
	    char text_r[PRICE_SUMMARY_BYTES]);

/* Do both rows charge the same? */
bool	price_same(const struct price *a, const struct price *b);

#endif

#include "admin/price_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/check.h"
#include "base/money.h"

const char *
price_field_read(struct price *price, const struct price_field *field,
    const char *text)
{
	enum money_result result;
	int64_t value;
	uint32_t ppm;

	switch (field->kind) {
	case PRICE_FIELD_NANO:
		result = money_parse(text, &value);
		if (result != MONEY_OK)
			return money_explain(result);
		if (value < 0 || !price_set(price, field, value))
			return "allowed are 0 to 1000000";
		return NULL;
	case PRICE_FIELD_PPM:
		result = ppm_parse(text, &ppm);
		if (result != MONEY_OK)
			return money_explain(result);
		if (!price_set(price, field, ppm))
			return "allowed are 0.000001 to 1000";
		return NULL;
	case PRICE_FIELD_COUNT:
		if (!check_number(text, &value) ||
		    !price_set(price, field, value))
			return "allowed are 1 to 1000000000";
		return NULL;
	}
	return "unknown";
}

void
price_field_write(const struct price *price, const struct price_field *field,
    char text_r[PRICE_TEXT_BYTES])
{
	int64_t value;

	text_r[0] = '\0';
	value = price_get(price, field);
	if (value == PRICE_UNSET)
		return;
	switch (field->kind) {
	case PRICE_FIELD_NANO:
		money_format(value, 2, text_r);
		return;
	case PRICE_FIELD_PPM:
		ppm_format((uint32_t)value, text_r);
		return;
	case PRICE_FIELD_COUNT:
		snprintf(text_r, PRICE_TEXT_BYTES, "%lld", (long long)value);
		return;
	}
}

void
price_field_option(const struct price_field *field,
    char name_r[PRICE_TEXT_BYTES])
{
	char *p;

	snprintf(name_r, PRICE_TEXT_BYTES, "%s", field->name);
	for (p = name_r; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
}

/* Up to five digits, and on to what follows them. */
static bool
read_pixels(const char **text, uint16_t *pixels_r)
{
	unsigned long n;
	char *end;

	if (**text < '1' || **text > '9')
		return false;
	n = strtoul(*text, &end, 10);
	if (end - *text > 5 || n > PRICE_IMAGE_PIXELS_MAX)
		return false;
	*text = end;
	*pixels_r = (uint16_t)n;
	return true;
}

bool
image_size_read(const char *text, uint16_t *width_r, uint16_t *height_r)
{
	return read_pixels(&text, width_r) && *text++ == 'x' &&
	    read_pixels(&text, height_r) && *text == '\0';
}

static bool
read_quality(const char *text, uint8_t *quality_r)
{
	unsigned int i;

	for (i = 1; i < IMAGE_QUALITIES; i++)
		if (strcmp(image_quality_name(i), text) == 0) {
			*quality_r = (uint8_t)i;
			return true;
		}
	return false;
}

/* "1024x1024:high=0.167", which it takes apart. */
static const char *
read_image(struct price *price, char *text)
{
	struct price_image image;
	enum money_result result;
	char *equals, *colon;

	memset(&image, 0, sizeof image);
	equals = strchr(text, '=');
	if (equals == NULL)
		return "an image is written like 1024x1024:high=0.167";
	*equals = '\0';
	colon = strchr(text, ':');
	if (colon != NULL) {
		*colon = '\0';
		if (!read_quality(colon + 1, &image.quality))
			return "an image's quality is low, medium or high";
	}
	if (strcmp(text, "any") == 0) {
		if (image.quality == 0)
			return "what any image costs is per_image";
	} else if (!image_size_read(text, &image.width, &image.height)) {
		return "an image's size is like 1024x1536, or any";
	}
	result = money_parse(equals + 1, &image.nano);
	if (result != MONEY_OK)
		return money_explain(result);
	if (image.nano < 0 || image.nano > PRICE_MAX_NANO)
		return "allowed are 0 to 1000000";
	if (price->images == PRICE_IMAGES)
		return "at most 12 images can be priced apart";
	price->image[price->images++] = image;
	return NULL;
}

const char *
price_images_read(struct price *price, const char *text)
{
	char copy[PRICE_IMAGES_BYTES], *word, *rest;
	const char *why;

	if (strlen(text) >= sizeof copy)
		return "at most 12 images can be priced apart";
	snprintf(copy, sizeof copy, "%s", text);
	rest = copy;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (word[0] == '\0')
			continue;
		why = read_image(price, word);
		if (why != NULL)
			return why;
	}
	return NULL;
}

static size_t
append(char *to, size_t len, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static size_t
append(char *to, size_t len, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to + len, size - len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return len;
	return len + (size_t)n < size ? len + (size_t)n : size - 1;
}

static size_t
append_image(char *to, size_t len, size_t size,
    const struct price_image *image)
{
	char price[MONEY_TEXT_BYTES];

	if (image->width != 0)
		len = append(to, len, size, "%ux%u", image->width,
		    image->height);
	else
		len = append(to, len, size, "any");
	if (image->quality != 0)
		len = append(to, len, size, ":%s",
		    image_quality_name(image->quality));
	money_format(image->nano, 2, price);
	return append(to, len, size, "=%s", price);
}

void
price_images_write(const struct price *price, char text_r[PRICE_IMAGES_BYTES])
{
	size_t len;
	uint32_t i;

	len = 0;
	text_r[0] = '\0';
	for (i = 0; i < price->images; i++) {
		if (i > 0)
			len = append(text_r, len, PRICE_IMAGES_BYTES, " ");
		len = append_image(text_r, len, PRICE_IMAGES_BYTES,
		    &price->image[i]);
	}
}

void
price_summary(const struct price *price, int first,
    char text_r[PRICE_SUMMARY_BYTES])
{
	char value[PRICE_TEXT_BYTES], images[PRICE_IMAGES_BYTES];
	const struct price_field *field;
	size_t len;
	int i;

	len = 0;
	text_r[0] = '\0';
	if ((price->flags & PRICE_FREE) != 0)
		len = append(text_r, len, PRICE_SUMMARY_BYTES, "free");
	for (i = first; i < PRICE_FIELDS_N; i++) {
		field = &price_fields[i];
		price_field_write(price, field, value);
		if (value[0] == '\0')
			continue;
		len = append(text_r, len, PRICE_SUMMARY_BYTES, "%s%s %s",
		    len > 0 ? ", " : "", field->name, value);
	}
	price_images_write(price, images);
	if (images[0] != '\0')
		append(text_r, len, PRICE_SUMMARY_BYTES, "%simages %s",
		    len > 0 ? ", " : "", images);
}

bool
price_same(const struct price *a, const struct price *b)
{
	int i;

	for (i = 0; i < PRICE_FIELDS_N; i++)
		if (price_get(a, &price_fields[i]) !=
		    price_get(b, &price_fields[i]))
			return false;
	return a->flags == b->flags && a->images == b->images &&
	    memcmp(a->image, b->image, a->images * sizeof a->image[0]) == 0;
}

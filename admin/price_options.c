#include "admin/price_options.h"

#include "admin/price_text.h"

/* What is missing before anything is judged as a whole. */
static enum admin_exit
check_missing(const struct price *price)
{
	if (price->nano[USAGE_INPUT] >= 0 ||
	    (price->flags & PRICE_FREE) != 0 ||
	    (price_is_set(price) && price->nano[USAGE_OUTPUT] < 0))
		return ADMIN_OK;
	complain("--input PRICE is missing");
	hint("prices are per million tokens; --free makes a model cost "
	    "nothing");
	return ADMIN_USAGE;
}

enum admin_exit
price_options_read(const struct args *args, struct price *price)
{
	char name[PRICE_TEXT_BYTES];
	const char *text, *why;
	int i;

	price_clear(price);
	for (i = 0; i < PRICE_FIELDS_N; i++) {
		price_field_option(&price_fields[i], name);
		text = args_get(args, name);
		why = text == NULL ? NULL :
		    price_field_read(price, &price_fields[i], text);
		if (why != NULL) {
			complain("--%s %s: %s", name, text, why);
			return ADMIN_USAGE;
		}
	}
	for (i = 0; (text = args_nth(args, "image", i)) != NULL; i++) {
		why = price_images_read(price, text);
		if (why != NULL) {
			complain("--image %s: %s", text, why);
			return ADMIN_USAGE;
		}
	}
	if (args_has(args, "free"))
		price->flags |= PRICE_FREE;
	if (check_missing(price) != ADMIN_OK)
		return ADMIN_USAGE;
	why = price_check(price);
	if (why != NULL) {
		complain("this is no price: %s", why);
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

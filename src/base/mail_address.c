#include "base/mail_address.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define LOCAL_MAX 64
#define LABEL_MAX 63

/* Parts of allowed characters with dots between them; how many, 0: none. */
static int
dotted(const char *p, size_t len, const char *allowed, size_t part_max)
{
	size_t part = 0;
	int parts = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '.') {
			if (part == 0)
				return 0;
			part = 0;
			continue;
		}
		if (strchr(allowed, p[i]) == NULL || ++part > part_max)
			return 0;
		parts += part == 1;
	}
	return part > 0 ? parts : 0;
}

bool
mail_address_ok(const char *text)
{
	const char *at = strrchr(text, '@'), *domain;
	size_t len = strlen(text), local;

	if (at == NULL || len >= MAIL_ADDRESS_BYTES)
		return false;
	local = (size_t)(at - text);
	domain = at + 1;
	return local >= 1 && local <= LOCAL_MAX && text[0] != '-' &&
	    dotted(text, local, LETTERS DIGITS "_+-=~", LOCAL_MAX) > 0 &&
	    domain[0] != '-' && dotted(domain, len - local - 1,
	    LETTERS DIGITS "-", LABEL_MAX) >= 2;
}

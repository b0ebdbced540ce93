#include "base/currency.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool
currency_is_code(const char *text)
{
	return strlen(text) == 3 &&
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* ISO 4217, list one: all others have two. */
int
currency_places(const char *code)
{
	static const char *const none[] = { "BIF", "CLP", "DJF", "GNF", "ISK",
		"JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
		"XAF", "XOF", "XPF" };
	static const char *const three[] = { "BHD", "IQD", "JOD", "KWD", "LYD",
		"OMR", "TND" };
	static const char *const four[] = { "CLF", "UYW" };
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (strcmp(none[i], code) == 0)
			return 0;
	for (i = 0; i < sizeof(three) / sizeof(three[0]); i++)
		if (strcmp(three[i], code) == 0)
			return 3;
	for (i = 0; i < sizeof(four) / sizeof(four[0]); i++)
		if (strcmp(four[i], code) == 0)
			return 4;
	return 2;
}

bool
currency_parse(const char *text, const char *code, int64_t *minor_r)
{
	int places = currency_places(code), n = -1;
	const char *p = text;
	int64_t v = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p != '\0'; p++) {
		if (*p == '.' && n < 0 && p[1] != '\0') {
			n = 0;
			continue;
		}
		if (*p < '0' || *p > '9' || (n >= 0 && ++n > places))
			return false;
		v = v * 10 + (*p - '0');
		if (v > CURRENCY_MINOR_MAX)
			return false;
	}
	for (n = n < 0 ? 0 : n; n < places; n++) {
		v *= 10;
		if (v > CURRENCY_MINOR_MAX)
			return false;
	}
	*minor_r = v;
	return true;
}

void
currency_format(int64_t minor, const char *code, char *buf)
{
	int places = currency_places(code), i;
	int64_t one = 1;

	assert(minor >= 0);
	for (i = 0; i < places; i++)
		one *= 10;
	if (places == 0)
		snprintf(buf, CURRENCY_TEXT_BYTES, "%lld", (long long)minor);
	else
		snprintf(buf, CURRENCY_TEXT_BYTES, "%lld.%0*lld",
		    (long long)(minor / one), places,
		    (long long)(minor % one));
}

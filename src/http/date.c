#include "http/date.h"

#include <string.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "SunMonTueWedThuFriSat";

/* The place of three letters in a row of such; -1. */
static int
place_of(const char *row, const char *three)
{
	for (int i = 0; row[3 * i] != '\0'; i++)
		if (memcmp(row + 3 * i, three, 3) == 0)
			return i;
	return -1;
}

static bool
number(const char *p, int digits, int *n_r)
{
	*n_r = 0;
	for (int i = 0; i < digits; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*n_r = 10 * *n_r + (p[i] - '0');
	}
	return true;
}

/* Days since 1970-01-01 of a Gregorian date: years that begin in March have
 * their leap day at the end. */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t y = month < 2 ? year - 1 : year;
	int64_t march = (month + 10) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 +
	    (march * 153 + 2) / 5 + day - 1 - 719468;
}

bool
http_date_parse(const char *text, int64_t *seconds_r)
{
	static const char form[] = "www, dd mmm yyyy hh:mm:ss GMT";
	int day, month, year, hour, minute, second;

	*seconds_r = 0;
	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 3; i < sizeof(form) - 1; i++)
		if (strchr(", :GMT", form[i]) != NULL && text[i] != form[i])
			return false;
	month = place_of(months, text + 8);
	if (place_of(days, text) < 0 || month < 0 ||
	    !number(text + 5, 2, &day) || !number(text + 12, 4, &year) ||
	    !number(text + 17, 2, &hour) || !number(text + 20, 2, &minute) ||
	    !number(text + 23, 2, &second))
		return false;
	if (day < 1 || day > 31 || year < 1970 || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	*seconds_r = ((days_since_1970(year, month, day) * 24 + hour) * 60 +
	    minute) * 60 + second;
	return true;
}

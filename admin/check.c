#include "admin/check.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Neither a control, nor what turns the direction of a line around. */
static bool
is_shown(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c >= 0xa0) &&
	    (c < 0x200b || c > 0x200f) && (c < 0x2028 || c > 0x202e) &&
	    (c < 0x2066 || c > 0x2069) && c != 0xfeff;
}

static bool
printable(const char *text)
{
	size_t left = strlen(text), n;
	uint32_t c;

	for (; left > 0; text += n, left -= n) {
		n = utf8_get(text, left, &c);
		if (n == 0 || !is_shown(c))
			return false;
	}
	return true;
}

const char *
check_name(const char *text)
{
	size_t len;

	len = strlen(text);
	if (len == 0)
		return "a name can't be empty";
	if (len > NAME_MAX_BYTES)
		return "a name has at most 64 bytes";
	if (!printable(text))
		return "a name has printable characters only";
	if (text[0] == ' ' || text[len - 1] == ' ')
		return "a name neither begins nor ends with a space";
	if (strspn(text, "0123456789") == len)
		return "a name can't be a number: numbers stand for themselves";
	return NULL;
}

const char *
check_model(const char *text)
{
	size_t len, i;

	len = strlen(text);
	if (len == 0)
		return "a model's name can't be empty";
	if (len > 127)
		return "a model's name has at most 127 bytes";
	for (i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '=' ||
		    text[i] == '"' || text[i] == '\\')
			return "a model's name is printable ASCII without "
			    "spaces, quotes, \"\\\" and \"=\"";
	if (memchr(text, '*', len - 1) != NULL)
		return "a model's name has a \"*\" at its end only, where it "
		    "stands for any end";
	return NULL;
}

const char *
check_text(const char *text)
{
	if (strlen(text) > TEXT_MAX_BYTES)
		return "at most 500 bytes";
	if (!printable(text))
		return "printable characters only";
	return NULL;
}

const char *
check_lines(const char *text, size_t most)
{
	if (strlen(text) > most)
		return "it is too long";
	if (text[strspn(text, " \t\r\n")] == '\0')
		return "it says nothing";
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 0x20 && strchr("\t\r\n", *text) ==
		    NULL) || *text == 0x7f)
			return "it has a control character in it";
	return NULL;
}

bool
check_number(const char *text, int64_t *number_r)
{
	char *end;
	long long n;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || n <= 0)
		return false;
	*number_r = n;
	return true;
}

static bool
check_age(const char *text, int64_t *age_us_r)
{
	int64_t unit_s;
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || n < 0 || n > 1000000 ||
	    end[0] == '\0' || end[1] != '\0')
		return false;
	switch (end[0]) {
	case 's':
		unit_s = 1;
		break;
	case 'm':
		unit_s = 60;
		break;
	case 'h':
		unit_s = 3600;
		break;
	case 'd':
		unit_s = 86400;
		break;
	default:
		return false;
	}
	*age_us_r = (int64_t)n * unit_s * 1000000;
	return true;
}

bool
check_duration(const char *text, int64_t *ms_r)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 } };
	char *end;
	long n;
	size_t i;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || n <= 0 || n > 86400000)
		return false;
	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(end, units[i].unit) == 0) {
			*ms_r = n * units[i].ms;
			return *ms_r <= 86400000;
		}
	return false;
}

/* Up to six digits and a Z that may be there: what follows, or NULL. */
static const char *
check_fraction(const char *text, int64_t *us_r)
{
	int places;

	for (places = 0; isdigit((unsigned char)text[places]) && places < 6;
	    places++)
		*us_r = *us_r * 10 + (text[places] - '0');
	if (places == 0)
		return NULL;
	text += places;
	for (; places < 6; places++)
		*us_r *= 10;
	return *text == 'Z' ? text + 1 : text;
}

static bool
check_date(const char *text, int64_t *us_r)
{
	static const char *const form[] = {
		"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%MZ",
		"%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
		"%Y-%m-%d"
	};
	struct tm tm, same;
	int64_t fraction_us;
	const char *end;
	time_t t;
	size_t i;

	for (i = 0; i < sizeof form / sizeof form[0]; i++) {
		memset(&tm, 0, sizeof tm);
		end = strptime(text, form[i], &tm);
		fraction_us = 0;
		if (end != NULL && *end == '.' && end[-1] != 'Z' &&
		    strstr(form[i], "%S") != NULL)
			end = check_fraction(end + 1, &fraction_us);
		if (end == NULL || *end != '\0')
			continue;
		/* timegm() would take the 31st of February for a March day. */
		same = tm;
		t = timegm(&tm);
		if (tm.tm_mday != same.tm_mday || tm.tm_mon != same.tm_mon ||
		    tm.tm_year < 70 || tm.tm_year > 1000)
			return false;
		*us_r = (int64_t)t * 1000000 + fraction_us;
		return true;
	}
	return false;
}

static bool
check_when(const char *text, int sign, int64_t *us_r)
{
	int64_t age_us;

	if (strcmp(text, "now") == 0) {
		*us_r = clock_wall().us;
		return true;
	}
	if (!isdigit((unsigned char)text[0]))
		return false;
	if (check_age(text, &age_us)) {
		*us_r = clock_wall().us + sign * age_us;
		return true;
	}
	return check_date(text, us_r);
}

bool
check_time(const char *text, int64_t *us_r)
{
	return check_when(text, -1, us_r);
}

bool
check_time_ahead(const char *text, int64_t *us_r)
{
	return check_when(text, 1, us_r);
}

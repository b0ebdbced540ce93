/*
 * json_string.c: strings and numbers of JSON, read and written.
 */
#include "http/json_find.h"
#include "http/json_scan.h"

#include <string.h>

#include "base/utf8.h"

/* Exponents beyond this are either zero or absurd. */
#define EXPONENT_MAX 40

int
json_hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hex digits at p; -1 when they aren't. */
static int
read_code_unit(const char *p, const char *end)
{
	int i, digit, unit = 0;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		digit = json_hex_digit((unsigned char)p[i]);
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/*
 * The escape behind a backslash, as UTF-8 into to (4 bytes).  Returns what
 * follows it, or NULL.
 */
static const char *
read_escape(const char *p, const char *end, char *to, size_t *len_r)
{
	static const char from[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
	const char *at;
	int unit, low;

	if (p == end)
		return NULL;
	if (*p != 'u') {
		at = *p == '\0' ? NULL : strchr(from, *p);
		if (at == NULL)
			return NULL;
		to[0] = plain[at - from];
		*len_r = 1;
		return p + 1;
	}
	unit = read_code_unit(p + 1, end);
	p += 5;
	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return NULL;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
			return NULL;
		low = read_code_unit(p + 2, end);
		if (low < 0xdc00 || low > 0xdfff)
			return NULL;
		p += 6;
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	}
	*len_r = utf8_put((uint32_t)unit, to);
	return p;
}

enum json_string_result
json_scan_string_copy(const char *value, size_t len, char *to, size_t size,
    size_t *len_r)
{
	const char *p, *end, *special;
	char utf8[4];
	size_t n, at = 0;

	*len_r = 0;
	if (len < 2 || value[0] != '"' || value[len - 1] != '"')
		return JSON_STRING_BAD;
	p = value + 1;
	end = value + len - 1;
	while (p < end) {
		special = json_find_special(p, end);
		n = (size_t)(special - p);
		if (at + n < size)
			memcpy(to + at, p, n);
		at += n;
		p = special;
		if (p == end)
			break;
		if (*p != '\\')
			return JSON_STRING_BAD;
		p = read_escape(p + 1, end, utf8, &n);
		if (p == NULL)
			return JSON_STRING_BAD;
		if (at + n < size)
			memcpy(to + at, utf8, n);
		at += n;
	}
	*len_r = at;
	if (at >= size)
		return JSON_STRING_LONG;
	to[at] = '\0';
	return JSON_STRING_OK;
}

/* Digits of the integer part and of the fraction, as one row of digits. */
struct digit_row {
	const char *whole, *part;
	size_t whole_len, part_len;
};

static char
digit_at(const struct digit_row *row, size_t i)
{
	return i < row->whole_len ? row->whole[i] :
	    row->part[i - row->whole_len];
}

/* Read the row with its point moved right by exponent. */
static void
read_digits(const struct digit_row *row, long exponent,
    struct json_number *number)
{
	size_t i, digits = row->whole_len + row->part_len;
	long place, point = (long)row->whole_len + exponent;

	for (place = 0; place < point || (size_t)place < digits; place++) {
		i = (size_t)place;
		if (place >= point) {
			if (digit_at(row, i) != '0')
				number->fraction = true;
			continue;
		}
		if (number->magnitude > (INT64_MAX - 9) / 10) {
			number->magnitude = INT64_MAX;
			number->absurd = true;
			return;
		}
		number->magnitude *= 10;
		if (i < digits)
			number->magnitude +=
			    (uint64_t)(digit_at(row, i) - '0');
	}
	/* The point may have moved left past the first digit. */
	if (point < 0)
		for (i = 0; i < digits; i++)
			if (digit_at(row, i) != '0')
				number->fraction = true;
}

static const char *
skip_digits(const char *p, const char *end, size_t *len_r)
{
	const char *start = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	*len_r = (size_t)(p - start);
	return p;
}

void
json_number_parse(const char *text, size_t len, struct json_number *number_r)
{
	struct digit_row row = { text, text, 0, 0 };
	const char *p = text, *end = text + len;
	long exponent = 0;
	bool minus = false, good;
	size_t n;

	memset(number_r, 0, sizeof(*number_r));
	if (p < end && *p == '-') {
		number_r->negative = true;
		p++;
	}
	row.whole = p;
	p = skip_digits(p, end, &row.whole_len);
	good = row.whole_len > 0;
	if (p < end && *p == '.') {
		row.part = ++p;
		p = skip_digits(p, end, &row.part_len);
		good = good && row.part_len > 0;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			minus = *p++ == '-';
		for (n = 0; p < end && *p >= '0' && *p <= '9'; p++, n++)
			if (exponent < EXPONENT_MAX)
				exponent = exponent * 10 + (*p - '0');
		good = good && n > 0;
	}
	if (!good || p != end) {
		number_r->absurd = true;
		return;
	}
	read_digits(&row, minus ? -exponent : exponent, number_r);
}

bool
json_scan_u64(const char *value, size_t len, uint64_t *number_r)
{
	struct json_number number;

	json_number_parse(value, len, &number);
	*number_r = number.magnitude;
	return !number.absurd && !number.fraction &&
	    !(number.negative && number.magnitude > 0);
}

/* One character's escaped form in to (6 bytes); *used_r bytes are taken. */
static size_t
escape_one(const unsigned char *p, size_t len, char *to, size_t *used_r)
{
	static const char hex[] = "0123456789abcdef";
	static const char from[] = "\"\\\b\f\n\r\t", name[] = "\"\\bfnrt";
	const char *at;
	size_t n = utf8_get(p, len, NULL);

	*used_r = n > 0 ? n : 1;
	if (n == 0)
		return utf8_put(0xfffd, to);
	at = *p == '\0' ? NULL : strchr(from, *p);
	if (n == 1 && at != NULL) {
		to[0] = '\\';
		to[1] = name[at - from];
		return 2;
	}
	if (*p < 0x20 || *p == 0x7f) {
		memcpy(to, "\\u00", 4);
		to[4] = hex[*p >> 4];
		to[5] = hex[*p & 15];
		return 6;
	}
	memcpy(to, p, n);
	return n;
}

size_t
json_escape(const char *from, size_t len, char *to, size_t size)
{
	const unsigned char *p = (const unsigned char *)from;
	char one[6];
	size_t i, n, used, at = 0;
	bool full = false;

	for (i = 0; i < len; i += used) {
		n = escape_one(p + i, len - i, one, &used);
		/* Never half a character, nor one behind a gap. */
		full = full || n > size || at > size - n;
		if (!full)
			memcpy(to + at, one, n);
		at += n;
	}
	return at;
}

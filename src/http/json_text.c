#include "http/json_text.h"

#include <string.h>

#include "base/utf8.h"
#include "http/json_find.h"

enum state {
	OUTSIDE,
	INSIDE,		/* a string */
	ESCAPE,		/* behind a backslash */
	UNICODE		/* digits of \u */
};

void
json_text_init(struct json_text *j, const char *const *skipped, bool events,
    const struct json_text_handlers *handlers, void *context)
{
	memset(j, 0, sizeof(*j));
	j->skipped = skipped;
	j->events = events;
	j->handlers = handlers;
	j->context = context;
}

static bool
in_object(const struct json_text *j)
{
	unsigned at = j->depth - 1U;

	return j->depth > 0 && at < JSON_TEXT_DEPTH &&
	    (j->objects[at / 64] >> at % 64 & 1) != 0;
}

static void
open_level(struct json_text *j, bool object)
{
	unsigned at = j->depth;

	if (j->depth < UINT16_MAX)
		j->depth++;
	if (at < JSON_TEXT_DEPTH) {
		j->objects[at / 64] &= ~(UINT64_C(1) << at % 64);
		j->objects[at / 64] |= (uint64_t)object << at % 64;
	}
	j->name_next = object;
}

static bool
is_skipped(const struct json_text *j)
{
	char name[JSON_TEXT_NAME_BYTES + 1];
	int order;

	if (j->name_long)
		return false;
	memcpy(name, j->name, j->name_len);
	name[j->name_len] = '\0';
	for (const char *const *s = j->skipped; *s != NULL; s++) {
		order = strcmp(*s, name);
		if (order >= 0)
			return order == 0;
	}
	return false;
}

static void
begin_string(struct json_text *j)
{
	j->state = INSIDE;
	j->is_name = j->name_next;
	j->name_next = false;
	j->high = 0;
	j->held = 0;
	j->opaque = false;
	if (j->is_name) {
		j->name_len = 0;
		j->name_long = false;
		j->skips = false;
	} else
		j->skips = is_skipped(j);
}

/* base64, and its alphabet for addresses. */
static const bool is_code[256] = {
	['+'] = true, ['-'] = true, ['/'] = true, ['0'] = true, ['1'] = true,
	['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true,
	['7'] = true, ['8'] = true, ['9'] = true, ['='] = true, ['A'] = true,
	['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true,
	['G'] = true, ['H'] = true, ['I'] = true, ['J'] = true, ['K'] = true,
	['L'] = true, ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true,
	['Q'] = true, ['R'] = true, ['S'] = true, ['T'] = true, ['U'] = true,
	['V'] = true, ['W'] = true, ['X'] = true, ['Y'] = true, ['Z'] = true,
	['_'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true,
	['e'] = true, ['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true,
	['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true, ['n'] = true,
	['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true, ['s'] = true,
	['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true,
	['y'] = true, ['z'] = true
};

static void
let_go(struct json_text *j)
{
	if (j->held > 0)
		j->handlers->on_text(j->context, j->hold, j->held);
	j->held = 0;
	if (j->opaque)
		j->handlers->on_end(j->context);
	j->opaque = false;
}

/* The end of p may be the beginning of something encoded: it is held back. */
static void
keep(struct json_text *j, const char *p, size_t len)
{
	if (j->opaque)
		return;
	if (j->held + len >= sizeof(j->hold)) {
		j->opaque = true;
		j->held = 0;
		return;
	}
	memcpy(j->hold + j->held, p, len);
	j->held += (uint8_t)len;
}

/* Behind p[at], which is text: where a long run begins, or the one that goes
 * on to the end; len: nowhere.  A short run that ends here, and began here, is
 * text, and of it no more is looked at than its end. */
static size_t
next_run(const char *p, size_t at, size_t len)
{
	size_t i;

	for (at++; len - at >= JSON_TEXT_RUN_BYTES; at = i) {
		i = at + JSON_TEXT_RUN_BYTES;
		while (i > at && is_code[(unsigned char)p[i - 1]])
			i--;
		if (i == at)
			return at;
	}
	i = len;
	while (i > at && is_code[(unsigned char)p[i - 1]])
		i--;
	return i;
}

static void
report(struct json_text *j, const char *p, size_t len)
{
	size_t start, run = 0, i;

	/* What it begins with may go on from the piece before. */
	for (;;) {
		i = run;
		while (i < len && is_code[(unsigned char)p[i]])
			i++;
		keep(j, p + run, i - run);
		if (i == len)
			return;
		let_go(j);
		start = i;
		run = next_run(p, start, len);
		j->handlers->on_text(j->context, p + start, run - start);
		if (run == len)
			return;
	}
}

static void
take(struct json_text *j, const char *p, size_t len)
{
	if (len == 0 || j->skips)
		return;
	if (!j->is_name) {
		report(j, p, len);
		return;
	}
	if (len > sizeof(j->name) - j->name_len) {
		j->name_long = true;
		return;
	}
	memcpy(j->name + j->name_len, p, len);
	j->name_len += (uint8_t)len;
}

static void
end_string(struct json_text *j)
{
	j->state = OUTSIDE;
	if (j->is_name || j->skips)
		return;
	let_go(j);
	j->handlers->on_end(j->context);
}

static void
outside(struct json_text *j, char c)
{
	switch (c) {
	case '"':
		begin_string(j);
		break;
	case '{':
		open_level(j, true);
		break;
	case '[':
		open_level(j, false);
		break;
	case '}':
	case ']':
		if (j->depth > 0)
			j->depth--;
		j->name_next = false;
		break;
	case ',':
		j->name_next = in_object(j);
		break;
	default:
		break;
	}
}

static void
take_unit(struct json_text *j, uint16_t unit)
{
	uint16_t high = j->high;
	uint32_t point = unit;
	char text[UTF8_BYTES];

	j->high = 0;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		j->high = unit;
		return;
	}
	if (unit >= 0xdc00 && unit <= 0xdfff) {
		if (high == 0)
			return;
		point = 0x10000 + ((high & 0x3ffu) << 10) + (unit & 0x3ffu);
	}
	take(j, text, utf8_put(point, text));
}

static void
escape(struct json_text *j, char c)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *p;

	j->state = INSIDE;
	if (c == 'u') {
		j->state = UNICODE;
		j->digits = 4;
		j->unit = 0;
		return;
	}
	p = c != '\0' ? strchr(from, c) : NULL;
	take(j, p != NULL ? &to[p - from] : &c, 1);
}

static void
unicode(struct json_text *j, char c)
{
	int digit = json_hex_digit((unsigned char)c);

	j->unit = (uint16_t)(j->unit << 4 | (digit > 0 ? digit : 0));
	if (--j->digits > 0)
		return;
	j->state = INSIDE;
	take_unit(j, j->unit);
}

/* No string has a line's end in it: whatever stood there is over. */
static void
next_line(struct json_text *j)
{
	if (j->state != OUTSIDE)
		end_string(j);
	j->depth = 0;
	j->name_next = false;
	j->name_len = 0;
}

void
json_text_feed(struct json_text *j, const char *in, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i++) {
		if (j->state == INSIDE) {
			n = (size_t)(json_find_special(in + i, in + len) -
			    (in + i));
			if (n > 0)
				j->high = 0;
			take(j, in + i, n);
			i += n;
			if (i == len)
				return;
		}
		if (j->events && in[i] == '\n') {
			next_line(j);
			continue;
		}
		switch ((enum state)j->state) {
		case OUTSIDE:
			outside(j, in[i]);
			break;
		case INSIDE:
			if (in[i] == '"')
				end_string(j);
			else if (in[i] == '\\')
				j->state = ESCAPE;
			else
				take(j, in + i, 1);
			break;
		case ESCAPE:
			escape(j, in[i]);
			break;
		case UNICODE:
			unicode(j, in[i]);
			break;
		}
	}
}

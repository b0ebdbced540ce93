/*
 * json_pull.c: see json_pull.h.
 */
#include "http/json_pull.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "http/json_find.h"

enum pull_state {
	PULL_VALUE,
	PULL_VALUE_OR_END,	/* behind '[' */
	PULL_KEY,
	PULL_KEY_OR_END,	/* behind '{' */
	PULL_COLON,
	PULL_AFTER,		/* behind a value */
	PULL_STRING,
	PULL_ESCAPE,
	PULL_HEX,
	PULL_NUMBER,
	PULL_LITERAL,
	PULL_DONE,
	PULL_BAD
};

#define NODE_NONE 255

static const char *const literal_word[] = { "null", "false", "true" };
static const enum json_kind literal_type[] = { JSON_NULL, JSON_FALSE,
	JSON_TRUE };

#define REPLACEMENT 0xfffd

void
json_pull_init(struct json_pull *pull, const struct json_node *nodes,
    json_pull_fn *report, void *context)
{
	memset(pull, 0, sizeof(*pull));
	pull->nodes = nodes;
	pull->report = report;
	pull->context = context;
	json_pull_reset(pull);
}

void
json_pull_reset(struct json_pull *pull)
{
	pull->depth = 0;
	pull->state = PULL_VALUE;
	pull->node = 0;
	pull->unlisted = false;
	pull->high_surrogate = 0;
	pull->stopped = false;
}

void
json_pull_stop(struct json_pull *pull)
{
	pull->stopped = true;
}

static bool
bit_get(const uint64_t *bits, unsigned int i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static void
bit_set(uint64_t *bits, unsigned int i, bool on)
{
	if (on)
		bits[i / 64] |= UINT64_C(1) << (i % 64);
	else
		bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* The container that is open, or NODE_NONE. */
static uint8_t
container_node(const struct json_pull *pull)
{
	if (pull->depth == 0 || pull->depth > JSON_PULL_TRACKED)
		return NODE_NONE;
	return pull->level_node[pull->depth - 1];
}

static bool
node_has(const struct json_pull *pull, uint8_t node, uint8_t flag)
{
	return node != NODE_NONE && (pull->nodes[node].flags & flag) != 0;
}

static uint8_t
find_child(const struct json_pull *pull, uint8_t parent, const char *name,
    size_t len)
{
	const struct json_node *node, *up;
	uint8_t i;

	if (parent == NODE_NONE)
		return NODE_NONE;
	up = &pull->nodes[parent];
	for (i = 0; i < up->children; i++) {
		node = &pull->nodes[up->first_child + i];
		if (node->name_len == len && memcmp(node->name, name, len) == 0)
			return (uint8_t)(up->first_child + i);
	}
	return NODE_NONE;
}

static bool
in_object(const struct json_pull *pull)
{
	return pull->depth > 0 && bit_get(pull->is_object, pull->depth - 1u);
}

/* Do strings of the value that begins now count? */
static bool
value_counts(const struct json_pull *pull)
{
	if (pull->node != NODE_NONE)
		return node_has(pull, pull->node, JSON_NODE_COUNT_TEXT);
	return pull->depth > 0 && bit_get(pull->counted, pull->depth - 1u);
}

static void
report_scalar(struct json_pull *pull, enum json_kind type)
{
	struct json_pull_value value;
	struct json_number number;

	memset(&value, 0, sizeof(value));
	value.node = pull->unlisted ? container_node(pull) : pull->node;
	value.unlisted = pull->unlisted;
	value.edge = JSON_PULL_SCALAR;
	value.type = type;
	if (pull->unlisted) {
		value.name = pull->name;
		value.name_len = pull->name_len;
	}
	if (type == JSON_STRING || type == JSON_NUMBER) {
		value.text = pull->text;
		value.text_len = pull->text_len;
		value.text_cut = pull->text_cut;
	}
	if (type == JSON_NUMBER) {
		json_number_parse(pull->text, pull->text_len, &number);
		value.number = number.magnitude;
		value.negative = number.negative;
		value.fraction = number.fraction;
		value.absurd = number.absurd || pull->text_cut;
	}
	pull->report(pull->context, &value);
}

static void
report_edge(struct json_pull *pull, uint8_t node, enum json_pull_edge edge,
    enum json_kind type)
{
	struct json_pull_value value;

	if (!node_has(pull, node, JSON_NODE_EDGES))
		return;
	memset(&value, 0, sizeof(value));
	value.node = node;
	value.edge = edge;
	value.type = type;
	pull->report(pull->context, &value);
}

/* Behind a value: what may come now depends on where it stood. */
static void
end_value(struct json_pull *pull)
{
	pull->state = pull->depth == 0 ? PULL_DONE : PULL_AFTER;
}

static void
end_scalar(struct json_pull *pull, enum json_kind type)
{
	if (pull->node != NODE_NONE || pull->unlisted)
		report_scalar(pull, type);
	end_value(pull);
}

static bool
open_container(struct json_pull *pull, bool object)
{
	bool counts = value_counts(pull);

	if (pull->depth == JSON_PULL_DEPTH_MAX)
		return false;
	bit_set(pull->is_object, pull->depth, object);
	bit_set(pull->counted, pull->depth, counts);
	if (pull->depth < JSON_PULL_TRACKED)
		pull->level_node[pull->depth] = pull->node;
	pull->depth++;
	pull->state = object ? PULL_KEY_OR_END : PULL_VALUE_OR_END;
	report_edge(pull, container_node(pull), JSON_PULL_BEGIN,
	    object ? JSON_OBJECT : JSON_ARRAY);
	return true;
}

static void
close_container(struct json_pull *pull)
{
	bool object = in_object(pull);
	uint8_t node = container_node(pull);

	pull->depth--;
	report_edge(pull, node, JSON_PULL_END,
	    object ? JSON_OBJECT : JSON_ARRAY);
	end_value(pull);
}

static void
begin_string(struct json_pull *pull, bool is_key)
{
	pull->state = PULL_STRING;
	pull->is_key = is_key;
	pull->high_surrogate = 0;
	if (is_key) {
		pull->keep = container_node(pull) != NODE_NONE;
		pull->count = false;
		pull->name_len = 0;
		pull->name_cut = false;
	} else {
		pull->keep = pull->node != NODE_NONE || pull->unlisted;
		pull->count = value_counts(pull);
		pull->text_len = 0;
		pull->text_cut = false;
	}
}

static void
add_text(struct json_pull *pull, const char *p, size_t len)
{
	char *to = pull->is_key ? pull->name : pull->text;
	uint8_t *at = pull->is_key ? &pull->name_len : &pull->text_len;
	bool *cut = pull->is_key ? &pull->name_cut : &pull->text_cut;
	size_t room = JSON_PULL_TEXT_BYTES - *at;

	if (pull->count)
		pull->text_bytes += len;
	if (!pull->keep)
		return;
	if (len > room) {
		len = room;
		*cut = true;
	}
	memcpy(to + *at, p, len);
	*at = (uint8_t)(*at + len);
}

static void
add_code_point(struct json_pull *pull, uint32_t code_point)
{
	char utf8[4];

	add_text(pull, utf8, utf8_put(code_point, utf8));
}

/* A high surrogate whose other half did not come. */
static void
end_surrogate(struct json_pull *pull)
{
	if (pull->high_surrogate != 0)
		add_code_point(pull, REPLACEMENT);
	pull->high_surrogate = 0;
}

static void
add_code_unit(struct json_pull *pull)
{
	uint32_t unit = pull->code_unit;

	if (unit >= 0xdc00 && unit <= 0xdfff && pull->high_surrogate != 0) {
		unit = 0x10000 +
		    ((uint32_t)(pull->high_surrogate - 0xd800) << 10) +
		    (unit - 0xdc00);
		pull->high_surrogate = 0;
		add_code_point(pull, unit);
		return;
	}
	end_surrogate(pull);
	if (unit >= 0xd800 && unit <= 0xdbff)
		pull->high_surrogate = (uint16_t)unit;
	else if (unit >= 0xdc00 && unit <= 0xdfff)
		add_code_point(pull, REPLACEMENT);
	else
		add_code_point(pull, unit);
}

static void
end_string(struct json_pull *pull)
{
	uint8_t parent;

	end_surrogate(pull);
	if (!pull->is_key) {
		end_scalar(pull, JSON_STRING);
		return;
	}
	parent = container_node(pull);
	/* "[]" as a name is nothing but an odd name. */
	pull->node = pull->name_cut ||
	    (pull->name_len == 2 && memcmp(pull->name, "[]", 2) == 0) ?
	    NODE_NONE :
	    find_child(pull, parent, pull->name, pull->name_len);
	pull->unlisted = pull->node == NODE_NONE &&
	    node_has(pull, parent, JSON_NODE_REPORT_REST);
	pull->state = PULL_COLON;
}

static const char *
take_string(struct json_pull *pull, const char *p, const char *end)
{
	const char *special = p;

	/* Raw control characters are for somebody else to complain about. */
	for (;;) {
		special = json_find_special(special, end);
		if (special == end || *special == '"' || *special == '\\')
			break;
		special++;
	}
	if (special > p) {
		end_surrogate(pull);
		if (pull->keep || pull->count)
			add_text(pull, p, (size_t)(special - p));
	}
	if (special == end)
		return end;
	if (*special == '"')
		end_string(pull);
	else
		pull->state = PULL_ESCAPE;
	return special + 1;
}

static bool
take_escape(struct json_pull *pull, char c)
{
	static const char from[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (c == 'u') {
		pull->state = PULL_HEX;
		pull->at = 0;
		pull->code_unit = 0;
		return true;
	}
	at = c == '\0' ? NULL : strchr(from, c);
	if (at == NULL)
		return false;
	end_surrogate(pull);
	add_text(pull, &plain[at - from], 1);
	pull->state = PULL_STRING;
	return true;
}

static bool
take_hex(struct json_pull *pull, char c)
{
	int digit = json_hex_digit((unsigned char)c);

	if (digit < 0)
		return false;
	pull->code_unit = (uint16_t)(pull->code_unit << 4 | digit);
	if (++pull->at == 4) {
		add_code_unit(pull);
		pull->state = PULL_STRING;
	}
	return true;
}

static bool
is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' ||
	    c == 'e' || c == 'E';
}

static const char *
take_number(struct json_pull *pull, const char *p, const char *end)
{
	const char *start = p;

	while (p < end && is_number_char(*p))
		p++;
	add_text(pull, start, (size_t)(p - start));
	if (p < end)
		end_scalar(pull, JSON_NUMBER);
	return p;
}

static bool
take_literal(struct json_pull *pull, char c)
{
	const char *word = literal_word[pull->literal];

	if (c != word[pull->at])
		return false;
	if (word[++pull->at] == '\0')
		end_scalar(pull, literal_type[pull->literal]);
	return true;
}

static bool
begin_literal(struct json_pull *pull, char c)
{
	switch (c) {
	case 'n':
		pull->literal = 0;
		break;
	case 'f':
		pull->literal = 1;
		break;
	case 't':
		pull->literal = 2;
		break;
	default:
		return false;
	}
	pull->state = PULL_LITERAL;
	pull->at = 1;
	return true;
}

/* The first byte of a value.  *stay_r: it is to be read again. */
static bool
begin_value(struct json_pull *pull, char c, bool *stay_r)
{
	/* An object's member was looked up when its name was complete. */
	if (pull->depth > 0 && !in_object(pull)) {
		pull->node = find_child(pull, container_node(pull), "[]", 2);
		pull->unlisted = false;
	}
	switch (c) {
	case '{':
		return open_container(pull, true);
	case '[':
		return open_container(pull, false);
	case '"':
		begin_string(pull, false);
		return true;
	default:
		break;
	}
	if (c != '-' && (c < '0' || c > '9'))
		return begin_literal(pull, c);
	begin_string(pull, false);
	pull->count = false;
	pull->state = PULL_NUMBER;
	*stay_r = true;
	return true;
}

static bool
take_separator(struct json_pull *pull, char c)
{
	bool object = in_object(pull);

	if (c == ',') {
		pull->state = object ? PULL_KEY : PULL_VALUE;
		return true;
	}
	if (c != (object ? '}' : ']'))
		return false;
	close_container(pull);
	return true;
}

/* A byte of structure that is not white space. */
static bool
take_token(struct json_pull *pull, char c, bool *stay_r)
{
	switch (pull->state) {
	case PULL_VALUE_OR_END:
		if (c == ']') {
			close_container(pull);
			return true;
		}
		return begin_value(pull, c, stay_r);
	case PULL_VALUE:
		return begin_value(pull, c, stay_r);
	case PULL_KEY_OR_END:
		if (c == '}') {
			close_container(pull);
			return true;
		}
		/* FALLTHROUGH */
	case PULL_KEY:
		begin_string(pull, true);
		return c == '"';
	case PULL_COLON:
		pull->state = PULL_VALUE;
		return c == ':';
	case PULL_AFTER:
		return take_separator(pull, c);
	default:
		return false;
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum json_pull_result
json_pull_feed(struct json_pull *pull, const char *in, size_t len)
{
	/* in may be NULL, for the state alone. */
	const char *p = in, *end = len > 0 ? in + len : in;
	bool good = true, stay;

	while (p < end && good && !pull->stopped) {
		stay = false;
		switch (pull->state) {
		case PULL_STRING:
			p = take_string(pull, p, end);
			continue;
		case PULL_NUMBER:
			p = take_number(pull, p, end);
			continue;
		case PULL_ESCAPE:
			good = take_escape(pull, *p);
			break;
		case PULL_HEX:
			good = take_hex(pull, *p);
			break;
		case PULL_LITERAL:
			good = take_literal(pull, *p);
			break;
		case PULL_BAD:
			return JSON_PULL_BAD;
		default:
			if (!is_blank(*p))
				good = take_token(pull, *p, &stay);
			break;
		}
		if (!stay)
			p++;
	}
	if (!good || pull->stopped)
		pull->state = PULL_BAD;
	if (pull->state == PULL_BAD)
		return JSON_PULL_BAD;
	return pull->state == PULL_DONE ? JSON_PULL_DONE : JSON_PULL_MORE;
}

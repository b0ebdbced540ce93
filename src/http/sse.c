/*
 * sse.c: see sse.h.
 */
#include "http/sse.h"

#include <string.h>

enum sse_state {
	SSE_LINE,	/* before the first byte of a line */
	SSE_FIELD,	/* in a field's name */
	SSE_DATA_SPACE,	/* behind "data:", where one space is dropped */
	SSE_DATA_VALUE,
	SSE_NAME_SPACE,	/* behind "event:" */
	SSE_NAME_VALUE,
	SSE_SKIP	/* a comment, or a field that nobody reads */
};

static const char byte_order_mark[3] = "\xef\xbb\xbf";
#define BOM_OVER 3

static const char line_feed[1] = "\n";

void
sse_init(struct sse *sse)
{
	memset(sse, 0, sizeof(*sse));
	sse->state = SSE_LINE;
}

static const char *
find_line_end(const char *p, size_t len)
{
	const char *lf = memchr(p, '\n', len);
	const char *cr;

	/* CR is rare, but a lone one ends a line as well. */
	cr = memchr(p, '\r', lf != NULL ? (size_t)(lf - p) : len);
	if (cr != NULL)
		return cr;
	return lf != NULL ? lf : p + len;
}

static bool
field_is(const struct sse *sse, const char *name)
{
	return strlen(name) == sse->field_len &&
	    memcmp(sse->field, name, sse->field_len) == 0;
}

static void
begin_name(struct sse *sse)
{
	sse->name_len = 0;
	sse->name_long = false;
	sse->name[0] = '\0';
}

static void
add_name(struct sse *sse, const char *p, size_t len)
{
	if (len > sizeof(sse->name) - 1u - sse->name_len)
		sse->name_long = true;
	if (sse->name_long)
		sse->name_len = 0;
	else {
		memcpy(sse->name + sse->name_len, p, len);
		sse->name_len = (uint8_t)(sse->name_len + len);
	}
	sse->name[sse->name_len] = '\0';
}

/* The field's name is complete.  True: two data lines are to be joined. */
static bool
begin_value(struct sse *sse)
{
	bool join;

	if (field_is(sse, "data")) {
		sse->state = SSE_DATA_SPACE;
		join = sse->has_data;
		sse->has_data = true;
		return join;
	}
	if (field_is(sse, "event")) {
		sse->state = SSE_NAME_SPACE;
		begin_name(sse);
	} else
		sse->state = SSE_SKIP;
	return false;
}

static void
begin_event(struct sse *sse)
{
	sse->event_over = false;
	sse->has_data = false;
	begin_name(sse);
}

/* The stream's first three bytes; true when c was taken. */
static bool
take_mark(struct sse *sse, char c)
{
	if (c == byte_order_mark[sse->bom_at]) {
		sse->bom_at++;
		return true;
	}
	/* Half a mark is the beginning of a field that nobody knows. */
	if (sse->bom_at > 0) {
		sse->state = SSE_SKIP;
		sse->open = true;
	}
	sse->bom_at = BOM_OVER;
	return false;
}

/* End of a line; true when it was blank and ended an event. */
static bool
end_line(struct sse *sse, char c)
{
	bool over = sse->state == SSE_LINE && sse->open;

	sse->after_cr = c == '\r';
	sse->state = SSE_LINE;
	if (over) {
		sse->open = false;
		sse->event_over = true;
	}
	return over;
}

/* A byte of a field's name.  True: join, as begin_value(). */
static bool
take_field(struct sse *sse, char c)
{
	if (c == ':')
		return begin_value(sse);
	if (sse->field_len == sizeof(sse->field))
		sse->state = SSE_SKIP;
	else
		sse->field[sse->field_len++] = c;
	return false;
}

/* A byte that comes before any line is looked at; true when it was taken. */
static bool
skip_byte(struct sse *sse, char c)
{
	bool after_cr = sse->after_cr;

	sse->after_cr = false;
	if (after_cr && c == '\n')
		return true;
	return sse->bom_at < BOM_OVER && take_mark(sse, c);
}

static enum sse_item
join_data(struct span *data_r)
{
	*data_r = (struct span){ line_feed, 1 };
	return SSE_DATA;
}

/* Some bytes within a line, which has more; *next_r: what follows them. */
static enum sse_item
read_line(struct sse *sse, const char *p, const char *end,
    const char **next_r, struct span *data_r)
{
	const char *eol;

	*next_r = p + 1;
	switch ((enum sse_state)sse->state) {
	case SSE_LINE:
		sse->open = true;
		sse->state = SSE_FIELD;
		sse->field_len = 0;
		/* FALLTHROUGH */
	case SSE_FIELD:
		return take_field(sse, *p) ? join_data(data_r) : SSE_MORE;
	case SSE_DATA_SPACE:
	case SSE_NAME_SPACE:
		sse->state++;
		*next_r = *p == ' ' ? p + 1 : p;
		return SSE_MORE;
	case SSE_DATA_VALUE:
	case SSE_NAME_VALUE:
	case SSE_SKIP:
		break;
	}
	*next_r = eol = find_line_end(p, (size_t)(end - p));
	if (sse->state == SSE_NAME_VALUE)
		add_name(sse, p, (size_t)(eol - p));
	if (sse->state != SSE_DATA_VALUE)
		return SSE_MORE;
	*data_r = (struct span){ p, (size_t)(eol - p) };
	return SSE_DATA;
}

enum sse_item
sse_next(struct sse *sse, const char *in, size_t len, size_t *used_r,
    struct span *data_r)
{
	const char *p = in, *end = in + len;
	enum sse_item item = SSE_MORE;

	if (sse->event_over)
		begin_event(sse);
	while (p < end && item == SSE_MORE) {
		if (skip_byte(sse, *p)) {
			p++;
			continue;
		}
		if (*p != '\n' && *p != '\r') {
			item = read_line(sse, p, end, &p, data_r);
			continue;
		}
		if (sse->state == SSE_FIELD && begin_value(sse))
			item = join_data(data_r);
		if (end_line(sse, *p++))
			item = SSE_END;
	}
	*used_r = (size_t)(p - in);
	return item;
}

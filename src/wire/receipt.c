/* receipt.c: see receipt.h. */
#include "wire/receipt.h"

#include <string.h>

struct wire_receipt_shape {
	const char *usage;	/* the member; NULL: there is none to be told */
	unsigned depth;		/* of objects and arrays around it */
	bool needs_reason;	/* every frame has one: only the last counts */
};

static const struct wire_receipt_shape
    openai = { "usage", 1, false },
    responses = { "usage", 2, false },
    anthropic = { "usage", 1, false },
    gemini = { "usageMetadata", 1, true },
    unknown = { NULL, 0, false };

static const struct wire_receipt_shape *
shape_of(enum wire_route route, enum wire_protocol protocol)
{
	switch (route) {
	case WIRE_ROUTE_CHAT_COMPLETIONS:
	case WIRE_ROUTE_COMPLETIONS:
		return &openai;
	case WIRE_ROUTE_RESPONSES:
	case WIRE_ROUTE_RESPONSE:
		return &responses;
	case WIRE_ROUTE_MESSAGES:
		return &anthropic;
	default:
		break;
	}
	return protocol == WIRE_GEMINI &&
	    route == WIRE_ROUTE_STREAM_GENERATE ? &gemini : &unknown;
}

void
wire_receipt_init(struct wire_receipt *receipt, enum wire_route route,
    enum wire_protocol protocol)
{
	memset(receipt, 0, sizeof(*receipt));
	receipt->shape = shape_of(route, protocol);
	sse_init(&receipt->sse);
	/* A usage frame, one that ends the stream, and a piece to be read. */
	buf_init(&receipt->held, SIZE_MAX / 2);
}

void
wire_receipt_free(struct wire_receipt *receipt)
{
	buf_free(&receipt->held);
}

static size_t
skip_blanks(const char *p, size_t len, size_t i)
{
	while (i < len && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i;
}

/* What is behind a key that ends at i: the value's first character. */
static char
value_begins(const char *p, size_t len, size_t i, size_t *at_r)
{
	i = skip_blanks(p, len, i);
	if (i == len || p[i] != ':')
		return '\0';
	i = skip_blanks(p, len, i + 1);
	*at_r = i + 1;
	return i < len ? p[i] : '\0';
}

static bool
is(const char *p, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(p, text, len) == 0;
}

/* A frame's usage object; *at_r is behind its brace. */
static bool
find_usage(const struct wire_receipt_shape *shape, const char *p, size_t len,
    size_t *at_r)
{
	unsigned depth = 0;
	size_t start = 0, value;
	bool in_string = false, found = false, reason = false;
	char begins;

	if (shape->usage == NULL)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (in_string && p[i] == '\\') {
			i++;
			continue;
		}
		if (p[i] == '"' && !in_string) {
			in_string = true;
			start = i + 1;
			continue;
		}
		if (p[i] == '"') {
			in_string = false;
			begins = value_begins(p, len, i + 1, &value);
			if (begins == '"' &&
			    is(p + start, i - start, "finishReason"))
				reason = true;
			if (begins == '{' && depth == shape->depth &&
			    is(p + start, i - start, shape->usage)) {
				found = true;
				*at_r = value;
			}
			continue;
		}
		if (in_string)
			continue;
		if (p[i] == '{' || p[i] == '[')
			depth++;
		else if ((p[i] == '}' || p[i] == ']') && depth > 0)
			depth--;
	}
	return found && (reason || !shape->needs_reason);
}

/* The stream's own end, which may wait with the usage. */
static bool
ends_stream(const struct wire_receipt *r, const char *p, size_t len)
{
	static const char done[] = "data: [DONE]", stop[] = "message_stop";

	if (!r->sse.has_data)
		return true;		/* a comment, or nothing */
	return (len >= sizeof(done) - 1 &&
	    memcmp(p, done, sizeof(done) - 1) == 0) ||
	    strcmp(r->sse.name, stop) == 0;
}

static void
end_frame(struct wire_receipt *r)
{
	const char *p = buf_head(&r->held) + r->frame_at;
	size_t len = r->read - r->frame_at, at;

	if (r->passing)
		r->passing = false;
	else if (find_usage(r->shape, p, len, &at)) {
		r->has_usage = true;
		r->keep_at = r->frame_at;
		r->usage_at = r->frame_at + at;
	} else if (!ends_stream(r, p, len))
		r->has_usage = false;
	r->frame_at = r->read;
	if (!r->has_usage)
		r->keep_at = r->frame_at;
}

bool
wire_receipt_feed(struct wire_receipt *r, const char *in, size_t len)
{
	struct span data;
	size_t used;

	if (!buf_append(&r->held, in, len))
		return false;
	while (!r->done && r->read < r->held.len) {
		if (sse_next(&r->sse, buf_head(&r->held) + r->read,
		    r->held.len - r->read, &used, &data) == SSE_END) {
			r->read += used;
			end_frame(r);
		} else
			r->read += used;
	}
	return true;
}

static bool
leave(struct wire_receipt *r, size_t n, struct buf *out)
{
	if (n == 0)
		return true;
	if (!buf_append(out, buf_head(&r->held), n))
		return false;
	bytes_scrub(r->held.data + r->held.start, n);
	buf_consume(&r->held, n);
	r->read = r->read > n ? r->read - n : 0;
	r->keep_at = r->keep_at > n ? r->keep_at - n : 0;
	r->frame_at = r->frame_at > n ? r->frame_at - n : 0;
	r->usage_at = r->usage_at > n ? r->usage_at - n : 0;
	return true;
}

bool
wire_receipt_pass(struct wire_receipt *r, struct buf *out)
{
	if (r->done)
		return leave(r, r->held.len, out);
	if (!leave(r, r->keep_at, out))
		return false;
	if (r->held.len < WIRE_RECEIPT_HOLD_BYTES)
		return true;
	/* Too long: it goes as it is. */
	r->has_usage = false;
	r->passing = r->sse.open;
	r->keep_at = r->frame_at = r->held.len;
	return leave(r, r->held.len, out);
}

bool
wire_receipt_give(struct wire_receipt *r, const char *fee, bool over,
    struct buf *out)
{
	size_t at;
	bool first;

	if (r->done)
		return leave(r, r->held.len, out);
	if (fee == NULL || !r->has_usage) {
		r->done = fee == NULL || over;
		if (!leave(r, r->done ? r->held.len : 0, out))
			return false;
		/* WHATWG HTML, 9.2.6: whoever doesn't know it ignores it. */
		return !r->done || fee == NULL || r->sse.open ||
		    buf_printf(out, ": fee %s\n\n", fee);
	}
	r->done = true;
	if (!leave(r, r->usage_at, out))
		return false;
	at = skip_blanks(buf_head(&r->held), r->held.len, 0);
	first = at < r->held.len && buf_head(&r->held)[at] == '"';
	return buf_printf(out, "\"fee\":\"%s\"%s", fee, first ? "," : "") &&
	    leave(r, r->held.len, out);
}

/*
 * filter.c: see filter.h.
 *
 * Output is borrowed from the input wherever possible: only the head of a
 * frame that is cut before its decision is copied.  The decision depends on
 * the frame's bytes alone, never on how they were cut.
 */
#include "wire/filter.h"

#include <assert.h>
#include <string.h>

enum verdict {
	VERDICT_IDLE,		/* between frames, at the start of a line */
	VERDICT_COMMENT,	/* in a comment, which passes */
	VERDICT_OPEN,		/* in a frame, undecided */
	VERDICT_PASS,
	VERDICT_HIDE
};

enum choices {
	CHOICES_ABSENT,		/* or null */
	CHOICES_BEGUN,
	CHOICES_EMPTY
};

enum node {
	NODE_ROOT,
	NODE_CHOICES,
	NODE_USAGE,
	NODE_ERROR,
	NODE_CHOICE,
	NODES
};

static const struct json_node nodes[NODES] = {
	[NODE_ROOT] = JSON_NODE("", NODE_CHOICES, 3, JSON_NODE_EDGES),
	[NODE_CHOICES] = JSON_NODE("choices", NODE_CHOICE, 1, JSON_NODE_EDGES),
	[NODE_USAGE] = JSON_NODE("usage", 0, 0, JSON_NODE_EDGES),
	[NODE_ERROR] = JSON_NODE("error", 0, 0, JSON_NODE_EDGES),
	[NODE_CHOICE] = JSON_NODE("[]", 0, 0, JSON_NODE_EDGES),
};

static void
decide(struct wire_filter *filter, enum verdict verdict)
{
	if (filter->verdict != VERDICT_OPEN)
		return;
	filter->verdict = (uint8_t)verdict;
	json_pull_stop(&filter->pull);
	if (verdict == VERDICT_HIDE)
		filter->frames_hidden++;
}

static void
report_choices(struct wire_filter *filter, const struct json_pull_value *value)
{
	if (value->edge == JSON_PULL_BEGIN && value->type == JSON_ARRAY)
		filter->choices = CHOICES_BEGUN;
	else if (value->edge == JSON_PULL_END)
		filter->choices = CHOICES_EMPTY;
	else if (value->type != JSON_NULL)
		decide(filter, VERDICT_PASS);
}

static void
report(void *context, const struct json_pull_value *value)
{
	struct wire_filter *filter = context;

	switch ((enum node)value->node) {
	case NODE_ROOT:
		/* The end of the frame's object: no choices will come. */
		if (value->edge == JSON_PULL_END)
			decide(filter, filter->usage ? VERDICT_HIDE :
			    VERDICT_PASS);
		return;
	case NODE_CHOICES:
		report_choices(filter, value);
		break;
	case NODE_CHOICE:
		decide(filter, VERDICT_PASS);
		return;
	case NODE_USAGE:
		if (value->edge == JSON_PULL_BEGIN &&
		    value->type == JSON_OBJECT)
			filter->usage = true;
		break;
	case NODE_ERROR:
		if (value->type != JSON_NULL)
			decide(filter, VERDICT_PASS);
		return;
	case NODES:
		return;
	}
	if (filter->usage && filter->choices == CHOICES_EMPTY)
		decide(filter, VERDICT_HIDE);
}

void
wire_filter_init(struct wire_filter *filter)
{
	memset(filter, 0, offsetof(struct wire_filter, hold));
	sse_init(&filter->sse);
	json_pull_init(&filter->pull, nodes, report, NULL);
}

static void
begin_frame(struct wire_filter *filter)
{
	filter->verdict = VERDICT_OPEN;
	filter->choices = CHOICES_ABSENT;
	filter->usage = false;
	filter->has_data = false;
	filter->frame_bytes = 0;
	json_pull_reset(&filter->pull);
}

static void
read_data(struct wire_filter *filter, const struct span *data)
{
	if (filter->verdict != VERDICT_OPEN)
		return;
	filter->has_data = true;
	if (json_pull_feed(&filter->pull, data->p, data->len) == JSON_PULL_BAD)
		decide(filter, VERDICT_PASS);
}

/*
 * Between frames: blank lines, and the LF of a CRLF, go the way of the frame
 * before; comments pass.  Takes one byte, or none when a frame begins.
 */
static size_t
read_idle(struct wire_filter *filter, const char *in)
{
	enum sse_item item;
	struct span data;
	size_t used;

	if (*in == '\n' || *in == '\r') {
		item = sse_next(&filter->sse, in, 1, &used, &data);
		assert(item != SSE_DATA && used == 1);
		return 1;
	}
	if (*in == ':') {
		filter->verdict = VERDICT_COMMENT;
		filter->hid_last = false;
	} else
		begin_frame(filter);
	return 0;
}

static size_t
read_comment(struct wire_filter *filter, const char *in, size_t len)
{
	enum sse_item item;
	struct span data;
	size_t n = 0, used;

	while (n < len && in[n] != '\n' && in[n] != '\r')
		n++;
	if (n == 0) {
		filter->verdict = VERDICT_IDLE;
		return 0;
	}
	item = sse_next(&filter->sse, in, n, &used, &data);
	assert(item == SSE_MORE && used == n);
	return n;
}

/* Some bytes of a frame; the frame may be decided, or end, in them. */
static size_t
read_frame(struct wire_filter *filter, const char *in, size_t len)
{
	struct span data;
	size_t used, room;

	if (filter->verdict == VERDICT_OPEN) {
		room = WIRE_FILTER_HOLD_BYTES - filter->frame_bytes;
		if (len > room)
			len = room;
	}
	switch (sse_next(&filter->sse, in, len, &used, &data)) {
	case SSE_DATA:
		read_data(filter, &data);
		break;
	case SSE_END:
		/* An event without data, or with half a JSON text. */
		decide(filter, VERDICT_PASS);
		filter->hid_last = filter->verdict == VERDICT_HIDE;
		filter->verdict = VERDICT_IDLE;
		break;
	case SSE_MORE:
		break;
	}
	filter->frame_bytes += (uint32_t)used;
	if (filter->frame_bytes == WIRE_FILTER_HOLD_BYTES)
		decide(filter, VERDICT_PASS);
	return used;
}

/* What became of the bytes that a step took. */
enum fate {
	FATE_PASS,
	FATE_HIDE,
	FATE_WAIT
};

static enum fate
step(struct wire_filter *filter, const char *in, size_t len, size_t *used_r)
{
	switch ((enum verdict)filter->verdict) {
	case VERDICT_IDLE:
		*used_r = read_idle(filter, in);
		return *used_r > 0 && filter->hid_last ? FATE_HIDE : FATE_PASS;
	case VERDICT_COMMENT:
		*used_r = read_comment(filter, in, len);
		return FATE_PASS;
	case VERDICT_OPEN:
	case VERDICT_PASS:
	case VERDICT_HIDE:
		break;
	}
	*used_r = read_frame(filter, in, len);
	switch ((enum verdict)filter->verdict) {
	case VERDICT_OPEN:
		return FATE_WAIT;
	case VERDICT_HIDE:
		return FATE_HIDE;
	case VERDICT_IDLE:
		return filter->hid_last ? FATE_HIDE : FATE_PASS;
	case VERDICT_COMMENT:
	case VERDICT_PASS:
		break;
	}
	return FATE_PASS;
}

static void
hold(struct wire_filter *filter, const char *in, size_t len)
{
	assert(len <= sizeof(filter->hold) - filter->held);
	memcpy(filter->hold + filter->held, in, len);
	filter->held += len;
}

void
wire_filter_feed(struct wire_filter *filter, const char *in, size_t len,
    size_t *used_r, struct span *out_r)
{
	size_t i = filter->parsed, pass = filter->parsed, n;
	enum fate fate;

	/* in[0, pass) goes out; in[pass, i) waits, as hold[] does. */
	assert(i <= len);
	filter->pull.context = filter;
	filter->parsed = 0;
	out_r->p = in;
	while (i < len) {
		fate = step(filter, in + i, len - i, &n);
		i += n;
		if (fate == FATE_PASS && filter->held > 0) {
			/* First what was held, then in[0, i), unread. */
			*out_r = (struct span){ filter->hold, filter->held };
			filter->held = 0;
			filter->parsed = i;
			*used_r = 0;
			return;
		}
		if (fate == FATE_PASS)
			pass = i;
		if (fate == FATE_HIDE) {
			filter->held = 0;
			out_r->len = pass;
			*used_r = i;
			return;
		}
	}
	hold(filter, in + pass, i - pass);
	out_r->len = pass;
	*used_r = i;
}

void
wire_filter_finish(struct wire_filter *filter, struct span *out_r)
{
	assert(filter->parsed == 0);
	/* What is decided has left; a whole JSON text is decided. */
	if (filter->verdict == VERDICT_OPEN && filter->has_data)
		filter->held = 0;
	*out_r = (struct span){ filter->hold, filter->held };
	filter->held = 0;
}

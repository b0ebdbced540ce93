/*
 * splice.c: see splice.h.
 */
#include "wire/splice.h"

#include <assert.h>
#include <string.h>

#include "http/json_scan.h"

/* Bytes [start, end) of the body make place for text; sorted by start. */
struct edit {
	size_t start;
	size_t end;
	struct span text;
};

#define EDITS_MAX 2
#define MODEL_ESCAPED_BYTES ((WIRE_MODEL_BYTES - 1) * 6)

#define INCLUDE_USAGE "\"include_usage\":true"

/* Text for an edit, copied to owned[]; there is always room. */
static struct span
own(struct wire_splice *splice, const char *text)
{
	struct span span = { splice->owned + splice->owned_len, strlen(text) };

	assert(span.len <= sizeof(splice->owned) - splice->owned_len);
	memcpy(splice->owned + splice->owned_len, text, span.len);
	splice->owned_len += span.len;
	return span;
}

/* A name that Gemini's bodies repeat stands with this before it. */
static const char path_prefix[] = "models/";

static bool
edit_model(struct wire_splice *splice, const struct wire_request *req,
    const char *upstream_model, struct edit *edit)
{
	bool absent = req->model_value.end == 0;
	char *to;
	size_t len = strlen(upstream_model);

	if (len == 0 || len >= WIRE_MODEL_BYTES)
		return false;
	if (absent)
		(void)own(splice, "\"model\":");
	if (!req->form)
		(void)own(splice, "\"");
	if (req->model_in_path)
		(void)own(splice, path_prefix);
	to = splice->owned + splice->owned_len;
	if (req->form)
		memcpy(to, upstream_model, len);
	else
		len = json_escape(upstream_model, len, to,
		    MODEL_ESCAPED_BYTES);
	assert(len <= MODEL_ESCAPED_BYTES);
	splice->owned_len += len;
	if (!req->form)
		(void)own(splice, "\"");
	if (absent)
		(void)own(splice, req->members > 0 ? "," : "");
	edit->start = absent ? req->object.start + 1 : req->model_value.start;
	edit->end = absent ? edit->start : req->model_value.end;
	edit->text = (struct span){ splice->owned, splice->owned_len };
	return true;
}

/* Where the upstream's name goes into the body. */
static bool
names_model(const struct wire_request *req, const char *upstream_model)
{
	if (upstream_model == NULL)
		return false;
	if (req->model_in_path)
		return req->model_value.end > 0;
	/* A default is said aloud: it is what was priced. */
	return req->model_value.end == 0 ||
	    strcmp(upstream_model, req->model) != 0;
}

static void
edit_include_usage(struct wire_splice *splice, const struct wire_request *req,
    struct edit *edit)
{
	if (req->include_usage_value.end > 0) {
		edit->start = req->include_usage_value.start;
		edit->end = req->include_usage_value.end;
		edit->text = own(splice, "true");
	} else if (req->stream_options_null) {
		edit->start = req->stream_options.start;
		edit->end = req->stream_options.end;
		edit->text = own(splice, "{" INCLUDE_USAGE "}");
	} else if (req->stream_options.end > 0) {
		edit->start = edit->end = req->stream_options.start + 1;
		edit->text = own(splice, req->stream_options_members > 0 ?
		    INCLUDE_USAGE "," : INCLUDE_USAGE);
	} else {
		/* A body without members has no model and was refused. */
		assert(req->members > 0);
		edit->start = edit->end = req->object.start + 1;
		edit->text = own(splice,
		    "\"stream_options\":{" INCLUDE_USAGE "},");
	}
}

static void
add_piece(struct wire_splice *splice, const char *p, size_t len)
{
	if (len == 0)
		return;
	assert(splice->pieces < WIRE_SPLICE_PIECES);
	splice->piece[splice->pieces++] = (struct span){ p, len };
	splice->total_bytes += len;
}

static void
add_pieces(struct wire_splice *splice, const struct wire_request *req,
    const char *body, const struct edit *edits, size_t n)
{
	size_t i, at = 0;

	for (i = 0; i < n; i++) {
		assert(edits[i].start >= at);
		assert(edits[i].end <= req->body_bytes);
		add_piece(splice, body + at, edits[i].start - at);
		add_piece(splice, edits[i].text.p, edits[i].text.len);
		at = edits[i].end;
	}
	add_piece(splice, body + at, req->body_bytes - at);
}

bool
wire_splice_build(struct wire_splice *splice, const struct wire_request *req,
    const char *body, const char *upstream_model, bool add_include_usage)
{
	struct edit edits[EDITS_MAX], other;
	size_t n = 0;

	splice->pieces = 0;
	splice->total_bytes = 0;
	splice->owned_len = 0;
	if (names_model(req, upstream_model)) {
		if (!edit_model(splice, req, upstream_model, &edits[n]))
			return false;
		n++;
	}
	if (add_include_usage && !req->include_usage)
		edit_include_usage(splice, req, &edits[n++]);
	if (n == 2 && edits[0].start > edits[1].start) {
		other = edits[0];
		edits[0] = edits[1];
		edits[1] = other;
	}
	add_pieces(splice, req, body, edits, n);
	return true;
}

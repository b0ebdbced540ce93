/*
 * batch.c: see batch.h.  The body was scanned: it is JSON, not nested too deep.
 */
#include "wire/batch.h"

#include <string.h>

#include "http/json_scan.h"

#define ESCAPED_BYTES 1024

/* One past the string whose opening quote stands at `at`. */
static size_t
skip_string(const char *text, size_t at, size_t end)
{
	for (at++; at < end && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at + 1;
}

/* The next element of an array that is an object, from *at on. */
static bool
next_object(const char *text, size_t *at, size_t end, size_t *start_r)
{
	int depth = 0;

	while (*at < end) {
		char c = text[*at];

		if (c == '"') {
			*at = skip_string(text, *at, end);
			continue;
		}
		if ((c == '{' || c == '[') && depth++ == 0)
			*start_r = *at;
		++*at;
		if ((c == '}' || c == ']') && --depth == 0 &&
		    text[*start_r] == '{')
			return true;
	}
	return false;
}

bool
wire_batch_rename(struct buf *out, const char *body, size_t len,
    const char *upstream_model)
{
	struct json_want requests[] = { JSON_WANT("requests") };
	struct json_extent extent;
	char name[ESCAPED_BYTES];
	size_t at, start = 0, done = 0, end, n;

	n = json_escape(upstream_model, strlen(upstream_model), name,
	    sizeof(name));
	if (n > sizeof(name) || json_scan(body, len, requests, 1, &extent) !=
	    JSON_SCAN_OK)
		return false;
	at = requests[0].value_start + 1;
	end = requests[0].type == JSON_ARRAY ? requests[0].value_end - 1 : 0;
	while (at < end && next_object(body, &at, end, &start)) {
		struct json_want model[] = { JSON_WANT("model") };

		if (json_scan(body + start, at - start, model, 1, &extent) !=
		    JSON_SCAN_OK || model[0].type != JSON_STRING)
			continue;
		if (!buf_append(out, body + done, start +
		    model[0].value_start - done) ||
		    !buf_append(out, "\"models/", 8) ||
		    !buf_append(out, name, n) || !buf_append(out, "\"", 1))
			return false;
		done = start + model[0].value_end;
	}
	return buf_append(out, body + done, len - done);
}

#include "upstream/request_head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "upstream/endpoint.h"

static bool
is_token(struct span s)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr(extra, c) == NULL))
			return false;
	}
	return s.len > 0;
}

static bool
is_target(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.len > 0 && s.p[0] == '/';
}

/* Tabs and bytes above ASCII are allowed (RFC 9110, 5.5). */
static bool
is_value(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
add(struct buf *out, const char *text)
{
	return buf_append(out, text, strlen(text));
}

static bool
add_header(struct buf *out, const struct request_header *header)
{
	return is_token(header->name) && is_value(header->value) &&
	    buf_append(out, header->name.p, header->name.len) &&
	    add(out, ": ") &&
	    buf_append(out, header->value.p, header->value.len) &&
	    add(out, "\r\n");
}

static bool
render(struct buf *out, const struct upstream *upstream, const char *method,
    struct span target, const struct request_header *header, size_t headers,
    uint64_t body_bytes)
{
	struct span verb = { method, strlen(method) };
	char length[48];

	if (!is_token(verb) || !is_target(target))
		return false;
	if (!buf_append(out, verb.p, verb.len) || !add(out, " ") ||
	    !add(out, upstream_base_path(upstream)) ||
	    !buf_append(out, target.p, target.len) ||
	    !add(out, " HTTP/1.1\r\nHost: ") ||
	    !add(out, upstream_host(upstream)) || !add(out, "\r\n"))
		return false;
	for (size_t i = 0; i < headers; i++)
		if (!add_header(out, &header[i]))
			return false;
	if (body_bytes != REQUEST_NO_BODY) {
		snprintf(length, sizeof(length),
		    "Content-Length: %" PRIu64 "\r\n", body_bytes);
		if (!add(out, length))
			return false;
	}
	return add(out, "\r\n");
}

bool
request_head_render(struct buf *out, const struct upstream *upstream,
    const char *method, struct span target,
    const struct request_header *header, size_t headers, uint64_t body_bytes)
{
	size_t before = out->len;

	if (render(out, upstream, method, target, header, headers,
	    body_bytes))
		return true;
	/* The unused end is scrubbed with the rest by buf_free(). */
	out->len = before;
	return false;
}

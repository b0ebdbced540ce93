/*
 * channel_headers.c: see channel_headers.h.
 */
#include "shm/channel_headers.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 63
#define VALUE_MAX_BYTES 255

static const char *const ours[] = {
	"Accept", "Accept-Encoding", "Authorization", "Connection",
	"Content-Encoding", "Content-Length", "Content-Type", "Cookie",
	"Expect", "Host", "Keep-Alive", "Proxy-Authorization",
	"Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
	"User-Agent", "x-api-key", "x-goog-api-key",
};

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

const char *
channel_header_check(struct span name, struct span value)
{
	if (!is_token(name) || name.len > NAME_MAX_BYTES)
		return "a header's name is 1 to 63 letters, digits and \"-\"";
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strlen(ours[i]) == name.len &&
		    strncasecmp(ours[i], name.p, name.len) == 0)
			return "the gateway sets this header itself";
	if (value.len == 0 || value.len > VALUE_MAX_BYTES)
		return "a header's value has 1 to 255 bytes";
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] < ' ' || value.p[i] > '~')
			return "a header's value is printable ASCII";
	return NULL;
}

static bool
split(const char *line, size_t len, struct span *name_r, struct span *value_r)
{
	const char *colon = memchr(line, ':', len);

	if (colon == NULL)
		return false;
	*name_r = (struct span){ line, (size_t)(colon - line) };
	len -= name_r->len + 1;
	for (colon++; len > 0 && *colon == ' '; colon++)
		len--;
	*value_r = (struct span){ colon, len };
	return channel_header_check(*name_r, *value_r) == NULL;
}

bool
channel_header_next(const char **text, struct span *name_r,
    struct span *value_r)
{
	while (**text != '\0') {
		const char *line = *text;
		size_t len = strcspn(line, "\n");

		*text += len + (line[len] == '\n');
		if (split(line, len, name_r, value_r))
			return true;
	}
	return false;
}

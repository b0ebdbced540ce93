/*
 * response_head.c: see response_head.h.
 *
 * A byte machine rather than a line reader, so that nothing of the head is
 * kept but the few values that somebody asks for.  Values of headers that we
 * don't know are skipped by a tight loop.
 */
#include "http/response_head.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

enum head_state {
	HEAD_VERSION,
	HEAD_MINOR,
	HEAD_VERSION_SP,
	HEAD_STATUS,
	HEAD_STATUS_SP,
	HEAD_REASON,
	HEAD_LINE_LF,
	HEAD_FIELD,
	HEAD_NAME,
	HEAD_OWS,
	HEAD_VALUE,
	HEAD_VALUE_LF,
	HEAD_END_LF,
	HEAD_OVER
};

/* Headers that frame the message, numbered behind those that are kept. */
enum {
	HEADER_CONTENT_LENGTH = RESPONSE_HEADERS,
	HEADER_TRANSFER_ENCODING,
	HEADER_CONNECTION,
	HEADER_UNKNOWN
};

static const char *const header_name[HEADER_UNKNOWN] = {
	[RESPONSE_CONTENT_TYPE] = "content-type",
	[RESPONSE_CONTENT_ENCODING] = "content-encoding",
	[RESPONSE_RETRY_AFTER] = "retry-after",
	[RESPONSE_RETRY_AFTER_MS] = "retry-after-ms",
	[RESPONSE_SHOULD_RETRY] = "x-should-retry",
	[RESPONSE_X_REQUEST_ID] = "x-request-id",
	[RESPONSE_REQUEST_ID] = "request-id",
	[HEADER_CONTENT_LENGTH] = "content-length",
	[HEADER_TRANSFER_ENCODING] = "transfer-encoding",
	[HEADER_CONNECTION] = "connection",
};

static const char version_prefix[] = "HTTP/1.";

/* A client told to come back in more than a day had better be told less. */
#define RETRY_AFTER_MAX_MS INT64_C(86400000)

/* RFC 9110, 5.6.2. */
static bool
is_token_char(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

/* RFC 9110, 5.5: field-vchar, obs-text, and white space between them. */
static bool
is_value_char(unsigned char c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static void
begin_message(struct response_head *head)
{
	uint32_t total = head->total_bytes;

	memset(head, 0, sizeof(*head));
	head->total_bytes = total;
	head->state = HEAD_VERSION;
	head->retry_after_ms = -1;
}

void
response_head_init(struct response_head *head)
{
	head->total_bytes = 0;
	begin_message(head);
}

static uint8_t
find_header(const char *name, size_t len)
{
	uint8_t i;

	for (i = 0; i < HEADER_UNKNOWN; i++)
		if (strlen(header_name[i]) == len &&
		    memcmp(header_name[i], name, len) == 0)
			return i;
	return HEADER_UNKNOWN;
}

/* Digits alone, below 2^63.  "5, 5" is what a merger of two lines makes. */
static bool
set_length(struct response_head *head)
{
	const char *p = head->value, *end = head->value + head->value_len;
	uint64_t n;

	for (;;) {
		if (p == end || *p < '0' || *p > '9')
			return false;
		for (n = 0; p < end && *p >= '0' && *p <= '9'; p++) {
			if (n > (INT64_MAX - 9) / 10)
				return false;
			n = n * 10 + (uint64_t)(*p - '0');
		}
		if (head->has_length && head->content_length != n)
			return false;
		head->has_length = true;
		head->content_length = n;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p == end)
			return true;
		if (*p++ != ',')
			return false;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
	}
}

static void
set_connection(struct response_head *head)
{
	const char *p = head->value;
	size_t n;

	while (*p != '\0') {
		p += strspn(p, " \t,");
		n = strcspn(p, " \t,");
		if (n == 5 && strncasecmp(p, "close", n) == 0)
			head->saw_close = true;
		else if (n == 10 && strncasecmp(p, "keep-alive", n) == 0)
			head->saw_keep_alive = true;
		p += n;
	}
}

static void
keep_value(struct response_head *head)
{
	char *to = head->kept[head->header];

	if (head->header == RESPONSE_CONTENT_ENCODING &&
	    (head->value_cut || head->kept_len[head->header] > 0))
		head->coding = RESPONSE_CODING_OTHER;
	if (head->value_cut || head->kept_len[head->header] > 0)
		return;
	memcpy(to, head->value, head->value_len + 1u);
	head->kept_len[head->header] = head->value_len;
}

/* A field is complete in value[].  False: the message is not well framed. */
static bool
take_field(struct response_head *head)
{
	if (head->header == HEADER_UNKNOWN)
		return true;
	while (head->value_len > 0 &&
	    (head->value[head->value_len - 1] == ' ' ||
	    head->value[head->value_len - 1] == '\t'))
		head->value_len--;
	head->value[head->value_len] = '\0';

	switch (head->header) {
	case HEADER_CONTENT_LENGTH:
		return !head->value_cut && set_length(head);
	case HEADER_TRANSFER_ENCODING:
		if (head->value_cut || head->saw_transfer_encoding ||
		    strcasecmp(head->value, "chunked") != 0)
			return false;
		head->saw_transfer_encoding = true;
		head->chunked = true;
		return true;
	case HEADER_CONNECTION:
		/* What we could not read may have said close. */
		if (head->value_cut)
			head->saw_close = true;
		set_connection(head);
		return true;
	default:
		keep_value(head);
		return true;
	}
}

static bool
has_media_type(const char *value, const char *type)
{
	size_t len = strcspn(value, "; \t");

	return len == strlen(type) && strncasecmp(value, type, len) == 0;
}

static bool
has_json_suffix(const char *value)
{
	size_t len = strcspn(value, "; \t");

	return len > 5 && strncasecmp(value + len - 5, "+json", 5) == 0;
}

/* Seconds or milliseconds in digits; a fraction is dropped, a date is -1. */
static int64_t
read_delay(const char *value, int64_t unit_ms)
{
	int64_t n = 0;

	if (*value < '0' || *value > '9')
		return -1;
	for (; *value >= '0' && *value <= '9'; value++)
		if (n <= RETRY_AFTER_MAX_MS)
			n = n * 10 + (*value - '0');
	if (*value != '\0' && *value != '.')
		return -1;
	if (n > RETRY_AFTER_MAX_MS / unit_ms)
		return RETRY_AFTER_MAX_MS;
	return n * unit_ms;
}

static void
read_kept(struct response_head *head)
{
	const char *type = head->kept[RESPONSE_CONTENT_TYPE];
	const char *coding = head->kept[RESPONSE_CONTENT_ENCODING];

	head->is_event_stream = has_media_type(type, "text/event-stream");
	head->is_json = has_media_type(type, "application/json") ||
	    has_json_suffix(type);
	if (head->coding != RESPONSE_CODING_OTHER) {
		if (*coding == '\0' || strcasecmp(coding, "identity") == 0)
			head->coding = RESPONSE_CODING_IDENTITY;
		else if (strcasecmp(coding, "gzip") == 0 ||
		    strcasecmp(coding, "x-gzip") == 0)
			head->coding = RESPONSE_CODING_GZIP;
		else if (strcasecmp(coding, "deflate") == 0)
			head->coding = RESPONSE_CODING_DEFLATE;
		else
			head->coding = RESPONSE_CODING_OTHER;
	}
	head->retry_after_ms =
	    read_delay(head->kept[RESPONSE_RETRY_AFTER_MS], 1);
	if (head->retry_after_ms < 0)
		head->retry_after_ms =
		    read_delay(head->kept[RESPONSE_RETRY_AFTER], 1000);
}

/* The blank line is there.  HTTP_MORE: it was an interim answer. */
static enum http_result
end_message(struct response_head *head)
{
	if (head->status == 101)
		return HTTP_BAD;
	if (head->status < 200) {
		begin_message(head);
		return HTTP_MORE;
	}
	head->bad_framing = head->chunked &&
	    (head->has_length || head->minor_version == 0);
	if (head->bad_framing)
		return HTTP_BAD;
	head->keep_alive = !head->saw_close &&
	    (head->minor_version > 0 || head->saw_keep_alive);
	read_kept(head);
	return HTTP_DONE;
}

static void
begin_field(struct response_head *head)
{
	head->state = HEAD_NAME;
	head->name_len = 0;
	head->value_len = 0;
	head->value_cut = false;
	head->header = HEADER_UNKNOWN;
}

static void
add_name_char(struct response_head *head, unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	/* A name that fills the buffer is longer than any that we know. */
	if (head->name_len < sizeof(head->name))
		head->name[head->name_len++] = (char)c;
}

/* Bytes of a value, as many as there are; returns how many. */
static size_t
take_value(struct response_head *head, const char *in, size_t len)
{
	size_t n = 0, room = sizeof(head->value) - 1u - head->value_len;

	while (n < len && is_value_char((unsigned char)in[n]))
		n++;
	if (head->header == HEADER_UNKNOWN)
		return n;
	if (n > room)
		head->value_cut = true;
	else
		room = n;
	memcpy(head->value + head->value_len, in, room);
	head->value_len = (uint16_t)(head->value_len + room);
	return n;
}

/* One byte of the status line.  False: it is not one. */
static bool
take_status_line(struct response_head *head, unsigned char c)
{
	switch (head->state) {
	case HEAD_VERSION:
		if (c != (unsigned char)version_prefix[head->name_len])
			return false;
		if (version_prefix[++head->name_len] == '\0')
			head->state = HEAD_MINOR;
		return true;
	case HEAD_MINOR:
		head->minor_version = c - '0';
		head->state = HEAD_VERSION_SP;
		return c >= '0' && c <= '9';
	case HEAD_VERSION_SP:
		head->name_len = 0;
		head->state = HEAD_STATUS;
		return c == ' ';
	case HEAD_STATUS:
		if (c < '0' || c > '9')
			return false;
		head->status = head->status * 10 + (c - '0');
		if (++head->name_len < 3)
			return true;
		head->state = HEAD_STATUS_SP;
		return head->status >= 100 && head->status <= 599;
	case HEAD_STATUS_SP:
		/* The space without a reason is often forgotten. */
		head->state = c == '\r' ? HEAD_LINE_LF : HEAD_REASON;
		return c == ' ' || c == '\r';
	case HEAD_REASON:
		if (c == '\r')
			head->state = HEAD_LINE_LF;
		return c == '\r' || is_value_char(c);
	default:
		head->state = HEAD_FIELD;
		return c == '\n';
	}
}

/* One byte of a field, but for those that take_value() takes. */
static bool
take_field_byte(struct response_head *head, unsigned char c)
{
	switch (head->state) {
	case HEAD_FIELD:
		if (c == '\r') {
			head->state = HEAD_END_LF;
			return true;
		}
		begin_field(head);
		add_name_char(head, c);
		return is_token_char(c);
	case HEAD_NAME:
		if (c != ':') {
			add_name_char(head, c);
			return is_token_char(c);
		}
		if (head->name_len < sizeof(head->name))
			head->header = find_header(head->name, head->name_len);
		head->state = HEAD_OWS;
		return true;
	case HEAD_OWS:
		if (c == ' ' || c == '\t')
			return true;
		if (c == '\r') {
			head->state = HEAD_VALUE_LF;
			return true;
		}
		head->state = HEAD_VALUE;
		return take_value(head, (const char *)&c, 1) == 1;
	case HEAD_VALUE:
		head->state = HEAD_VALUE_LF;
		return c == '\r';
	default:
		head->state = HEAD_FIELD;
		if (c != '\n')
			return false;
		head->bad_framing = !take_field(head);
		return !head->bad_framing;
	}
}

enum http_result
response_head_feed(struct response_head *head, const char *in, size_t len,
    size_t *used_r)
{
	enum http_result result = HTTP_MORE;
	size_t i = 0, n;
	bool good = true;

	assert(head->state != HEAD_OVER);
	while (i < len && good && result == HTTP_MORE) {
		if (head->state == HEAD_VALUE) {
			n = take_value(head, in + i, len - i);
			i += n;
			head->total_bytes += (uint32_t)n;
			if (i == len)
				break;
		}
		if (head->state == HEAD_END_LF) {
			good = in[i] == '\n';
			if (good)
				result = end_message(head);
		} else if (head->state < HEAD_FIELD)
			good = take_status_line(head, (unsigned char)in[i]);
		else
			good = take_field_byte(head, (unsigned char)in[i]);
		i++;
		if (++head->total_bytes > RESPONSE_HEAD_MAX_BYTES)
			good = false;
	}
	if (head->total_bytes > RESPONSE_HEAD_MAX_BYTES)
		good = false;
	*used_r = i;
	if (!good)
		result = HTTP_BAD;
	if (result != HTTP_MORE)
		head->state = HEAD_OVER;
	return result;
}

enum response_body
response_head_body(const struct response_head *head, bool request_was_head)
{
	if (request_was_head || head->status == 204 || head->status == 304)
		return RESPONSE_BODY_NONE;
	if (head->chunked)
		return RESPONSE_BODY_CHUNKED;
	if (!head->has_length)
		return RESPONSE_BODY_UNTIL_CLOSE;
	return head->content_length == 0 ? RESPONSE_BODY_NONE :
	    RESPONSE_BODY_LENGTH;
}

const char *
response_head_get(const struct response_head *head,
    enum response_header header)
{
	assert(header < RESPONSE_HEADERS);
	return head->kept_len[header] > 0 ? head->kept[header] : NULL;
}

#include "worker/client_head.h"

#include <string.h>
#include <strings.h>

#include <microhttpd.h>

/* name is the literal, in lower case; a header's name has any case. */
#define IS(span, name) \
	((span).len == sizeof(name) - 1 && \
	strncasecmp((span).p, (name), sizeof(name) - 1) == 0)

static void
add_key(struct client_head *head, struct span key)
{
	if (!head->has_key) {
		head->has_key = true;
		head->key = key;
		return;
	}
	/* Whose call would it be? */
	if (head->key.len != key.len ||
	    !bytes_equal_secret(head->key.p, key.p, key.len))
		head->keys_differ = true;
}

/* RFC 9110, 11.1: the scheme has any case, one space or more follow. */
static void
add_authorization(struct client_head *head, struct span value)
{
	static const char scheme[] = "bearer";
	const size_t n = sizeof(scheme) - 1;

	if (value.len <= n || strncasecmp(value.p, scheme, n) != 0 ||
	    value.p[n] != ' ') {
		/* Another scheme names no key of ours. */
		add_key(head, (struct span){ value.p, 0 });
		return;
	}
	value.p += n;
	value.len -= n;
	while (value.len > 0 && value.p[0] == ' ') {
		value.p++;
		value.len--;
	}
	add_key(head, value);
}

static void
add_content_length(struct client_head *head, struct span value)
{
	uint64_t n = 0;

	/* libmicrohttpd has refused what is not a number, or two of them. */
	if (value.len == 0 || value.len > 19) {
		head->bad_content_length = true;
		return;
	}
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9') {
			head->bad_content_length = true;
			return;
		}
		n = 10 * n + (uint64_t)(value.p[i] - '0');
	}
	head->has_content_length = true;
	head->content_length = n;
}

static void
add_query(struct client_head *head, struct span name, struct span value)
{
	if (IS(name, "key")) {
		head->has_goog_api_key = true;
		add_key(head, value);
	} else if (head->queries < CLIENT_HEAD_QUERIES && name.len > 0)
		head->query[head->queries++] =
		    (struct client_query){ name, value };
}

static void
add_anthropic(struct client_head *head, struct span name, struct span value)
{
	if (IS(name, "anthropic-version"))
		head->anthropic_version = value;
	else if (IS(name, "anthropic-beta") &&
	    head->anthropic_betas < CLIENT_HEAD_BETAS)
		head->anthropic_beta[head->anthropic_betas++] = value;
}

static void
add_content(struct client_head *head, struct span name, struct span value)
{
	if (IS(name, "content-type"))
		head->content_type = value;
	else if (IS(name, "content-length"))
		add_content_length(head, value);
	else if (IS(name, "content-encoding") && !IS(value, "identity"))
		head->encoded = true;
}

void
client_head_add(struct client_head *head, bool is_query, struct span name,
    struct span value)
{
	if (is_query) {
		add_query(head, name, value);
		return;
	}
	if (name.len == 0)
		return;
	/* Most headers of an SDK (x-stainless-…) end at the first letter or
	 * two; nothing is looked up twice. */
	switch (name.p[0] | 0x20) {
	case 'a':
		if (IS(name, "authorization"))
			add_authorization(head, value);
		else if (IS(name, "accept"))
			head->accept = value;
		else
			add_anthropic(head, name, value);
		break;
	case 'c':
		add_content(head, name, value);
		break;
	case 'e':
		if (IS(name, "expect"))
			head->expect = true;
		break;
	case 'i':
		if (IS(name, "idempotency-key"))
			head->idempotency_key = value;
		break;
	case 'o':
		if (IS(name, "openai-beta"))
			head->openai_beta = value;
		break;
	case 't':
		if (IS(name, "transfer-encoding"))
			head->chunked = true;
		break;
	case 'u':
		if (IS(name, "user-agent"))
			head->user_agent = value;
		else if (IS(name, "upgrade"))
			head->upgrade = true;
		break;
	case 'x':
		if (IS(name, "x-session-id"))
			head->session_id = value;
		else if (IS(name, "x-youyun-receipt"))
			head->receipt = value.len == 3 &&
			    strncasecmp(value.p, "yes", 3) == 0;
		else if (IS(name, "x-api-key"))
			add_key(head, value);
		else if (IS(name, "x-goog-api-key")) {
			head->has_goog_api_key = true;
			add_key(head, value);
		}
		break;
	}
}

static enum MHD_Result
add_value(void *arg, enum MHD_ValueKind kind, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
	client_head_add(arg, kind == MHD_GET_ARGUMENT_KIND,
	    (struct span){ name, name_len },
	    (struct span){ value != NULL ? value : "",
	    value != NULL ? value_len : 0 });
	return MHD_YES;
}

void
client_head_read(struct MHD_Connection *connection,
    struct client_head *head_r)
{
	memset(head_r, 0, sizeof(*head_r));
	MHD_get_connection_values_n(connection,
	    MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, add_value, head_r);
}

static bool
type_is(const struct client_head *head, const char *type)
{
	const struct span *value = &head->content_type;
	size_t n = strlen(type);

	if (value->p == NULL || value->len < n ||
	    strncasecmp(value->p, type, n) != 0)
		return false;
	return value->len == n || value->p[n] == ';' || value->p[n] == ' ' ||
	    value->p[n] == '\t';
}

bool
client_head_is_json(const struct client_head *head)
{
	return type_is(head, "application/json");
}

bool
client_head_is_form(const struct client_head *head)
{
	return type_is(head, "multipart/form-data");
}

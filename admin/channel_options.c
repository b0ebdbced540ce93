/* The options of "channel add" and "channel set" about what bounds a channel and
 * the way there, and how they are stored. */
#include "admin/channel.h"

#include <stdio.h>
#include <string.h>

#include "admin/check.h"
#include "admin/options.h"
#include "base/bytes.h"
#include "db/queries.h"
#include "db/queries_agreement.h"
#include "shm/channel_headers.h"
#include "shm/limit.h"

#define NUMBER_MAX INT64_C(1000000)
#define PURPOSE_BYTES 201

bool
channel_take_number(const struct args *args, const char *name, int64_t absent,
    int64_t *number_r)
{
	const char *text;

	*number_r = absent;
	text = args_get(args, name);
	if (text == NULL)
		return true;
	if (strcmp(text, "0") == 0) {
		*number_r = 0;
		return true;
	}
	if (check_number(text, number_r) && *number_r <= NUMBER_MAX)
		return true;
	complain("--%s %s: allowed are 0 to 1000000", name, text);
	return false;
}

const char *
channel_check_name(const char *name)
{
	size_t i;

	if (strlen(name) > 63)
		return "a channel's or credential's name has at most 63 bytes";
	for (i = 0; name[i] != '\0'; i++)
		if (name[i] < ' ' || name[i] > '~')
			return "a channel's or credential's name is printable "
			    "ASCII";
	return check_name(name);
}

static bool
take_duration(const struct args *args, const char *name, int64_t *ms_r)
{
	const char *text;

	*ms_r = -1;
	text = args_get(args, name);
	if (text == NULL)
		return true;
	if (strcmp(text, "default") == 0) {
		*ms_r = 0;
		return true;
	}
	if (check_duration(text, ms_r))
		return true;
	complain("--%s %s: allowed are default, or 1ms to 24h such as 500ms, "
	    "30s, 5m", name, text);
	return false;
}

static bool
take_text(const struct args *args, const char *name, size_t size,
    const char **text_r)
{
	const char *why;

	*text_r = args_get(args, name);
	if (*text_r == NULL)
		return true;
	why = check_text(*text_r);
	if (why == NULL && strlen(*text_r) >= size)
		why = "too long";
	if (why == NULL)
		return true;
	complain("--%s %s: %s", name, *text_r, why);
	return false;
}

static bool
add_header(const char *text, struct channel_change *c)
{
	size_t len = strlen(c->headers), more = strlen(text);
	struct span name, value;
	const char *why, *colon;

	colon = strchr(text, ':');
	if (colon == NULL) {
		why = "it has no colon";
	} else {
		name = (struct span){ text, (size_t)(colon - text) };
		value.p = colon + 1 + strspn(colon + 1, " ");
		value.len = strlen(value.p);
		why = channel_header_check(name, value);
	}
	if (why == NULL && len + more + 2 > sizeof c->headers)
		why = "all headers together are too long";
	if (why != NULL) {
		complain("--header \"%s\": %s", text, why);
		return false;
	}
	snprintf(c->headers + len, sizeof c->headers - len, "%s\n", text);
	return true;
}

static bool
take_headers(const struct args *args, struct channel_change *c)
{
	const char *text;
	int i;

	c->row.bounds.headers = NULL;
	if (!args_has(args, "header"))
		return true;
	c->row.bounds.headers = c->headers;
	for (i = 0; (text = args_nth(args, "header", i)) != NULL; i++) {
		if (i >= CHANNEL_HEADERS) {
			complain("--header: at most %d", CHANNEL_HEADERS);
			return false;
		}
		if (text[0] != '\0' && !add_header(text, c))
			return false;
	}
	return true;
}

/* "http://host:port"; the port is not to be guessed. */
static bool
take_proxy(const struct args *args, struct channel_change *c)
{
	const char *text, *host, *colon;
	int64_t port;
	size_t len;

	text = args_get(args, "proxy");
	if (text == NULL) {
		if (!args_has(args, "proxy-credential-file"))
			return true;
		complain("--proxy-credential-file is given without --proxy");
		return false;
	}
	c->sets_proxy = true;
	if (strcmp(text, "none") == 0)
		return true;
	host = strncmp(text, "http://", 7) == 0 ? text + 7 : "";
	colon = strrchr(host, ':');
	len = colon != NULL ? (size_t)(colon - host) : 0;
	if (len == 0 || len >= sizeof c->proxy.host || strchr(host, '@') !=
	    NULL || strchr(host, '/') != NULL ||
	    !check_number(colon + 1, &port) || port > 65535) {
		complain("--proxy %s: allowed are http://host:port and none; "
		    "a password goes by --proxy-credential-file", text);
		return false;
	}
	memcpy(c->proxy.host, host, len);
	if (host[0] == '[' && host[len - 1] == ']') {
		memmove(c->proxy.host, host + 1, len - 2);
		len -= 2;
	}
	c->proxy.host[len] = '\0';
	c->proxy.port = (int)port;
	text = args_get(args, "proxy-credential-file");
	if (text == NULL)
		return true;
	if (!credential_read(text, c->proxy_auth))
		return false;
	if (strchr(c->proxy_auth, ':') != NULL && strlen(c->proxy_auth) <=
	    CHANNEL_PROXY_AUTH_BYTES - SEAL_OVERHEAD - 1)
		return true;
	complain("the proxy's credential is not user:password, or too long");
	return false;
}

static bool
take_responses(const struct args *args, int64_t *translated_r)
{
	const char *text = args_get(args, "responses");

	*translated_r = -1;
	if (text == NULL)
		return true;
	*translated_r = strcmp(text, "translated") == 0;
	if (*translated_r == 1 || strcmp(text, "native") == 0)
		return true;
	complain("--responses %s: allowed are native and translated", text);
	return false;
}

static bool
take_groups(const struct args *args, struct channel_change *c)
{
	const char *text;

	c->sets_groups = args_has(args, "all-groups");
	for (; (text = args_nth(args, "group", c->groups)) != NULL;
	    c->groups++)
		c->group[c->groups] = text;
	if (!c->sets_groups || c->groups == 0) {
		c->sets_groups = c->sets_groups || c->groups > 0;
		return true;
	}
	complain("--group and --all-groups contradict each other");
	return false;
}

static bool
take_amounts(const struct args *args, struct channel_bounds *b)
{
	const char *text = args_get(args, "max-tokens-per-minute");

	b->max_tokens = b->max_day_nano = b->max_month_nano = -1;
	if (text != NULL && strcmp(text, "0") == 0)
		b->max_tokens = 0;
	else if (option_number(args, "max-tokens-per-minute",
	    (int64_t)LIMIT_TOKENS_MAX, &b->max_tokens) != ADMIN_OK)
		return false;
	return option_cap(args, "max-per-day", &b->max_day_nano) ==
	    ADMIN_OK && option_cap(args, "max-per-month",
	    &b->max_month_nano) == ADMIN_OK;
}

enum admin_exit
channel_take_bounds(const struct args *args, struct channel_change *c)
{
	struct channel_bounds *b = &c->row.bounds;

	c->subprocessor = args_get(args, "subprocessor");
	if (!take_text(args, "region", CHANNEL_REGION_BYTES, &b->region) ||
	    !take_text(args, "entity", CHANNEL_ENTITY_BYTES, &b->entity) ||
	    !take_text(args, "purpose", PURPOSE_BYTES, &b->purpose) ||
	    !take_headers(args, c) ||
	    !take_duration(args, "connect-timeout", &b->connect_ms) ||
	    !take_duration(args, "first-byte-timeout", &b->first_byte_ms) ||
	    !take_duration(args, "first-token-timeout", &b->first_token_ms) ||
	    !take_duration(args, "idle-timeout", &b->idle_ms) ||
	    !take_duration(args, "total-timeout", &b->total_ms) ||
	    !channel_take_number(args, "max-concurrent", -1,
	    &b->max_concurrent) ||
	    !channel_take_number(args, "max-per-minute", -1,
	    &b->max_per_minute) ||
	    !take_amounts(args, b) ||
	    !take_responses(args, &b->translates_responses) ||
	    !take_groups(args, c) || !take_proxy(args, c))
		return ADMIN_USAGE;
	return ADMIN_OK;
}

static enum db_result
put_proxy(struct db *db, const struct channel_change *c)
{
	char context[CHANNEL_CONTEXT_BYTES];
	uint8_t sealed[CHANNEL_PROXY_AUTH_BYTES];
	size_t len = strlen(c->proxy_auth);

	if (c->proxy.host[0] == '\0')
		return q_channel_proxy_set(db, c->row.id, NULL, 0, NULL, 0);
	catalogue_proxy_context(c->row.name, context);
	if (len > 0 && !secret_seal(&c->secrets, context, c->proxy_auth, len,
	    sealed))
		return DB_ERROR;
	return q_channel_proxy_set(db, c->row.id, c->proxy.host,
	    c->proxy.port, sealed, len > 0 ? len + SEAL_OVERHEAD : 0);
}

static enum db_result
put_subprocessor(struct db *db, struct channel_change *c)
{
	enum db_result result;

	if (c->subprocessor == NULL)
		return DB_OK;
	result = q_channel_subprocessor_set(db, c->row.id,
	    strcmp(c->subprocessor, "none") == 0 ? NULL : c->subprocessor);
	c->no_subprocessor = result == DB_NONE;
	return result;
}

enum db_result
channel_put_bounds(struct db *db, struct channel_change *c)
{
	enum db_result result;

	result = q_channel_bounds_set(db, c->row.id, &c->row.bounds);
	if (result == DB_OK)
		result = put_subprocessor(db, c);
	if (result == DB_OK && c->sets_groups)
		result = q_channel_groups_set(db, c->row.id, c->group,
		    (size_t)c->groups);
	if (result == DB_OK && c->sets_proxy)
		result = put_proxy(db, c);
	return result;
}

enum db_result
channel_put_credential(struct db *db, const struct channel_change *c,
    const char *name, int64_t id)
{
	struct channel_credential_row row = { .id = id, .name = name,
		.channel_id = c->row.id };
	char context[CHANNEL_CONTEXT_BYTES];
	uint8_t sealed[CHANNEL_CREDENTIAL_BYTES];
	size_t len = strlen(c->credential);
	enum db_result result;

	if (id == 0) {
		result = q_channel_credential_next(db, &row.id);
		if (result != DB_OK)
			return result;
	}
	catalogue_credential_context(c->row.name, (uint64_t)row.id, context);
	if (!secret_seal(&c->secrets, context, c->credential, len, sealed))
		return DB_ERROR;
	row.sealed = sealed;
	row.sealed_bytes = len + SEAL_OVERHEAD;
	return id == 0 ? q_channel_credential_add(db, &row) :
	    q_channel_credential_set(db, id, sealed, row.sealed_bytes, -1);
}

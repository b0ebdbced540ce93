/*
 * route.c: see route.h.  A new route is a row here and a number there.
 */
#include "wire/route.h"

#include <stddef.h>
#include <string.h>

static const struct wire_route_info routes[] = {
	{ WIRE_ROUTE_CHAT_COMPLETIONS, "/v1/chat/completions",
	    "chat.completions", WIRE_METHOD_POST, "POST", WIRE_OPENAI, true,
	    true },
	{ WIRE_ROUTE_MESSAGES, "/v1/messages", "messages", WIRE_METHOD_POST,
	    "POST", WIRE_ANTHROPIC, true, true },
	{ WIRE_ROUTE_MODELS, "/v1/models", "models", WIRE_METHOD_GET,
	    "GET, HEAD", 0, true, false },
	{ WIRE_ROUTE_HEALTHZ, "/healthz", "healthz", WIRE_METHOD_GET,
	    "GET, HEAD", 0, false, false },
	{ WIRE_ROUTE_READYZ, "/readyz", "readyz", WIRE_METHOD_GET,
	    "GET, HEAD", 0, false, false },
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

static const struct {
	enum wire_protocol protocol;
	const char *name;
} protocols[] = {
	{ WIRE_OPENAI, "openai" },
	{ WIRE_ANTHROPIC, "anthropic" },
	{ WIRE_GEMINI, "gemini" },
};

#define N_PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

/* Methods are case-sensitive (RFC 9110, 9.1); 0 for one we don't know. */
static unsigned int
method_bit(const char *method)
{
	if (strcmp(method, "POST") == 0)
		return WIRE_METHOD_POST;
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return WIRE_METHOD_GET;
	return 0;
}

enum wire_find
wire_route_find(const char *method, const char *path,
    const struct wire_route_info **info_r)
{
	size_t i;

	*info_r = NULL;
	for (i = 0; i < N_ROUTES; i++) {
		if (strcmp(routes[i].path, path) != 0)
			continue;
		*info_r = &routes[i];
		if ((routes[i].methods & method_bit(method)) != 0)
			return WIRE_FIND_OK;
		return WIRE_FIND_METHOD;
	}
	return WIRE_FIND_PATH;
}

const struct wire_route_info *
wire_route_info(enum wire_route route)
{
	size_t i;

	for (i = 0; i < N_ROUTES; i++)
		if (routes[i].route == route)
			return &routes[i];
	return NULL;
}

static bool
path_is_under(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

enum wire_protocol
wire_protocol_guess(const char *path, const struct wire_hints *hints)
{
	size_t i;

	for (i = 0; i < N_ROUTES; i++)
		if (routes[i].protocol != 0 &&
		    path_is_under(path, routes[i].path))
			return routes[i].protocol;
	if (hints->has_anthropic_version)
		return WIRE_ANTHROPIC;
	if (hints->has_goog_api_key)
		return WIRE_GEMINI;
	return WIRE_OPENAI;
}

const char *
wire_protocol_name(enum wire_protocol protocol)
{
	size_t i;

	for (i = 0; i < N_PROTOCOLS; i++)
		if (protocols[i].protocol == protocol)
			return protocols[i].name;
	return "unknown";
}

enum wire_protocol
wire_protocol_parse(const char *name)
{
	size_t i;

	for (i = 0; i < N_PROTOCOLS; i++)
		if (strcmp(protocols[i].name, name) == 0)
			return protocols[i].protocol;
	return 0;
}

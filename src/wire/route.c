/*
 * route.c: see route.h.  A new route is a row here and a number there.
 */
#include "wire/route.h"

#include <stddef.h>
#include <string.h>

#define GET WIRE_METHOD_GET
#define HEAD WIRE_METHOD_HEAD
#define POST WIRE_METHOD_POST
#define DELETE WIRE_METHOD_DELETE

/* A route that goes upstream: its name, its path, and what its body is. */
#define OPENAI(number, path, name, body) \
	{ WIRE_ROUTE_##number, path, name, POST, "POST", WIRE_OPENAI, \
	WIRE_BODY_##body, true, true, false }
#define ANTHROPIC(number, path, name, is_free) \
	{ WIRE_ROUTE_##number, path, name, POST, "POST", WIRE_ANTHROPIC, \
	WIRE_BODY_JSON, true, true, is_free }
#define GEMINI(number, path, name, is_free) \
	{ WIRE_ROUTE_##number, path, name, POST, "POST", WIRE_GEMINI, \
	WIRE_BODY_JSON, true, true, is_free }
/* About an answer that the upstream keeps. */
#define STORED(number, path, name, method, allow) \
	{ WIRE_ROUTE_##number, path, name, method, allow, WIRE_OPENAI, \
	WIRE_BODY_NONE, true, true, true }
/* One that we answer by ourselves. */
#define OWN(number, path, name, methods, allow, protocol, needs_key) \
	{ WIRE_ROUTE_##number, path, name, methods, allow, protocol, \
	WIRE_BODY_NONE, needs_key, false, false }

/* The portal knows its paths and methods, and who may. */
#define PORTAL(path) \
	{ WIRE_ROUTE_PORTAL, path, "portal", WIRE_METHOD_ANY, "", WIRE_OPENAI, \
	WIRE_BODY_NONE, false, false, false }

/* Of rows that match, the first with the right method counts. */
static const struct wire_route_info routes[] = {
	OPENAI(CHAT_COMPLETIONS, "/v1/chat/completions", "chat.completions",
	    JSON),
	ANTHROPIC(MESSAGES, "/v1/messages", "messages", false),
	OWN(MODELS, "/v1/models", "models", GET | HEAD, "GET, HEAD", 0, true),
	OWN(HEALTHZ, "/healthz", "healthz", GET | HEAD, "GET, HEAD", 0, false),
	OWN(READYZ, "/readyz", "readyz", GET | HEAD, "GET, HEAD", 0, false),
	OPENAI(COMPLETIONS, "/v1/completions", "completions", JSON),
	OPENAI(RESPONSES, "/v1/responses", "responses", JSON),
	OWN(RESPONSES_SOCKET, "/v1/responses", "responses.socket", GET,
	    "POST", WIRE_OPENAI, false),
	STORED(RESPONSE, "/v1/responses/{id}", "responses.get", GET,
	    "GET, DELETE"),
	STORED(RESPONSE_DELETE, "/v1/responses/{id}", "responses.delete",
	    DELETE, "GET, DELETE"),
	STORED(RESPONSE_CANCEL, "/v1/responses/{id}/cancel",
	    "responses.cancel", POST, "POST"),
	STORED(RESPONSE_INPUT, "/v1/responses/{id}/input_items",
	    "responses.input_items", GET, "GET"),
	OPENAI(EMBEDDINGS, "/v1/embeddings", "embeddings", JSON),
	OPENAI(IMAGES, "/v1/images/generations", "images.generations", JSON),
	OPENAI(IMAGE_EDITS, "/v1/images/edits", "images.edits", FORM),
	OPENAI(IMAGE_VARIATIONS, "/v1/images/variations", "images.variations",
	    FORM),
	OPENAI(TRANSCRIPTIONS, "/v1/audio/transcriptions",
	    "audio.transcriptions", FORM),
	OPENAI(TRANSLATIONS, "/v1/audio/translations", "audio.translations",
	    FORM),
	OPENAI(SPEECH, "/v1/audio/speech", "audio.speech", JSON),
	OPENAI(MODERATIONS, "/v1/moderations", "moderations", JSON),
	OPENAI(RERANK, "/v1/rerank", "rerank", JSON),
	ANTHROPIC(COUNT_TOKENS, "/v1/messages/count_tokens",
	    "messages.count_tokens", true),
	OWN(BATCHES, "/v1/messages/batches*", "messages.batches",
	    WIRE_METHOD_ANY, "POST", WIRE_ANTHROPIC, true),
	OWN(HELLO, "/api/hello", "hello", GET | HEAD, "GET, HEAD",
	    WIRE_ANTHROPIC, false),
	GEMINI(GENERATE, "/{v}/models/{m}:generateContent", "generateContent",
	    false),
	GEMINI(STREAM_GENERATE, "/{v}/models/{m}:streamGenerateContent",
	    "streamGenerateContent", false),
	GEMINI(GEMINI_COUNT, "/{v}/models/{m}:countTokens", "countTokens",
	    true),
	GEMINI(EMBED, "/{v}/models/{m}:embedContent", "embedContent", false),
	GEMINI(BATCH_EMBED, "/{v}/models/{m}:batchEmbedContents",
	    "batchEmbedContents", false),
	GEMINI(INTERACTIONS, "/{v}/interactions", "interactions", false),
	OWN(MODELS, "/v1beta/models", "models", GET | HEAD, "GET, HEAD",
	    WIRE_GEMINI, true),
	OWN(MODEL, "/v1/models/{m}", "models.get", GET | HEAD, "GET, HEAD", 0,
	    true),
	OWN(MODEL, "/v1beta/models/{m}", "models.get", GET | HEAD,
	    "GET, HEAD", WIRE_GEMINI, true),
	PORTAL("/api/v1*"),
	PORTAL("/v1/dashboard/billing*"),
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

/* Whose paths are whose, for answers to paths that we don't serve. */
static const struct {
	const char *top;
	enum wire_protocol protocol;
} tops[] = {
	{ "/v1/messages", WIRE_ANTHROPIC },
	{ "/api/hello", WIRE_ANTHROPIC },
	{ "/v1beta", WIRE_GEMINI },
	{ "/v1/interactions", WIRE_GEMINI },
	{ "/v1/chat", WIRE_OPENAI },
	{ "/v1/completions", WIRE_OPENAI },
	{ "/v1/responses", WIRE_OPENAI },
	{ "/v1/embeddings", WIRE_OPENAI },
	{ "/v1/images", WIRE_OPENAI },
	{ "/v1/audio", WIRE_OPENAI },
	{ "/v1/moderations", WIRE_OPENAI },
	{ "/v1/rerank", WIRE_OPENAI },
};

#define N_TOPS (sizeof(tops) / sizeof(tops[0]))

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
	static const struct {
		const char *name;
		unsigned int bit;
	} methods[] = { { "POST", POST }, { "GET", GET }, { "HEAD", HEAD },
		{ "DELETE", DELETE } };
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(method, methods[i].name) == 0)
			return methods[i].bit;
	return 0;
}

static bool
is_id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* What {v}, {id} or {m} takes of the path; 0: it can't. */
static size_t
variable_length(const char *pattern, const char *path)
{
	const char *tail;
	size_t n = 0, len;

	if (strncmp(pattern, "{v}", 3) == 0) {
		if (strncmp(path, "v1beta/", 7) == 0)
			return 6;
		return strncmp(path, "v1/", 3) == 0 ? 2 : 0;
	}
	if (strncmp(pattern, "{id}", 4) == 0) {
		while (is_id_char(path[n]))
			n++;
		/* "." and ".." are not names but directions. */
		return n > 0 && path[0] != '.' ? n : 0;
	}
	/* {m}: a model's name may hold slashes and colons. */
	tail = pattern + 3;
	len = strlen(path);
	n = strlen(tail);
	return len > n && strcmp(path + len - n, tail) == 0 ? len - n : 0;
}

static bool
path_matches(const char *pattern, const char *path, struct wire_path *parts)
{
	size_t n;

	memset(parts, 0, sizeof(*parts));
	while (*pattern != '\0') {
		if (strcmp(pattern, "*") == 0)
			return *path == '\0' || *path == '/';
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		n = variable_length(pattern, path);
		if (n == 0)
			return false;
		if (pattern[1] == 'v')
			parts->version = (struct span){ path, n };
		else
			parts->name = (struct span){ path, n };
		path += n;
		pattern = strchr(pattern, '}') + 1;
	}
	return *path == '\0';
}

/* No method of a model's name may pass for a name. */
static bool
is_verb_path(const struct wire_route_info *info, unsigned int method,
    const struct wire_path *parts)
{
	return info->route == WIRE_ROUTE_MODEL && method == POST &&
	    memchr(parts->name.p, ':', parts->name.len) != NULL;
}

enum wire_find
wire_route_find(const char *method, const char *path,
    const struct wire_route_info **info_r, struct wire_path *parts_r)
{
	unsigned int bit = method_bit(method);
	size_t i;

	*info_r = NULL;
	for (i = 0; i < N_ROUTES; i++) {
		if (!path_matches(routes[i].path, path, parts_r) ||
		    is_verb_path(&routes[i], bit, parts_r))
			continue;
		if ((routes[i].methods & bit) != 0 ||
		    routes[i].methods == WIRE_METHOD_ANY) {
			*info_r = &routes[i];
			return WIRE_FIND_OK;
		}
		if (*info_r == NULL)
			*info_r = &routes[i];
	}
	memset(parts_r, 0, sizeof(*parts_r));
	return *info_r != NULL ? WIRE_FIND_METHOD : WIRE_FIND_PATH;
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

	for (i = 0; i < N_TOPS; i++)
		if (path_is_under(path, tops[i].top))
			return tops[i].protocol;
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

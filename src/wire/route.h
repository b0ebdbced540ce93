/*
 * route.h: what paths the gateway serves, and in whose protocol.
 * Layer: wire.  A constant table; pure look-up.
 * Written by: nobody at run time.
 */
#ifndef WIRE_ROUTE_H
#define WIRE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Stored in records and in the database: append, never renumber. */
enum wire_protocol {
	WIRE_OPENAI = 1,
	WIRE_ANTHROPIC = 2,
	WIRE_GEMINI = 3
};

/* Stored in records and in the database: append, never renumber. */
enum wire_route {
	WIRE_ROUTE_NONE = 0,		/* nothing we serve */
	WIRE_ROUTE_CHAT_COMPLETIONS = 1, /* POST /v1/chat/completions */
	WIRE_ROUTE_MESSAGES = 2,	/* POST /v1/messages */
	WIRE_ROUTE_MODELS = 3,		/* GET /v1/models, /v1beta/models */
	WIRE_ROUTE_HEALTHZ = 4,		/* GET /healthz */
	WIRE_ROUTE_READYZ = 5,		/* GET /readyz */
	/* OpenAI */
	WIRE_ROUTE_COMPLETIONS = 6,	/* POST /v1/completions */
	WIRE_ROUTE_RESPONSES = 7,	/* POST /v1/responses */
	WIRE_ROUTE_RESPONSE = 8,	/* GET /v1/responses/{id} */
	WIRE_ROUTE_RESPONSE_DELETE = 9,	/* DELETE /v1/responses/{id} */
	WIRE_ROUTE_RESPONSE_CANCEL = 10, /* POST /v1/responses/{id}/cancel */
	WIRE_ROUTE_RESPONSE_INPUT = 11,	/* GET …/{id}/input_items */
	WIRE_ROUTE_RESPONSES_SOCKET = 12, /* GET /v1/responses: refused */
	WIRE_ROUTE_EMBEDDINGS = 13,	/* POST /v1/embeddings */
	WIRE_ROUTE_IMAGES = 14,		/* POST /v1/images/generations */
	WIRE_ROUTE_IMAGE_EDITS = 15,	/* POST /v1/images/edits */
	WIRE_ROUTE_IMAGE_VARIATIONS = 16, /* POST /v1/images/variations */
	WIRE_ROUTE_TRANSCRIPTIONS = 17,	/* POST /v1/audio/transcriptions */
	WIRE_ROUTE_TRANSLATIONS = 18,	/* POST /v1/audio/translations */
	WIRE_ROUTE_SPEECH = 19,		/* POST /v1/audio/speech */
	WIRE_ROUTE_MODERATIONS = 20,	/* POST /v1/moderations */
	WIRE_ROUTE_RERANK = 21,		/* POST /v1/rerank */
	WIRE_ROUTE_MODEL = 22,		/* GET /v1/models/{m}, any protocol */
	/* Anthropic */
	WIRE_ROUTE_COUNT_TOKENS = 23,	/* POST /v1/messages/count_tokens */
	WIRE_ROUTE_BATCHES = 24,	/* /v1/messages/batches: refused */
	WIRE_ROUTE_HELLO = 25,		/* GET /api/hello */
	/* Gemini; {v} is v1 or v1beta */
	WIRE_ROUTE_GENERATE = 26,	/* POST …/models/{m}:generateContent */
	WIRE_ROUTE_STREAM_GENERATE = 27, /* POST …:streamGenerateContent */
	WIRE_ROUTE_GEMINI_COUNT = 28,	/* POST …:countTokens */
	WIRE_ROUTE_EMBED = 29,		/* POST …:embedContent */
	WIRE_ROUTE_BATCH_EMBED = 30,	/* POST …:batchEmbedContents */
	WIRE_ROUTE_INTERACTIONS = 31,	/* POST /{v}/interactions */
	/* The customer's API, answered by the portal */
	WIRE_ROUTE_PORTAL = 32		/* /api/v1/…, /v1/dashboard/billing/… */
};

#define WIRE_METHOD_GET		0x01u
#define WIRE_METHOD_HEAD	0x02u
#define WIRE_METHOD_POST	0x04u
#define WIRE_METHOD_DELETE	0x08u
#define WIRE_METHOD_ANY		0xffu

/* What a request's body is. */
enum wire_body {
	WIRE_BODY_NONE,			/* none; one that comes is ignored */
	WIRE_BODY_JSON,
	WIRE_BODY_FORM			/* multipart/form-data */
};

struct wire_route_info {
	enum wire_route route;
	/*
	 * "{v}" stands for v1 or v1beta; "{id}" for letters, digits and
	 * ".-_"; "{m}", a model's name, for all up to what follows it; "*",
	 * at the end, for anything.
	 */
	const char *path;
	const char *name;		/* for records and tables */
	unsigned int methods;		/* WIRE_METHOD_GET | … */
	const char *allow;		/* the Allow header's value */
	enum wire_protocol protocol;	/* 0: by wire_protocol_guess() */
	enum wire_body body;
	bool needs_key;
	bool billed;			/* goes upstream: a hold, a record */
	bool free;			/* … but there is no fee */
};

/* What the variable parts of a path are; borrowed from it. */
struct wire_path {
	struct span version;		/* of {v}; empty where there is none */
	struct span name;		/* of {id} or {m}; likewise */
};

enum wire_find {
	WIRE_FIND_OK,
	WIRE_FIND_PATH,			/* 404 */
	WIRE_FIND_METHOD		/* 405; *info_r is set, for allow */
};

/* What of the request's head tells protocols apart. */
struct wire_hints {
	bool has_anthropic_version;	/* anthropic-version: … */
	bool has_goog_api_key;		/* x-goog-api-key: …, or ?key= */
};

/* path is without query, unescaped.  *info_r is static, NULL on
 * WIRE_FIND_PATH. */
enum wire_find wire_route_find(const char *method, const char *path,
	    const struct wire_route_info **info_r, struct wire_path *parts_r)
	    __attribute__((warn_unused_result));

/* The row of a route (of several paths, the first); NULL for WIRE_ROUTE_NONE
 * and unknown numbers. */
const struct wire_route_info *wire_route_info(enum wire_route route);

/* The protocol in which to answer, for any path, served or not. */
enum wire_protocol wire_protocol_guess(const char *path,
	    const struct wire_hints *hints);

/* "openai", "anthropic", "gemini"; "unknown" for another number. */
const char *wire_protocol_name(enum wire_protocol protocol);

/* The reverse; 0 when there is no such protocol. */
enum wire_protocol wire_protocol_parse(const char *name);

#endif

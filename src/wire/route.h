/*
 * route.h: what paths the gateway serves, and in whose protocol.
 * Layer: wire.  A constant table; pure look-up.
 * Written by: nobody at run time.
 */
#ifndef WIRE_ROUTE_H
#define WIRE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

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
	WIRE_ROUTE_MODELS = 3,		/* GET /v1/models */
	WIRE_ROUTE_HEALTHZ = 4,		/* GET /healthz */
	WIRE_ROUTE_READYZ = 5		/* GET /readyz */
};

#define WIRE_METHOD_GET		0x01u	/* allows HEAD too */
#define WIRE_METHOD_POST	0x02u

struct wire_route_info {
	enum wire_route route;
	const char *path;		/* exact */
	const char *name;		/* for records and tables */
	unsigned int methods;		/* WIRE_METHOD_GET | … */
	const char *allow;		/* the Allow header's value */
	enum wire_protocol protocol;	/* 0: by wire_protocol_guess() */
	bool needs_key;
	bool billed;			/* has a body, a hold and a fee */
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

/* path is without query.  *info_r is static, NULL on WIRE_FIND_PATH. */
enum wire_find wire_route_find(const char *method, const char *path,
	    const struct wire_route_info **info_r)
	    __attribute__((warn_unused_result));

/* The row of a route; NULL for WIRE_ROUTE_NONE and unknown numbers. */
const struct wire_route_info *wire_route_info(enum wire_route route);

/* The protocol in which to answer, for any path, served or not. */
enum wire_protocol wire_protocol_guess(const char *path,
	    const struct wire_hints *hints);

/* "openai", "anthropic", "gemini"; "unknown" for another number. */
const char *wire_protocol_name(enum wire_protocol protocol);

/* The reverse; 0 when there is no such protocol. */
enum wire_protocol wire_protocol_parse(const char *name);

#endif

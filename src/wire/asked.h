/*
 * asked.h: how the client's body lets the upstream serve the call.
 * Layer: wire.
 * Written by: wire_asked_read(), for wire_request_scan().
 */
#ifndef WIRE_ASKED_H
#define WIRE_ASKED_H

#include <stdint.h>

#include "http/json_scan.h"

/* Sets of what the answer may turn out to be: 1 << enum usage_tier, and so on.
 * Where the client leaves it to the upstream, all that it may choose. */
struct wire_asked {
	uint8_t tiers;
	uint8_t speeds;
	uint8_t regions;
	uint8_t reserved;
	uint32_t tool_calls;		/* of tools that the provider runs and
					 * charges for: at most, or a guess */
};

/* Calls of a tool that are held for where the client sets no limit. */
#define WIRE_ASKED_TOOL_CALLS 4

/* The three members as scanned in `body`; NULL: the protocol has none. */
struct wire_asked wire_asked_read(const char *body,
	    const struct json_want *tier, const struct json_want *speed,
	    const struct json_want *region);

/* tool_calls, out of "tools" and of "web_search_options", which NULL or absent
 * asks for none. */
uint32_t wire_asked_tools(const char *body, const struct json_want *tools,
	    const struct json_want *web_search);

#endif

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
};

/* The three members as scanned in `body`; NULL: the protocol has none. */
struct wire_asked wire_asked_read(const char *body,
	    const struct json_want *tier, const struct json_want *speed,
	    const struct json_want *region);

#endif

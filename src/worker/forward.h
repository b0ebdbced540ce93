/*
 * forward.h: the request, as the upstream is to see it.
 * Layer: worker (private).
 * Written by: one thread.
 *
 * Headers and members of the query go up from allow-lists only; a key in a
 * query never does.  The body goes up as it came, but for the model's name and
 * stream_options.include_usage; or it is translated, see translated.h.
 */
#ifndef WORKER_FORWARD_H
#define WORKER_FORWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "upstream/request_head.h"
#include "wire/error.h"
#include "wire/route.h"

struct call;
struct catalogue_model;
struct choice;
struct client_head;
struct exchange_handlers;

/* What forward_headers() gives at most, and with a framing and the operator's
 * own. */
#define FORWARD_HEADERS_OURS 16
#define FORWARD_HEADERS 25
#define FORWARD_TARGET_BYTES 2048

/*
 * The headers for a route, in order, from what the client sent; borrowed from
 * head and credential.  head NULL: the client speaks another protocol, and
 * nothing of its head means anything there.  Returns how many.
 */
size_t	forward_headers(const struct wire_route_info *route,
	    const struct client_head *head, const char *credential,
	    size_t credential_len, struct request_header header_r[]);

/*
 * Path and query, "/v1/messages?beta=true", written into buf: the route's own
 * path, with the version that the client used, and name for its id or its
 * model.  p is NULL when that is too long.  head NULL: as above; then a stream
 * of Gemini's is asked for as events.
 */
struct span forward_target(const struct wire_route_info *route,
	    const struct client_head *head, struct span version,
	    struct span name, char buf[FORWARD_TARGET_BYTES]);

/* Starts the exchange of an admitted call.  Anything but NONE: nothing was
 * started, and why. */
enum wire_error forward_call(struct call *call,
	    const struct catalogue_model *model, const struct choice *choice,
	    const struct exchange_handlers *handlers)
	    __attribute__((warn_unused_result));

/* The line before a chunk of len bytes, with its CRLF; returns its length. */
size_t	forward_chunk_line(char line[], size_t len);

#endif

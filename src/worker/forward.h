/*
 * forward.h: the request, as the upstream is to see it.
 * Layer: worker (private).
 * Written by: one thread.
 *
 * Headers go up from an allow-list only.  The body goes up as it came, but
 * for the model's name and stream_options.include_usage.
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

/* What forward_headers() gives at most, and with the operator's own. */
#define FORWARD_HEADERS_OURS 16
#define FORWARD_HEADERS 24

/*
 * The headers for a protocol, in order, from what the client sent; borrowed
 * from head and credential.  Returns how many.
 */
size_t	forward_headers(enum wire_protocol protocol,
	    const struct client_head *head, const char *credential,
	    size_t credential_len, struct request_header header_r[]);

/* Path and query: "/v1/messages?beta=true". */
struct span forward_target(const struct wire_route_info *route,
	    const struct client_head *head);

/* Starts the exchange of an admitted call.  Anything but NONE: nothing was
 * started, and why. */
enum wire_error forward_call(struct call *call,
	    const struct catalogue_model *model, const struct choice *choice,
	    const struct exchange_handlers *handlers)
	    __attribute__((warn_unused_result));

#endif

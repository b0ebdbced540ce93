/*
 * request.h: what the gateway must know of a request's body.
 * Layer: wire.  One pass over the complete body; the body is never changed.
 * Written by: wire_request_scan(); read by admit, hold and forward.
 */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/json_scan.h"
#include "wire/asked.h"
#include "wire/error.h"
#include "wire/route.h"

#define WIRE_MODEL_BYTES	129	/* longest model name, + 1 */
#define WIRE_REQUEST_N_MAX	128
#define WIRE_PARAM_BYTES	64

/* Offsets into the body. */
struct wire_place {
	size_t start;
	size_t end;			/* one past; start == end: absent */
};

struct wire_request {
	enum wire_route route;
	char model[WIRE_MODEL_BYTES];	/* unescaped, NUL-terminated */
	size_t model_len;
	bool stream;
	bool has_max_tokens;
	uint64_t max_tokens;		/* per choice, as asked; else 0 */
	uint32_t n;			/* choices; 1 when not said */
	bool include_usage;		/* the client itself asked for it */
	size_t body_bytes;		/* what the input estimate is of */
	struct wire_place session;	/* prompt_cache_key, quotes included */
	struct wire_place prompt;	/* the value that the prompt begins
					 * with: system, else messages */
	struct wire_asked asked;	/* tiers that it may be served in … */

	/* For wire/splice.h. */
	struct wire_place object;	/* braces included */
	uint32_t members;
	struct wire_place model_value;	/* quotes included */
	struct wire_place stream_options; /* the value, if an object or null */
	bool stream_options_null;
	uint32_t stream_options_members;
	struct wire_place include_usage_value;
};

/* Why a body was refused. */
struct wire_fault {
	enum wire_error error;		/* one of the 400s */
	char param[WIRE_PARAM_BYTES];	/* "" when no member is to blame */
};

/*
 * Scan len bytes of body for a billed route.  False: refused, fault_r says
 * why and req_r is meaningless.
 */
bool	wire_request_scan(enum wire_route route, const char *body, size_t len,
	    struct wire_request *req_r, struct wire_fault *fault_r)
	    __attribute__((warn_unused_result));

/*
 * The most output that may be billed: max_tokens × n, or ceiling_tokens × n
 * when the client set no limit.  Saturates at USAGE_COUNT_MAX.
 */
uint64_t wire_request_output_tokens(const struct wire_request *req,
	    uint64_t ceiling_tokens);

#endif

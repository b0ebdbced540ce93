/*
 * request.h: what the gateway must know of a request.
 * Layer: wire.  One pass over the complete body; the body is never changed.
 * Written by: wire_request_scan(), or form.h for bodies that are forms; read
 * by admit, hold and forward.
 */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/fee.h"
#include "http/json_scan.h"
#include "wire/asked.h"
#include "wire/error.h"
#include "wire/route.h"

#define WIRE_MODEL_BYTES	129	/* longest model name, + 1 */
#define WIRE_REQUEST_N_MAX	128
/* A form's prompt, and the images that are given with it, in tokens. */
#define WIRE_REQUEST_FORM_TEXT_TOKENS UINT64_C(8192)
#define WIRE_PARAM_BYTES	64
#define WIRE_ANSWER_ID_BYTES	129	/* longest id of an answer, + 1 */

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
	bool background;		/* the answer is asked for later */
	size_t body_bytes;		/* what the input estimate is of */
	struct wire_place session;	/* prompt_cache_key, quotes included */
	struct wire_place prompt;	/* the value that the prompt begins
					 * with: system, else messages … */
	struct wire_asked asked;	/* tiers that it may be served in … */
	char previous_id[WIRE_ANSWER_ID_BYTES]; /* of an answer; "": none */
	uint64_t context_tokens;	/* what that one brings along */
	uint64_t characters;		/* to be spoken */
	uint64_t audio_ms;		/* estimated, from the file's bytes */
	uint64_t documents;		/* to be ranked */
	uint32_t partial_images;	/* of each */
	/* Of images, as base/fee.h's struct usage has them. */
	uint16_t image_width;
	uint16_t image_height;
	uint8_t image_quality;

	/* For wire/splice.h. */
	struct wire_place object;	/* braces included */
	uint32_t members;
	bool model_in_path;		/* not (only) in the body */
	bool form;			/* no JSON: values have no quotes */
	struct wire_place model_value;	/* quotes included; absent: a default
					 * was taken */
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
 * Scan len bytes of body for a route that has a JSON body.  Where the model
 * stands in the path, model stays empty: see wire_request_name().  False:
 * refused, fault_r says why and req_r is meaningless.
 */
bool	wire_request_scan(enum wire_route route, const char *body, size_t len,
	    struct wire_request *req_r, struct wire_fault *fault_r)
	    __attribute__((warn_unused_result));

/* For a route that takes none, or before a form is read. */
void	wire_request_init(enum wire_route route, struct wire_request *req_r);

/* The model's name, from the path.  False: too long, or none at all. */
bool	wire_request_name(struct wire_request *req, struct span name,
	    struct wire_fault *fault_r) __attribute__((warn_unused_result));

/* One member of a form, as text; those that cost nothing are ignored.  False:
 * its value can't be. */
bool	wire_request_field(struct wire_request *req, const char *name,
	    struct span value, struct wire_fault *fault_r)
	    __attribute__((warn_unused_result));

/* Is it one of those that may stand once only? */
bool	wire_request_field_costs(const char *name);

/* The model that is meant where a request names none; NULL: it must. */
const char *wire_request_default_model(enum wire_route route);

/* How many tokens of text it may be, with what it continues. */
uint64_t wire_request_input_tokens(const struct wire_request *req);

/*
 * The most text that may be billed: max_tokens × n, or ceiling_tokens × n
 * when the client set no limit; 0 where no text is made.  Saturates at
 * USAGE_COUNT_MAX.
 */
uint64_t wire_request_output_tokens(const struct wire_request *req,
	    uint64_t ceiling_tokens);

/* What an answer may state at most beside that text: for holds. */
void	wire_request_most(const struct wire_request *req,
	    struct usage *usage_r);

/*
 * Completes a usage that an answer stated, or did not (no USAGE_SEEN), by what
 * the request says: characters, images and what they look like, the length of
 * a recording.  False: text, of which the caller has to estimate what is not
 * stated.
 */
bool	wire_request_complete(const struct wire_request *req,
	    struct usage *usage) __attribute__((warn_unused_result));

#endif

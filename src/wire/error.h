/*
 * error.h: our refusals, in the shape that each protocol's clients expect.
 * Layer: wire.  Pure rendering into the caller's buffer.
 * Written by: nobody at run time.
 */
#ifndef WIRE_ERROR_H
#define WIRE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/route.h"

/* Stored in records and in the database: append, never renumber. */
enum wire_error {
	WIRE_ERROR_NONE = 0,
	WIRE_ERROR_BAD_REQUEST = 1,	/* 400: the HTTP request itself */
	WIRE_ERROR_BAD_JSON = 2,	/* 400 */
	WIRE_ERROR_JSON_DEEP = 3,	/* 400 */
	WIRE_ERROR_BAD_PARAM = 4,	/* 400: wrong type or value */
	WIRE_ERROR_DUPLICATE_PARAM = 5,	/* 400: a billing member twice */
	WIRE_ERROR_MISSING_PARAM = 6,	/* 400 */
	WIRE_ERROR_BAD_FORM = 7,	/* 400: not multipart/form-data */
	WIRE_ERROR_MODEL_LATE = 8,	/* 400: model after limit bytes */
	WIRE_ERROR_NOT_OFFERED = 9,	/* 400: param is not for sale */
	WIRE_ERROR_NO_KEY = 10,		/* 401 */
	WIRE_ERROR_BAD_KEY = 11,	/* 401: unknown, revoked */
	WIRE_ERROR_KEY_EXPIRED = 12,	/* 401 */
	WIRE_ERROR_NOT_TRANSLATED = 13,	/* 400: no word for it upstream */
	WIRE_ERROR_CONTENT_BLOCKED = 14, /* 400: by lists or moderation */
	WIRE_ERROR_NO_MONEY = 20,	/* 402 */
	WIRE_ERROR_SPENT_DAY = 21,	/* 402: a cap, not the balance */
	WIRE_ERROR_SPENT_MONTH = 22,	/* 402 */
	WIRE_ERROR_SPENT_TOTAL = 23,	/* 402: the key's quota */
	WIRE_ERROR_TOKENS_USED = 24,	/* 402: the key's quota */
	WIRE_ERROR_ACCOUNT_CLOSED = 30,	/* 403: suspended or closed */
	WIRE_ERROR_ADDRESS_DENIED = 31,	/* 403 */
	WIRE_ERROR_MODEL_DENIED = 32,	/* 403: param = model */
	WIRE_ERROR_REGION_DENIED = 33,	/* 403: param = model */
	WIRE_ERROR_NO_ROUTE = 40,	/* 404 */
	WIRE_ERROR_NO_MODEL = 41,	/* 404: param = model; or unpriced */
	WIRE_ERROR_NOT_SERVED = 42,	/* 404: a known path, but not here */
	WIRE_ERROR_NO_ANSWER = 43,	/* 404: param = its id */
	WIRE_ERROR_METHOD = 50,		/* 405: allow is set */
	WIRE_ERROR_REQUEST_TIMEOUT = 60, /* 408: the body didn't come */
	WIRE_ERROR_ANSWER_OPEN = 65,	/* 409: param = its id; not paid yet */
	WIRE_ERROR_BODY_LARGE = 70,	/* 413: limit in bytes */
	WIRE_ERROR_MEDIA_TYPE = 80,	/* 415 */
	WIRE_ERROR_FORM_TYPE = 81,	/* 415: a form is wanted */
	WIRE_ERROR_UPGRADE = 85,	/* 426: no WebSocket */
	WIRE_ERROR_RATE_REQUESTS = 90,	/* 429: limit per minute */
	WIRE_ERROR_RATE_TOKENS = 91,	/* 429: limit per minute */
	WIRE_ERROR_RATE_CONCURRENT = 92, /* 429: limit at once */
	WIRE_ERROR_RATE_KEYS = 93,	/* 429: wrong keys per minute */
	WIRE_ERROR_HEAD_LARGE = 100,	/* 431 */
	WIRE_ERROR_INTERNAL = 110,	/* 500 */
	WIRE_ERROR_UPSTREAM = 120,	/* 502: unreachable, or bad answer */
	WIRE_ERROR_UPSTREAM_REFUSED = 121, /* 502: it refused the operator */
	WIRE_ERROR_UPSTREAM_BUSY = 122,	/* 429: its rate limit, not ours */
	WIRE_ERROR_UPSTREAM_FULL = 123,	/* 503: it is overloaded */
	WIRE_ERROR_OVERLOADED = 130,	/* 503: our own queues are full */
	WIRE_ERROR_NO_CHANNEL = 131,	/* 503: none is up for the model */
	WIRE_ERROR_STARTING = 132,	/* 503: not ready, or stopping */
	WIRE_ERROR_PORTAL_AWAY = 133,	/* 503: the portal doesn't answer */
	WIRE_ERROR_UNMODERATED = 134,	/* 503: who judges doesn't answer */
	WIRE_ERROR_UPSTREAM_TIMEOUT = 140, /* 504 */
	WIRE_ERROR_STREAM_NO_MONEY = 150, /* 402, in the stream */
	WIRE_ERROR_STREAM_CUT = 151,	/* 502, in the stream */
	WIRE_ERROR_STREAM_TIMEOUT = 152, /* 504, in the stream */
	WIRE_ERROR_STREAM_SUSPENDED = 153, /* 403, in the stream */
	WIRE_ERROR_STREAM_BLOCKED = 154, /* 400, in the stream */
	WIRE_ERROR_STREAM_SPENT = 155,	/* 402, in the stream: a cap */
	/* Recorded, never rendered: nobody is there to read it. */
	WIRE_ERROR_CLIENT_GONE = 160,
	/* Recorded: the upstream's own 4xx/5xx was passed on or replaced. */
	WIRE_ERROR_UPSTREAM_STATUS = 161
};

/* Room that any rendering fits in. */
#define WIRE_ERROR_BODY_BYTES	4096

/* What the message may mention.  Strings are borrowed, of any content; they
 * are cut to 128 bytes and escaped.  NULL or 0: not mentioned. */
struct wire_error_info {
	const char *request_id;
	const char *param;	/* member's name; for *_MODEL the model */
	uint64_t limit;
	uint32_t retry_after_s;	/* for 402, 429 and 503 */
	const char *allow;	/* 405: becomes a header, not text */
};

struct wire_error_reply {
	int status;
	const char *content_type;	/* static */
	const char *body;		/* = the buffer given */
	size_t body_len;
	/* Ready to send as headers: 0 or NULL when not wanted. */
	uint32_t retry_after_s;
	bool no_retry;			/* x-should-retry: false */
	const char *allow;		/* borrowed from info */
};

/* The HTTP status of an error; 499 for a client that left. */
int	wire_error_status(enum wire_error error);

/* A short stable name ("no_money"), for tables and metrics. */
const char *wire_error_name(enum wire_error error);

/* The text of one whose text mentions nothing; without quotes. */
const char *wire_error_message(enum wire_error error);

/* The complete answer.  size must be at least WIRE_ERROR_BODY_BYTES. */
void	wire_error_render(enum wire_protocol protocol, enum wire_error error,
	    const struct wire_error_info *info, char *buf, size_t size,
	    struct wire_error_reply *reply_r);

/*
 * The same as an event at the end of a stream that has begun with 200: OpenAI
 * `data: {"error":…}`, with more around it on routes whose events are typed;
 * Anthropic `event: error`.  Returns its length; size as above.  mid_event: a
 * frame was left unfinished (wire_meter_frame_open()), so that a blank line
 * comes first.
 */
size_t	wire_error_stream_event(enum wire_route route,
	    enum wire_protocol protocol, enum wire_error error,
	    const struct wire_error_info *info, bool mid_event, char *buf,
	    size_t size);

/* As the last element of an array that is streamed.  any: it has others. */
size_t	wire_error_array_end(enum wire_protocol protocol,
	    enum wire_error error, const struct wire_error_info *info,
	    bool any, char *buf, size_t size);

#endif

/*
 * response_head.h: incremental parser for the head of an HTTP/1.x response.
 * Layer: http.  No I/O, no allocation, no globals; constant memory.
 * Written by: the upstream exchange that owns the struct; read by the worker.
 *
 * RFC 9112, strictly: bare CR, bare LF, obs-fold, white space before a colon,
 * control characters, Content-Length together with Transfer-Encoding, several
 * differing lengths, and any transfer coding but "chunked" are HTTP_BAD.
 * Interim answers (1xx) are skipped; 101 is HTTP_BAD, for we never ask for it.
 */
#ifndef HTTP_RESPONSE_HEAD_H
#define HTTP_RESPONSE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/result.h"

/* All heads of one answer together, interim ones included. */
#define RESPONSE_HEAD_MAX_BYTES		32768
#define RESPONSE_HEAD_NAME_BYTES	40	/* longest name we know, + 1 */
#define RESPONSE_HEAD_VALUE_BYTES	256	/* a kept value, with its NUL */

/* Headers that are kept.  A value that doesn't fit is not kept at all. */
enum response_header {
	RESPONSE_CONTENT_TYPE,
	RESPONSE_CONTENT_ENCODING,
	RESPONSE_RETRY_AFTER,
	RESPONSE_RETRY_AFTER_MS,
	RESPONSE_SHOULD_RETRY,		/* x-should-retry */
	RESPONSE_X_REQUEST_ID,
	RESPONSE_REQUEST_ID,		/* Anthropic's spelling */
	RESPONSE_HEADERS
};

enum response_coding {
	RESPONSE_CODING_IDENTITY,	/* absent, empty or "identity" */
	RESPONSE_CODING_GZIP,		/* gzip, x-gzip */
	RESPONSE_CODING_DEFLATE,
	RESPONSE_CODING_OTHER		/* br, zstd, several: refuse */
};

/* How the body ends (RFC 9112, 6.3). */
enum response_body {
	RESPONSE_BODY_NONE,
	RESPONSE_BODY_LENGTH,
	RESPONSE_BODY_CHUNKED,
	RESPONSE_BODY_UNTIL_CLOSE
};

struct response_head {
	/* To be read once response_head_feed() said HTTP_DONE. */
	int status;			/* 200 … 599 */
	int minor_version;		/* HTTP/1.x */
	bool has_length;
	bool chunked;
	bool bad_framing;		/* why HTTP_BAD: the body's end */
	bool keep_alive;		/* by version and Connection */
	bool is_event_stream;		/* text/event-stream */
	bool is_json;			/* application/json, …+json */
	enum response_coding coding;
	uint64_t content_length;
	int64_t retry_after_ms;		/* -1: absent, or a date */

	/* Private. */
	uint8_t state;
	uint8_t name_len;
	uint8_t header;			/* index into the table of names */
	bool value_cut;
	bool saw_close;
	bool saw_keep_alive;
	bool saw_transfer_encoding;
	uint16_t value_len;
	uint16_t kept_len[RESPONSE_HEADERS];
	uint32_t total_bytes;
	char name[RESPONSE_HEAD_NAME_BYTES];
	char value[RESPONSE_HEAD_VALUE_BYTES];
	char kept[RESPONSE_HEADERS][RESPONSE_HEAD_VALUE_BYTES];
};

void	response_head_init(struct response_head *head);

/*
 * Take up to len bytes, in pieces of any size.  *used_r: bytes taken; with
 * HTTP_DONE the body starts at in + *used_r.  After HTTP_DONE or HTTP_BAD feed
 * nothing more before response_head_init().
 */
enum http_result response_head_feed(struct response_head *head,
	    const char *in, size_t len, size_t *used_r)
	    __attribute__((warn_unused_result));

/*
 * After HTTP_DONE.  UNTIL_CLOSE implies that the connection can't be reused,
 * whatever keep_alive says.
 */
enum response_body response_head_body(const struct response_head *head,
	    bool request_was_head);

/* A kept value, NUL-terminated, borrowed from head; NULL when absent. */
const char *response_head_get(const struct response_head *head,
	    enum response_header header);

#endif

/*
 * One request as it arrived: head, body byte for byte, and the members of the
 * body that steer the answer.
 * Layer: tests/peer.  Written by: the connection's own thread only.
 */
#ifndef PEER_REQUEST_H
#define PEER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/peer/buf.h"
#include "tests/peer/conn.h"

#define PEER_HEADERS_MAX 128
#define PEER_HEAD_BYTES 65536
#define PEER_BODY_BYTES (256u << 20)

enum peer_protocol {
	PEER_OPENAI,
	PEER_ANTHROPIC,
};

struct peer_header {
	const char *name;	/* as received, points into head */
	const char *value;
};

struct peer_request {
	struct peer_buf head;	/* cut into strings by the parser */
	struct peer_buf body;	/* de-chunked */
	const char *method;
	const char *target;
	struct peer_header header[PEER_HEADERS_MAX];
	unsigned headers;
	bool keep_alive;
	/* from the body's JSON, if it is JSON */
	enum peer_protocol protocol;
	char model[128];
	bool stream;
	bool include_usage;
	long max_tokens;	/* 0: not given */
};

enum peer_request_result {
	PEER_REQUEST_OK,
	PEER_REQUEST_END,	/* the connection ended between requests */
	PEER_REQUEST_BAD,	/* not HTTP, too long, or cut short */
};

/* Reads one request.  request is reset first; free with _free. */
enum peer_request_result peer_request_read(struct peer_request *request,
    struct peer_conn *conn);

/* The first header of that name in any case, or NULL. */
const char *peer_request_header(const struct peer_request *request,
    const char *name);

void peer_request_free(struct peer_request *request);

#endif

/*
 * The response on the wire: heads, whole bodies, chunked event streams, and
 * the broken variants of each.
 * Layer: tests/peer.  Written by: the connection's own thread only.
 */
#ifndef PEER_ANSWER_H
#define PEER_ANSWER_H

#include <stdbool.h>

#include "tests/peer/buf.h"
#include "tests/peer/conn.h"
#include "tests/peer/request.h"
#include "tests/peer/scenario.h"

/* What the connection does after an answer. */
enum peer_after {
	PEER_AFTER_KEEP,	/* next request */
	PEER_AFTER_CLOSE,	/* close_notify and FIN */
	PEER_AFTER_TRUNCATE,	/* bare FIN */
	PEER_AFTER_ABORT,	/* RST */
};

struct peer_answer {
	struct peer_conn *conn;
	const struct peer_request *request;
	const struct peer_scenario *scenario;
	unsigned long serial;	/* of the request, over the whole process */
	bool live;		/* events go out at once, chunked or bare */
	struct peer_buf buffer;	/* events, when not live */
};

/* Sends status and a JSON body with Content-Length, as the scenario's fault
 * says.  type is the content type. */
enum peer_after peer_answer_whole(struct peer_answer *answer, int status,
    const char *type, const struct peer_buf *body);

/* Begins a stream: sends the head unless the fault needs a whole body. */
void peer_answer_begin(struct peer_answer *answer);

/* One event.  name NULL: no "event:" line.  False when the client is gone. */
bool peer_answer_event(struct peer_answer *answer, const char *name,
    const char *data);

/* Half of an event, as it stands when an upstream dies. */
void peer_answer_half_event(struct peer_answer *answer, const char *data);

/* A ": comment" line and the blank line. */
bool peer_answer_comment(struct peer_answer *answer);

/* Ends the stream properly. */
enum peer_after peer_answer_end(struct peer_answer *answer);

#endif

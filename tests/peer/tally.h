/*
 * What arrived: counters for /__stats and a log with a JSON line a request.
 * Layer: tests/peer.  Written by: any connection's thread.
 */
#ifndef PEER_TALLY_H
#define PEER_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "tests/peer/buf.h"
#include "tests/peer/request.h"

struct peer_tally {
	_Atomic unsigned long connections;
	_Atomic unsigned long open;
	_Atomic unsigned long handshakes_failed;
	_Atomic unsigned long resumed;
	_Atomic unsigned long requests;
	_Atomic unsigned long bad_requests;
	_Atomic unsigned long events;		/* of streams, written at once */
	_Atomic unsigned long answered;		/* ended as planned */
	_Atomic unsigned long left;		/* client left before that */
};

extern struct peer_tally peer_tally;

/* Opens the log; false with errno set. */
bool peer_tally_log_open(const char *path, bool with_bodies);

/* Appends one line, if a log is open. */
void peer_tally_log(const struct peer_request *request, unsigned long serial);

/* {"method","target","headers":[[name,value]..],"bytes","sha256"} without
 * blanks, and with "body" in base64 if asked for. */
void peer_tally_describe(struct peer_buf *out,
    const struct peer_request *request, bool with_body);

/* The counters as a JSON object. */
void peer_tally_stats(struct peer_buf *out);

#endif

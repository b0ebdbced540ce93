/*
 * What the model's name in a request makes the peer do.  Tests choose a
 * behaviour by asking for a model of that name; no side channel is needed.
 * Layer: tests/peer.  Constant once found.
 */
#ifndef PEER_SCENARIO_H
#define PEER_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

/* The one thing that goes wrong, or is unusual, on the wire. */
enum peer_fault {
	PEER_FAULT_NONE,
	PEER_FAULT_NEVER,		/* reads the request, never answers */
	PEER_FAULT_CUT_BEFORE_HEAD,	/* closes without a byte */
	PEER_FAULT_CUT_MID_HEAD,
	PEER_FAULT_CUT_MID_BODY,	/* Content-Length says twice as much */
	PEER_FAULT_CUT_MID_STREAM,	/* chunked, ends between two events */
	PEER_FAULT_CUT_MID_EVENT,	/* chunked, ends inside an event */
	PEER_FAULT_RESET,		/* TCP reset before the head */
	PEER_FAULT_RESET_MID_STREAM,
	PEER_FAULT_BAD_FRAMING,		/* Content-Length and chunked at once */
	PEER_FAULT_TWO_LENGTHS,		/* two Content-Lengths that differ */
	PEER_FAULT_BAD_CHUNK,		/* a chunk size that is no number */
	PEER_FAULT_BAD_STATUS_LINE,
	PEER_FAULT_HUGE_HEAD,		/* 256 KB of response head */
	PEER_FAULT_GZIP,		/* compressed though not asked for */
	PEER_FAULT_STRAY,		/* a second, unasked-for response */
	PEER_FAULT_UNTIL_CLOSE,		/* no length: the close ends the body */
	PEER_FAULT_INTERIM,		/* 100 and 103 before the answer */
	PEER_FAULT_TRAILERS,		/* chunked with trailer fields */
	PEER_FAULT_ERROR_EVENT,		/* 200, then an error in the stream */
	PEER_FAULT_NOT_JSON,		/* 200 with an HTML page */
	PEER_FAULT_EMPTY,		/* 200 with a body of no bytes */
	PEER_FAULT_MUTE,		/* a stream's head, and then nothing */
	PEER_FAULT_ERROR_FIRST,		/* a stream of an error alone */
	PEER_FAULT_CUT_AFTER_HEAD,	/* a stream's head, and then the end */
};

/* How usage is told. */
enum peer_usage_kind {
	PEER_USAGE_PLAIN,
	PEER_USAGE_NONE,
	PEER_USAGE_NULL,
	PEER_USAGE_NEGATIVE,
	PEER_USAGE_ABSURD,
	PEER_USAGE_EVERY_CHUNK,	/* cumulative on each chunk, last wins */
	PEER_USAGE_ON_CHOICES,	/* on the last chunk that has choices */
	PEER_USAGE_FIRST,	/* in a stream's first frame only, no output */
	PEER_USAGE_SHRINKING,	/* twice, the second time of one token */
	PEER_USAGE_LATE,	/* a stream's usage comes after its end */
	PEER_USAGE_RAW,		/* what said says, literally */
	PEER_USAGE_IN_ERROR,	/* beside an error */
};

struct peer_scenario {
	enum peer_fault fault;
	enum peer_usage_kind usage;
	const char *said[2];	/* PEER_USAGE_RAW: input and output, JSON */
	int status;		/* 0: 200 */
	unsigned first_ms;	/* pause before the first byte */
	unsigned gap_ms;	/* pause before each piece of a stream */
	size_t words;		/* 0: the demonstration sentence */
	size_t words_per_piece;	/* 0: one */
	long cached_tokens;
	long write_5m_tokens;
	long write_1h_tokens;
	bool echo;		/* the content tells what arrived */
	bool one_byte;		/* each byte written by itself */
	bool crlf;		/* CRLF ends the lines of events */
	bool comments;		/* ": comment" between events */
	bool no_done;		/* OpenAI's [DONE] is missing */
	bool over;		/* ignores max_tokens */
	bool close_after;	/* says Connection: close and does */
	bool half_keepalive;	/* promises keep-alive, closes when idle */
};

/* True if the name is known; *scenario_r is filled. */
bool peer_scenario_find(const char *model, struct peer_scenario *scenario_r);

/* Calls each with every name or pattern, in the table's order. */
void peer_scenario_list(void (*each)(const char *name, void *arg), void *arg);

#endif

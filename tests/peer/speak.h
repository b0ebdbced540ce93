/*
 * The two protocols' bodies and streams, over one plan of what is said.
 * Layer: tests/peer.  Written by: the connection's own thread only.
 */
#ifndef PEER_SPEAK_H
#define PEER_SPEAK_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/peer/answer.h"

struct peer_usage {
	long long input;	/* without cached and written tokens */
	long long output;
	long long cached;
	long long write_5m;
	long long write_1h;
};

/* What one answer says. */
struct peer_plan {
	struct peer_answer *answer;
	const char *model;
	const char *text;
	size_t text_len;
	bool cut_short;		/* max_tokens ended it */
	struct peer_usage usage;
};

/* One protocol's way of saying it. */
struct peer_voice {
	/* the whole answer, unstreamed */
	void (*whole)(const struct peer_plan *plan, struct peer_buf *body);
	/* the events before the text; false when the client is gone */
	bool (*begin)(const struct peer_plan *plan);
	/* said: output tokens so far, for cumulative usage */
	void (*piece)(const struct peer_plan *plan, const char *text,
	    size_t len, long long said, struct peer_buf *data);
	bool (*end)(const struct peer_plan *plan);
	/* an error body for status, or for the event of a stream */
	void (*error)(int status, struct peer_buf *body);
	const char *piece_name;	/* of the event, or NULL */
	const char *error_name;
};

extern const struct peer_voice peer_voice_openai;
extern const struct peer_voice peer_voice_anthropic;
/* /v1/moderations: a text is unfit that has the word "peerflagged" in it; of one
 * with "peerdropped" nothing is said. */
extern const struct peer_voice peer_voice_moderation;

/* Answers a call as the scenario says. */
enum peer_after peer_speak(struct peer_answer *answer);

/* Answers GET /v1/models. */
enum peer_after peer_speak_models(struct peer_answer *answer);

#endif

/*
 * answer.h: an answer in no protocol's words, as a row of events.
 * Layer: translate, private to it.
 * Written by: one answer_from_*.c calls the functions below; they call one
 * answer_to_*.c.
 *
 * The parts of an answer come one after the other: text, thinking, tool calls.
 * The same row of events writes a stream or a whole answer.
 */
#ifndef TRANSLATE_ANSWER_H
#define TRANSLATE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "translate/conversation.h"
#include "translate/document.h"
#include "translate/translate.h"

/* What an id begins with that we made for a call without one. */
#define ANSWER_MADE_ID	"call_yy_"

#define ANSWER_ID_BYTES		128	/* of the answer, or a call */
#define ANSWER_NAME_BYTES	256	/* of a model, or a tool */
#define ANSWER_STOP_BYTES	256
#define ANSWER_SIGNATURE_BYTES	(1u << 18)
#define ANSWER_WHOLE_BYTES	(64u << 20)

enum answer_kind {
	ANSWER_TEXT,
	ANSWER_THINKING,
	ANSWER_CALL		/* its text is the arguments' JSON */
};

enum answer_stop {
	ANSWER_STOP_UNSAID,
	ANSWER_STOP_END,
	ANSWER_STOP_LENGTH,
	ANSWER_STOP_CALL,
	ANSWER_STOP_SEQUENCE,
	ANSWER_STOP_FILTER	/* refused, or broken off by the provider */
};

/* Disjoint, but for reasoning, which is a part of output. */
struct answer_usage {
	uint64_t input, cache_read, cache_write, output, reasoning;
};

struct answer_error {
	int status;
	struct span message;
	struct span code;		/* the upstream's, if it has one */
	struct span param;		/* the member it is about, likewise */
	const char *details;		/* messages: of JSON, or NULL */
};

struct answer;

/* One client protocol.  The answer is as the event left it. */
struct answer_writer {
	void (*begin)(struct answer *answer);
	void (*open)(struct answer *answer);
	void (*delta)(struct answer *answer, struct span text);
	void (*close)(struct answer *answer);
	void (*finish)(struct answer *answer);
	void (*error)(struct answer *answer, const struct answer_error *error);
};

extern const struct answer_writer answer_to_chat;
extern const struct answer_writer answer_to_messages;
extern const struct answer_writer answer_to_responses;
extern const struct answer_writer answer_to_gemini;

struct answer {
	const struct translate_answer_options *options;
	const struct answer_writer *writer;
	struct buf *out;
	enum translate_result result;	/* what went wrong, first */
	bool whole;			/* one document, not a stream */

	bool begun;
	bool finished;
	char id[ANSWER_ID_BYTES];	/* the upstream's; "" when unsaid */
	char model[ANSWER_NAME_BYTES];
	enum answer_stop stop;
	char stop_sequence[ANSWER_STOP_BYTES];
	struct answer_usage usage;

	/* The part that is open, or was last. */
	bool is_open;
	enum answer_kind kind;
	uint32_t parts, calls, thoughts; /* opened so far, this one too */
	uint64_t call_index;		/* the upstream's, of the open call */
	char call_id[ANSWER_ID_BYTES];
	char call_name[ANSWER_NAME_BYTES];
	bool empty;			/* no text yet */
	bool redacted;			/* thinking: the signature is all */
	bool is_custom;			/* a call of free text */
	enum conversation_origin origin;
	struct buf signature;

	/* The writer's. */
	uint64_t sequence;		/* of its next event */
	struct buf content, thinking, details, output, raw;
};

void	answer_init(struct answer *answer,
	    const struct translate_answer_options *options, bool whole);
void	answer_free(struct answer *answer);

/* Called by readers.  Nothing happens once answer->result is not OK. */

/* The first of them counts; model and id may be {NULL, 0}. */
void	answer_begin(struct answer *answer, struct span id, struct span model);

/* Opens a part and closes the one before. */
void	answer_open(struct answer *answer, enum answer_kind kind);
/* A tool call; an id is made when there is none. */
void	answer_open_call(struct answer *answer, struct span id,
	    struct span name);
/* More of the open part. */
void	answer_more(struct answer *answer, struct span text);
/* More text of a kind: in the open part, or a new one. */
void	answer_text(struct answer *answer, enum answer_kind kind,
	    struct span text);
/* More of the open thinking's, or call's, signature. */
void	answer_sign(struct answer *answer, enum conversation_origin origin,
	    struct span signature);
void	answer_close(struct answer *answer);
void	answer_stopped(struct answer *answer, enum answer_stop stop,
	    struct span sequence);
/* The answer is complete: TRANSLATE_CUT if no reason to stop was given. */
void	answer_finish(struct answer *answer);
/* The upstream's own error, in a stream: TRANSLATE_FAILED. */
void	answer_failed(struct answer *answer, const struct answer_error *error);

void	answer_give_up(struct answer *answer, enum translate_result result);

/* Called by writers: text into a buffer, which ends the answer when full. */
void	answer_add(struct answer *answer, struct buf *to, const char *raw);
void	answer_put_span(struct answer *answer, struct buf *to,
	    struct span raw);
/* The inside of a JSON string; and with quotes. */
void	answer_put_escaped(struct answer *answer, struct buf *to,
	    struct span text);
void	answer_put_string(struct answer *answer, struct buf *to,
	    struct span text);
void	answer_put_word(struct answer *answer, struct buf *to,
	    const char *text);
void	answer_put_count(struct answer *answer, struct buf *to,
	    uint64_t count);

/* The client's id of the answer: prefix and options->id. */
void	answer_put_id(struct answer *answer, struct buf *to,
	    const char *prefix);

/* The signature for clients that give it back, marked with whose it is. */
void	answer_put_signature(struct answer *answer, struct buf *to);
/* The same in base64, and what is read of it: NULL if it isn't such. */
void	answer_put_base64(struct answer *answer, struct buf *to);
struct span answer_from_base64(struct conversation *conversation,
	    struct span text);
/* The reverse: part's origin, redacted and signature. */
void	answer_unmark(struct span marked, struct conversation_part *part);

static inline struct span
answer_held(const struct buf *buf)
{
	return (struct span){ buf->len > 0 ? buf_head(buf) : "", buf->len };
}

/* One upstream protocol: a whole document, or one event's. */
typedef void answer_read_fn(struct answer *answer,
	    struct json_object *document);

void	answer_whole_from_chat(struct answer *answer,
	    struct json_object *document);
void	answer_event_from_chat(struct answer *answer,
	    struct json_object *document);
void	answer_whole_from_anthropic(struct answer *answer,
	    struct json_object *document);
void	answer_event_from_anthropic(struct answer *answer,
	    struct json_object *document);
/* Whole or not: a stream of Gemini's is a row of whole ones. */
void	answer_from_gemini(struct answer *answer,
	    struct json_object *document);

/* The error in the client's shape, as a whole document. */
void	answer_put_error(struct answer *answer, struct buf *to,
	    const struct answer_error *error);

/* An error object of any upstream's, or of a status alone. */
void	answer_read_error(struct json_object *document, int status,
	    struct answer_error *error_r);

#endif

/*
 * translate.h: a client of one protocol on a channel of another.
 * Layer: translate.  Pure: text in, text out; no I/O, no globals.
 * Written by: the worker that owns the objects.
 *
 * A request is complete in memory and is read into a neutral conversation,
 * which is then written in the upstream's protocol.  An answer goes the other
 * way as a row of neutral events, each of which is written as it comes.  So
 * there is one reader and one writer a protocol and not one for each pair.
 *
 * What a request asks for and the upstream's protocol cannot express is
 * refused by the member's name.  Members with no effect on the answer are
 * taken and left out: those of each client protocol stand in its table, in
 * request_from_*.c.  Reasoning of earlier turns goes to the provider that
 * signed it and to no other.
 */
#ifndef TRANSLATE_TRANSLATE_H
#define TRANSLATE_TRANSLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum translate_protocol {
	TRANSLATE_CHAT,			/* OpenAI's chat completions */
	TRANSLATE_MESSAGES,		/* Anthropic's messages */
	TRANSLATE_RESPONSES,		/* OpenAI's responses: clients only */
	TRANSLATE_GEMINI		/* generateContent */
};

enum translate_result {
	TRANSLATE_OK,
	TRANSLATE_REFUSED,	/* a request: the refusal says why */
	TRANSLATE_FAILED,	/* a stream: the upstream's own error was
				 * passed on; nothing may follow */
	TRANSLATE_BAD,		/* the answer is not of its protocol */
	TRANSLATE_LONG,		/* an event, or the answer, is too long */
	TRANSLATE_CUT,		/* the stream ended before the answer did */
	TRANSLATE_NO_ROOM	/* the output's limit, or memory */
};

/* The longest event of a stream, and the longest answer that a stream of
 * responses repeats at its end. */
#define TRANSLATE_EVENT_BYTES	(1u << 20)
#define TRANSLATE_OUTPUT_BYTES	(4u << 20)

/* There is a translation of this client's calls for that upstream. */
bool	translate_possible(enum translate_protocol client,
	    enum translate_protocol upstream);

/* Requests */

enum translate_reason {
	TRANSLATE_NOT_JSON,
	TRANSLATE_UNKNOWN,	/* a member or value that isn't known here */
	TRANSLATE_NO_WORD,	/* known, but the upstream has no word for it */
	TRANSLATE_TYPE,
	TRANSLATE_VALUE,
	TRANSLATE_MISSING,
	TRANSLATE_MEMORY
};

#define TRANSLATE_MEMBER_BYTES 160

/* member is as the client wrote it ("messages[2].content[0].file"), cut to
 * what fits; printable ASCII, whatever the client sent. */
struct translate_refusal {
	enum translate_reason reason;
	char member[TRANSLATE_MEMBER_BYTES];
};

/* A sentence for the client, the member in it.  Returns buf. */
const char *translate_refusal_text(const struct translate_refusal *refusal,
	    char *buf, size_t size);

/*
 * The refusal as a client's 400 expects it: id is the call's.  Of a message
 * thread it says so in the way that makes the official client go on without.
 * False when out has no room.
 */
bool	translate_refusal_body(enum translate_protocol client, const char *id,
	    const struct translate_refusal *refusal, struct buf *out)
	    __attribute__((warn_unused_result));

struct translate_request_options {
	const char *model;	/* the upstream's name of it; borrowed */
	uint32_t max_output;	/* for upstreams that must be told a limit,
				 * when the client gives none; 0: 4096 */
	bool streamed;		/* a Gemini client's path says so */
};

#define TRANSLATE_CUSTOM_BYTES 512

/* What the answer's translation has to know of the request. */
struct translate_wish {
	bool streamed;
	bool include_usage;	/* chat: stream_options.include_usage */
	/* Responses: its tools that take free text, a line feed behind each;
	 * upstreams take them for functions of one string. */
	char custom_tools[TRANSLATE_CUSTOM_BYTES];
};

/*
 * Append the upstream's body to out.  Gemini's says neither model nor whether
 * to stream: its path does, to the upstream, and from the client, so that
 * options->streamed counts there.  TRANSLATE_OK, _REFUSED or _NO_ROOM.
 */
enum translate_result translate_request(enum translate_protocol client,
	    enum translate_protocol upstream, const char *body, size_t len,
	    const struct translate_request_options *options, struct buf *out,
	    struct translate_wish *wish_r, struct translate_refusal *refusal_r)
	    __attribute__((warn_unused_result));

/* Answers */

struct translate_answer_options {
	enum translate_protocol client;
	enum translate_protocol upstream;
	const char *id;		/* of the call: letters, digits, - and _;
				 * unique, for ids are made of it */
	const char *model;	/* when the upstream names none */
	int64_t created_s;
	bool include_usage;	/* of the wish */
	const char *custom_tools; /* of the wish; NULL: none */
	bool as_array;		/* Gemini: a stream without alt=sse */
};

/* A complete 2xx answer.  Append the client's to out. */
enum translate_result translate_answer(
	    const struct translate_answer_options *options, const char *body,
	    size_t len, struct buf *out) __attribute__((warn_unused_result));

/*
 * An upstream's error (any other status) in the client's shape, with the
 * upstream's message if it can be read.  Always appends a whole document;
 * false when out has no room.
 */
bool	translate_error(const struct translate_answer_options *options,
	    int status, const char *body, size_t len, struct buf *out)
	    __attribute__((warn_unused_result));

/*
 * A streamed answer.  Output depends on the bytes, never on how they were cut.
 * After another result than TRANSLATE_OK the stream takes nothing more;
 * what out got before it is whole events.  options' strings are borrowed for
 * the stream's life.
 */
struct translate_stream;

/* NULL when memory is short. */
struct translate_stream *translate_stream_new(
	    const struct translate_answer_options *options);
void	translate_stream_free(struct translate_stream *stream);

enum translate_result translate_stream_feed(struct translate_stream *stream,
	    const char *in, size_t len, struct buf *out)
	    __attribute__((warn_unused_result));

/* The upstream's end: what closes the client's stream, or TRANSLATE_CUT. */
enum translate_result translate_stream_end(struct translate_stream *stream,
	    struct buf *out) __attribute__((warn_unused_result));

/*
 * An error of ours as the stream's last event, in the client's protocol.  Any
 * time, also after a failure; once.  False when out has no room.
 */
bool	translate_stream_fail(struct translate_stream *stream, int status,
	    const char *message, struct buf *out)
	    __attribute__((warn_unused_result));

#endif

/*
 * stream.c: an upstream's stream, event by event; and whole answers.
 *
 * An event is kept until its blank line and is then read at once: what the
 * client gets is whole events, the moment that the upstream's are complete.
 */
#include <stdlib.h>
#include <string.h>

#include "http/sse.h"
#include "translate/answer.h"

struct translate_stream {
	struct translate_answer_options options;
	struct answer answer;
	answer_read_fn *read;
	struct sse sse;
	struct buf frame;
	bool failed;		/* our own error was written */
};

static answer_read_fn *
event_reader(enum translate_protocol upstream)
{
	switch (upstream) {
	case TRANSLATE_MESSAGES:
		return answer_event_from_anthropic;
	case TRANSLATE_GEMINI:
		return answer_from_gemini;
	case TRANSLATE_CHAT:
	case TRANSLATE_RESPONSES:
		break;
	}
	return answer_event_from_chat;
}

struct translate_stream *
translate_stream_new(const struct translate_answer_options *options)
{
	struct translate_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->options = *options;
	stream->read = event_reader(options->upstream);
	answer_init(&stream->answer, &stream->options, false);
	sse_init(&stream->sse);
	buf_init(&stream->frame, TRANSLATE_EVENT_BYTES);
	return stream;
}

void
translate_stream_free(struct translate_stream *stream)
{
	if (stream == NULL)
		return;
	answer_free(&stream->answer);
	buf_free(&stream->frame);
	bytes_scrub(stream, sizeof(*stream));
	free(stream);
}

/* A complete event.  What it leads to is written whole, or not at all. */
static void
read_event(struct translate_stream *stream)
{
	struct answer *answer = &stream->answer;
	struct span data = answer_held(&stream->frame);
	struct json_object *document;
	uint64_t sequence = answer->sequence;
	size_t mark = answer->out->len;

	while (data.len > 0 && data.p[data.len - 1] == ' ')
		data.len--;
	if (data.len == 0)
		return;
	if (span_is(data, "[DONE]")) {
		/* Some end without a reason; this is a word too. */
		if (answer->stop == ANSWER_STOP_UNSAID && answer->begun)
			answer_stopped(answer, ANSWER_STOP_END, SPAN(""));
		answer_finish(answer);
	} else {
		document = document_parse(data.p, data.len, false);
		if (document == NULL)
			answer_give_up(answer, TRANSLATE_BAD);
		else
			stream->read(answer, document);
		/* A sign of life is passed on as one. */
		if (!stream->options.as_array &&
		    document_is(document_get(document, "type"), "ping"))
			answer_add(answer, answer->out, ": ping\n\n");
		json_object_put(document);
	}
	if (answer->result != TRANSLATE_OK &&
	    answer->result != TRANSLATE_FAILED) {
		answer->out->len = mark;
		answer->sequence = sequence;
	}
}

enum translate_result
translate_stream_feed(struct translate_stream *stream, const char *in,
    size_t len, struct buf *out)
{
	struct answer *answer = &stream->answer;
	struct span data;
	size_t at, used;

	answer->out = out;
	for (at = 0; at < len && answer->result == TRANSLATE_OK &&
	    !answer->finished; at += used) {
		switch (sse_next(&stream->sse, in + at, len - at, &used,
		    &data)) {
		case SSE_DATA:
			if (!buf_append(&stream->frame, data.p, data.len))
				answer_give_up(answer, TRANSLATE_LONG);
			break;
		case SSE_END:
			read_event(stream);
			buf_consume(&stream->frame, stream->frame.len);
			break;
		case SSE_MORE:
			break;
		}
	}
	return answer->result;
}

enum translate_result
translate_stream_end(struct translate_stream *stream, struct buf *out)
{
	struct answer *answer = &stream->answer;
	size_t mark = out->len;

	answer->out = out;
	/* The last event may lack its blank line. */
	if (answer->result == TRANSLATE_OK && !answer->finished &&
	    stream->frame.len > 0)
		read_event(stream);
	buf_consume(&stream->frame, stream->frame.len);
	answer_finish(answer);
	if (answer->result != TRANSLATE_OK &&
	    answer->result != TRANSLATE_FAILED && !answer->finished)
		out->len = mark;
	return answer->result;
}

bool
translate_stream_fail(struct translate_stream *stream, int status,
    const char *message, struct buf *out)
{
	const struct answer_error error = { .status = status,
	    .message = { message, strlen(message) } };
	struct answer *answer = &stream->answer;
	size_t mark = out->len;

	if (stream->failed || answer->result == TRANSLATE_FAILED)
		return true;
	stream->failed = true;
	answer->out = out;
	answer->result = TRANSLATE_OK;
	answer->writer->error(answer, &error);
	if (answer->result != TRANSLATE_OK) {
		out->len = mark;
		return false;
	}
	answer->result = TRANSLATE_FAILED;
	return true;
}

static answer_read_fn *
whole_reader(enum translate_protocol upstream)
{
	switch (upstream) {
	case TRANSLATE_MESSAGES:
		return answer_whole_from_anthropic;
	case TRANSLATE_GEMINI:
		return answer_from_gemini;
	case TRANSLATE_CHAT:
	case TRANSLATE_RESPONSES:
		break;
	}
	return answer_whole_from_chat;
}

enum translate_result
translate_answer(const struct translate_answer_options *options,
    const char *body, size_t len, struct buf *out)
{
	struct json_object *document = document_parse(body, len, false);
	enum translate_result result;
	struct answer answer;
	size_t mark = out->len;

	if (document == NULL)
		return TRANSLATE_BAD;
	answer_init(&answer, options, true);
	answer.out = out;
	/* An error with a status of success is not an answer. */
	if (document_get(document, "error") != NULL)
		answer_give_up(&answer, TRANSLATE_BAD);
	else
		whole_reader(options->upstream)(&answer, document);
	result = answer.result;
	if (result != TRANSLATE_OK)
		out->len = mark;
	answer_free(&answer);
	json_object_put(document);
	return result;
}

/*
 * translate.c: the translation as a filter, for tests in other languages.
 *
 *	translate request CLIENT UPSTREAM [MODEL]
 *	translate answer|stream|error CLIENT UPSTREAM
 *
 * CLIENT and UPSTREAM are chat, messages, responses or gemini.  Standard input
 * to standard output; a refusal goes there as the client would get it, and as a
 * sentence to standard error, with status 2; an answer that fails ends with
 * status 3 and the result's name.  A stream is fed in pieces of PIECE bytes
 * (environment; default: all of it) and, when it fails, ends with an error
 * event.  CUSTOM_TOOLS (environment) is what the request's translation knew of
 * such.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "translate/translate.h"

#define LIMIT (256u << 20)

static enum translate_protocol
parse(const char *name)
{
	static const char *const names[] = {
		[TRANSLATE_CHAT] = "chat",
		[TRANSLATE_MESSAGES] = "messages",
		[TRANSLATE_RESPONSES] = "responses",
		[TRANSLATE_GEMINI] = "gemini",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (enum translate_protocol)i;
	fprintf(stderr, "no such protocol: %s\n", name);
	exit(1);
}

static const char *
result_name(enum translate_result result)
{
	static const char *const names[] = {
		[TRANSLATE_OK] = "ok",
		[TRANSLATE_REFUSED] = "refused",
		[TRANSLATE_FAILED] = "failed",
		[TRANSLATE_BAD] = "bad",
		[TRANSLATE_LONG] = "long",
		[TRANSLATE_CUT] = "cut",
		[TRANSLATE_NO_ROOM] = "no room",
	};

	return names[result];
}

static void
read_all(struct buf *in)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) > 0)
		if (!buf_append(in, piece, (size_t)n))
			abort();
}

static int
request(enum translate_protocol client, enum translate_protocol upstream,
    const char *model, const struct buf *in, struct buf *out)
{
	const struct translate_request_options options = {
		.model = model, .streamed = getenv("STREAMED") != NULL
	};
	struct translate_refusal refusal;
	struct translate_wish wish;
	char text[512];

	switch (translate_request(client, upstream, buf_head(in), in->len,
	    &options, out, &wish, &refusal)) {
	case TRANSLATE_OK:
		return 0;
	case TRANSLATE_REFUSED:
		fprintf(stderr, "%s\n", translate_refusal_text(&refusal, text,
		    sizeof(text)));
		if (!translate_refusal_body(client, "0123456789abcdef",
		    &refusal, out))
			abort();
		return 2;
	case TRANSLATE_FAILED:
	case TRANSLATE_BAD:
	case TRANSLATE_LONG:
	case TRANSLATE_CUT:
	case TRANSLATE_NO_ROOM:
		break;
	}
	return 1;
}

static enum translate_result
stream(const struct translate_answer_options *options, const struct buf *in,
    struct buf *out)
{
	struct translate_stream *stream = translate_stream_new(options);
	const char *piece = getenv("PIECE");
	size_t at, n, size = piece != NULL ? (size_t)atol(piece) : in->len;
	enum translate_result result = TRANSLATE_OK;

	if (stream == NULL)
		abort();
	for (at = 0; at < in->len && result == TRANSLATE_OK; at += n) {
		n = in->len - at < size ? in->len - at : size;
		result = translate_stream_feed(stream, buf_head(in) + at, n,
		    out);
	}
	if (result == TRANSLATE_OK)
		result = translate_stream_end(stream, out);
	if (result != TRANSLATE_OK && !translate_stream_fail(stream, 502,
	    "The model's provider broke the answer off.", out))
		abort();
	translate_stream_free(stream);
	return result;
}

int
main(int argc, char **argv)
{
	struct translate_answer_options options = {
		.id = "0123456789abcdef", .model = "asked-for",
		.created_s = 1760000000, .include_usage = true
	};
	enum translate_result result = TRANSLATE_OK;
	struct buf in, out;
	int status = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: translate request|answer|stream|error"
		    " CLIENT UPSTREAM [MODEL]\n");
		return 1;
	}
	options.client = parse(argv[2]);
	options.upstream = parse(argv[3]);
	options.custom_tools = getenv("CUSTOM_TOOLS");
	buf_init(&in, LIMIT);
	buf_init(&out, LIMIT);
	read_all(&in);
	if (strcmp(argv[1], "request") == 0)
		status = request(options.client, options.upstream,
		    argc > 4 ? argv[4] : "upstream-model", &in, &out);
	else if (strcmp(argv[1], "answer") == 0)
		result = translate_answer(&options, buf_head(&in), in.len,
		    &out);
	else if (strcmp(argv[1], "stream") == 0)
		result = stream(&options, &in, &out);
	else if (!translate_error(&options, 400, buf_head(&in), in.len, &out))
		status = 1;
	if (result != TRANSLATE_OK) {
		fprintf(stderr, "%s\n", result_name(result));
		status = 3;
	}
	if (out.len > 0 && fwrite(buf_head(&out), 1, out.len, stdout) !=
	    out.len)
		status = 1;
	buf_free(&in);
	buf_free(&out);
	return status;
}

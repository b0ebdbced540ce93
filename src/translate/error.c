/*
 * error.c: errors of an upstream's, in the client's words.
 */
#include "translate/answer.h"

#include <string.h>

/* What goes with a status in each client protocol. */
static const struct status_words {
	int status;
	const char *openai;
	const char *anthropic;
	const char *gemini;
} words[] = {
	{ 400, "invalid_request_error", "invalid_request_error",
	    "INVALID_ARGUMENT" },
	{ 401, "invalid_request_error", "authentication_error",
	    "UNAUTHENTICATED" },
	{ 402, "insufficient_quota", "billing_error",
	    "FAILED_PRECONDITION" },
	{ 403, "invalid_request_error", "permission_error",
	    "PERMISSION_DENIED" },
	{ 404, "invalid_request_error", "not_found_error",
	    "NOT_FOUND" },
	{ 413, "invalid_request_error", "request_too_large",
	    "INVALID_ARGUMENT" },
	{ 422, "invalid_request_error", "invalid_request_error",
	    "INVALID_ARGUMENT" },
	{ 429, "rate_limit_error", "rate_limit_error",
	    "RESOURCE_EXHAUSTED" },
	{ 503, "server_error", "overloaded_error",
	    "UNAVAILABLE" },
	{ 504, "server_error", "timeout_error",
	    "DEADLINE_EXCEEDED" },
	{ 529, "server_error", "overloaded_error",
	    "UNAVAILABLE" },
	{ 500, "server_error", "api_error",
	    "INTERNAL" },	/* and any other */
};

#define N_WORDS (sizeof(words) / sizeof(words[0]))

static const struct status_words *
words_of(int status)
{
	size_t i;

	for (i = 0; i < N_WORDS - 1; i++)
		if (words[i].status == status)
			return &words[i];
	if (status >= 400 && status < 500)
		return &words[0];
	return &words[N_WORDS - 1];
}

/* An error in a stream has no status but what it says itself. */
static int
status_said(struct json_object *error, int status)
{
	struct json_object *code = document_get(error, "code");
	struct json_object *type = document_get(error, "type");
	uint64_t number = document_count(error, "code");
	size_t i;

	if (json_object_is_type(code, json_type_int) && number >= 400 &&
	    number < 600)
		return (int)number;
	if (document_is(type, "overloaded_error"))
		return 529;
	for (i = 0; i < N_WORDS; i++)
		if (document_is(type, words[i].anthropic))
			return words[i].status;
	return status;
}

void
answer_read_error(struct json_object *document, int status,
    struct answer_error *error_r)
{
	struct json_object *error = document_get(document, "error");

	memset(error_r, 0, sizeof(*error_r));
	error_r->status = status_said(error, status);
	error_r->message = document_text(error, "message");
	error_r->code = document_text(error, "code");
	if (error_r->message.len == 0)
		error_r->message = document_span(error);
	if (error_r->message.len == 0)
		error_r->message = document_text(document, "message");
	if (error_r->message.len == 0)
		error_r->message =
		    SPAN("The provider of the model answered with an error.");
}

static void
put_or_null(struct answer *answer, struct buf *to, struct span text)
{
	if (text.len > 0)
		answer_put_string(answer, to, text);
	else
		answer_add(answer, to, "null");
}

void
answer_put_error(struct answer *answer, struct buf *to,
    const struct answer_error *error)
{
	const struct status_words *row = words_of(error->status);

	if (answer->options->client == TRANSLATE_GEMINI) {
		answer_add(answer, to, "{\"error\":{\"code\":");
		answer_put_count(answer, to, (uint64_t)error->status);
		answer_add(answer, to, ",\"message\":");
		answer_put_string(answer, to, error->message);
		answer_add(answer, to, ",\"status\":");
		answer_put_word(answer, to, row->gemini);
		answer_add(answer, to, ",\"details\":[]}}");
		return;
	}
	if (answer->options->client == TRANSLATE_MESSAGES) {
		answer_add(answer, to,
		    "{\"type\":\"error\",\"error\":{\"type\":");
		answer_put_word(answer, to, row->anthropic);
		answer_add(answer, to, ",\"message\":");
		answer_put_string(answer, to, error->message);
		if (error->details != NULL) {
			answer_add(answer, to, ",\"details\":");
			answer_add(answer, to, error->details);
		}
		answer_add(answer, to, "},\"request_id\":");
		answer_put_id(answer, to, "");
		answer_add(answer, to, "}");
		return;
	}
	answer_add(answer, to, "{\"error\":{\"message\":");
	answer_put_string(answer, to, error->message);
	answer_add(answer, to, ",\"type\":");
	answer_put_word(answer, to, row->openai);
	answer_add(answer, to, ",\"param\":");
	put_or_null(answer, to, error->param);
	answer_add(answer, to, ",\"code\":");
	put_or_null(answer, to, error->code);
	answer_add(answer, to, "}}");
}

/* Some put it into an event, or a list. */
static struct json_object *
parse_error(const char *body, size_t len)
{
	const char *start = len > 0 ? memchr(body, '{', len) : NULL;
	const char *end = len > 0 ? memrchr(body, '}', len) : NULL;

	if (start == NULL || end == NULL || end < start)
		return NULL;
	return document_parse(start, (size_t)(end - start) + 1, false);
}

bool
translate_error(const struct translate_answer_options *options, int status,
    const char *body, size_t len, struct buf *out)
{
	struct json_object *document = parse_error(body, len);
	struct answer_error error;
	struct answer answer;
	bool good;

	answer_init(&answer, options, true);
	answer_read_error(document, status, &error);
	error.status = status;
	answer_put_error(&answer, out, &error);
	good = answer.result == TRANSLATE_OK;
	answer_free(&answer);
	json_object_put(document);
	return good;
}

static const char no_threads[] =
    "{\"error_code\":\"thread_unsupported_request\",\"unsupported\":[]}";

bool
translate_refusal_body(enum translate_protocol client, const char *id,
    const struct translate_refusal *refusal, struct buf *out)
{
	const struct translate_answer_options options = {
		.client = client, .id = id, .model = ""
	};
	struct answer_error error = { .status = 400 };
	struct answer answer;
	char text[512];
	bool good;

	translate_refusal_text(refusal, text, sizeof(text));
	error.message = (struct span){ text, strlen(text) };
	error.param = (struct span){ refusal->member,
		strlen(refusal->member) };
	if (strcmp(refusal->member, "thread") == 0)
		error.details = no_threads;
	answer_init(&answer, &options, true);
	answer_put_error(&answer, out, &error);
	good = answer.result == TRANSLATE_OK;
	answer_free(&answer);
	return good;
}

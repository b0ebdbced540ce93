/*
 * answer.c: see answer.h.
 */
#include "translate/answer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "http/json_scan.h"

static const struct answer_writer *
writer_of(enum translate_protocol client)
{
	switch (client) {
	case TRANSLATE_MESSAGES:
		return &answer_to_messages;
	case TRANSLATE_RESPONSES:
		return &answer_to_responses;
	case TRANSLATE_GEMINI:
		return &answer_to_gemini;
	case TRANSLATE_CHAT:
		break;
	}
	return &answer_to_chat;
}

void
answer_init(struct answer *answer,
    const struct translate_answer_options *options, bool whole)
{
	size_t limit = whole ? ANSWER_WHOLE_BYTES : TRANSLATE_OUTPUT_BYTES;

	memset(answer, 0, sizeof(*answer));
	answer->options = options;
	answer->writer = writer_of(options->client);
	answer->whole = whole;
	answer->result = TRANSLATE_OK;
	buf_init(&answer->signature, ANSWER_SIGNATURE_BYTES);
	buf_init(&answer->content, limit);
	buf_init(&answer->thinking, limit);
	buf_init(&answer->details, limit);
	buf_init(&answer->output, limit);
	buf_init(&answer->raw, limit);
}

void
answer_free(struct answer *answer)
{
	buf_free(&answer->signature);
	buf_free(&answer->content);
	buf_free(&answer->thinking);
	buf_free(&answer->details);
	buf_free(&answer->output);
	buf_free(&answer->raw);
}

void
answer_give_up(struct answer *answer, enum translate_result result)
{
	if (answer->result == TRANSLATE_OK)
		answer->result = result;
}

static void
copy_cut(char *to, size_t size, struct span from)
{
	size_t len = from.len < size - 1 ? from.len : size - 1;

	if (len > 0)
		memcpy(to, from.p, len);
	to[len] = '\0';
}

void
answer_begin(struct answer *answer, struct span id, struct span model)
{
	if (answer->begun || answer->result != TRANSLATE_OK)
		return;
	answer->begun = true;
	copy_cut(answer->id, sizeof(answer->id), id);
	if (model.len == 0)
		model = (struct span){ answer->options->model,
		    strlen(answer->options->model) };
	copy_cut(answer->model, sizeof(answer->model), model);
	answer->writer->begin(answer);
}

static void
open_part(struct answer *answer, enum answer_kind kind)
{
	answer_begin(answer, (struct span){ NULL, 0 },
	    (struct span){ NULL, 0 });
	answer->is_open = true;
	answer->kind = kind;
	answer->empty = true;
	answer->redacted = false;
	answer->origin = CONVERSATION_NOBODY;
	buf_consume(&answer->signature, answer->signature.len);
	answer->parts++;
	if (kind == ANSWER_CALL)
		answer->calls++;
	if (kind == ANSWER_THINKING)
		answer->thoughts++;
	answer->writer->open(answer);
}

void
answer_open(struct answer *answer, enum answer_kind kind)
{
	answer_close(answer);
	if (answer->result == TRANSLATE_OK)
		open_part(answer, kind);
}

void
answer_open_call(struct answer *answer, struct span id, struct span name)
{
	answer_close(answer);
	if (answer->result != TRANSLATE_OK)
		return;
	if (id.len >= sizeof(answer->call_id) ||
	    name.len >= sizeof(answer->call_name)) {
		answer_give_up(answer, TRANSLATE_BAD);
		return;
	}
	copy_cut(answer->call_id, sizeof(answer->call_id), id);
	copy_cut(answer->call_name, sizeof(answer->call_name), name);
	if (id.len == 0)
		snprintf(answer->call_id, sizeof(answer->call_id),
		    ANSWER_MADE_ID "%.80s_%u", answer->options->id,
		    (unsigned int)answer->calls);
	open_part(answer, ANSWER_CALL);
}

void
answer_more(struct answer *answer, struct span text)
{
	if (answer->result != TRANSLATE_OK || text.len == 0)
		return;
	if (!answer->is_open) {
		answer_give_up(answer, TRANSLATE_BAD);
		return;
	}
	answer->writer->delta(answer, text);
	answer->empty = false;
}

void
answer_text(struct answer *answer, enum answer_kind kind, struct span text)
{
	if (text.len == 0)
		return;
	if (!answer->is_open || answer->kind != kind)
		answer_open(answer, kind);
	answer_more(answer, text);
}

void
answer_sign(struct answer *answer, enum conversation_origin origin,
    struct span signature)
{
	if (answer->result != TRANSLATE_OK || signature.len == 0)
		return;
	answer->origin = origin;
	if (!buf_append(&answer->signature, signature.p, signature.len))
		answer_give_up(answer, TRANSLATE_LONG);
}

void
answer_close(struct answer *answer)
{
	if (!answer->is_open || answer->result != TRANSLATE_OK)
		return;
	/* No arguments are an object without members. */
	if (answer->kind == ANSWER_CALL && answer->empty)
		answer_more(answer, SPAN("{}"));
	answer->writer->close(answer);
	answer->is_open = false;
}

void
answer_stopped(struct answer *answer, enum answer_stop stop,
    struct span sequence)
{
	answer->stop = stop;
	copy_cut(answer->stop_sequence, sizeof(answer->stop_sequence),
	    sequence);
}

void
answer_finish(struct answer *answer)
{
	if (answer->result != TRANSLATE_OK || answer->finished)
		return;
	if (answer->stop == ANSWER_STOP_UNSAID) {
		answer_give_up(answer, TRANSLATE_CUT);
		return;
	}
	answer_begin(answer, (struct span){ NULL, 0 },
	    (struct span){ NULL, 0 });
	answer_close(answer);
	/* Some say "stop" when they call a tool. */
	if (answer->calls > 0 && answer->stop == ANSWER_STOP_END)
		answer->stop = ANSWER_STOP_CALL;
	answer->finished = true;
	answer->writer->finish(answer);
}

void
answer_failed(struct answer *answer, const struct answer_error *error)
{
	if (answer->result != TRANSLATE_OK)
		return;
	answer->writer->error(answer, error);
	answer_give_up(answer, TRANSLATE_FAILED);
}

void
answer_put_span(struct answer *answer, struct buf *to, struct span raw)
{
	if (answer->result != TRANSLATE_OK || raw.len == 0)
		return;
	if (!buf_append(to, raw.p, raw.len))
		answer_give_up(answer, to == answer->out ? TRANSLATE_NO_ROOM :
		    TRANSLATE_LONG);
}

void
answer_add(struct answer *answer, struct buf *to, const char *raw)
{
	answer_put_span(answer, to, (struct span){ raw, strlen(raw) });
}

void
answer_put_escaped(struct answer *answer, struct buf *to, struct span text)
{
	size_t n, room = text.len + 64;
	char *p;

	if (answer->result != TRANSLATE_OK || text.len == 0)
		return;
	p = buf_room(to, room);
	if (p != NULL) {
		n = json_escape(text.p, text.len, p, room);
		if (n > room && (p = buf_room(to, n)) != NULL)
			n = json_escape(text.p, text.len, p, n);
		if (p != NULL)
			buf_added(to, n);
	}
	if (p == NULL)
		answer_give_up(answer, to == answer->out ? TRANSLATE_NO_ROOM :
		    TRANSLATE_LONG);
}

void
answer_put_string(struct answer *answer, struct buf *to, struct span text)
{
	answer_add(answer, to, "\"");
	answer_put_escaped(answer, to, text);
	answer_add(answer, to, "\"");
}

void
answer_put_word(struct answer *answer, struct buf *to, const char *text)
{
	answer_put_string(answer, to, (struct span){ text, strlen(text) });
}

void
answer_put_count(struct answer *answer, struct buf *to, uint64_t count)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)count);
	answer_add(answer, to, text);
}

void
answer_put_id(struct answer *answer, struct buf *to, const char *prefix)
{
	answer_add(answer, to, "\"");
	answer_add(answer, to, prefix);
	answer_add(answer, to, answer->options->id);
	answer_add(answer, to, "\"");
}

/* Whose it is, in front of the signature. */
static const struct {
	const char *mark;
	enum conversation_origin origin;
	bool redacted;
} marks[] = {
	{ "anthropic:", CONVERSATION_ANTHROPIC, false },
	{ "anthropic-redacted:", CONVERSATION_ANTHROPIC, true },
	{ "gemini:", CONVERSATION_GEMINI, false },
};

#define N_MARKS (sizeof(marks) / sizeof(marks[0]))

static const char *
mark_of(const struct answer *answer)
{
	size_t i;

	for (i = 0; i < N_MARKS; i++)
		if (answer->origin == marks[i].origin &&
		    answer->redacted == marks[i].redacted)
			return marks[i].mark;
	return "";
}

void
answer_put_signature(struct answer *answer, struct buf *to)
{
	answer_add(answer, to, "\"");
	answer_add(answer, to, mark_of(answer));
	answer_put_escaped(answer, to, answer_held(&answer->signature));
	answer_add(answer, to, "\"");
}

void
answer_put_base64(struct answer *answer, struct buf *to)
{
	struct buf marked;
	size_t len;
	char *room;

	if (answer->result != TRANSLATE_OK)
		return;
	buf_init(&marked, 2 * ANSWER_SIGNATURE_BYTES);
	answer_add(answer, &marked, mark_of(answer));
	answer_put_span(answer, &marked, answer_held(&answer->signature));
	len = (marked.len + 2) / 3 * 4;
	room = buf_room(to, len + 1);
	if (room != NULL) {
		EVP_EncodeBlock((unsigned char *)room,
		    (const unsigned char *)answer_held(&marked).p,
		    (int)marked.len);
		buf_added(to, len);
	} else
		answer_give_up(answer, to == answer->out ? TRANSLATE_NO_ROOM :
		    TRANSLATE_LONG);
	buf_free(&marked);
}

/* Clients give it back in either alphabet, and maybe without its padding. */
struct span
answer_from_base64(struct conversation *conversation, struct span text)
{
	size_t i, fill, len = text.len;
	unsigned char *copy, *plain;
	char c;

	while (len > 0 && text.p[len - 1] == '=')
		len--;
	fill = (4 - len % 4) % 4;
	if (len == 0 || fill == 3 || len > 3 * ANSWER_SIGNATURE_BYTES)
		return (struct span){ NULL, 0 };
	copy = conversation_alloc(conversation, len + fill);
	plain = conversation_alloc(conversation, (len + fill) / 4 * 3 + 1);
	if (copy == NULL || plain == NULL)
		return (struct span){ NULL, 0 };
	for (i = 0; i < len; i++) {
		c = text.p[i];
		copy[i] = (unsigned char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	memset(copy + len, '=', fill);
	if (EVP_DecodeBlock(plain, copy, (int)(len + fill)) < 0)
		return (struct span){ NULL, 0 };
	len = (len + fill) / 4 * 3 - fill;
	/* Ours are plain text; any bytes may stand in a client's. */
	for (i = 0; i < len; i++)
		if (plain[i] < ' ' || plain[i] > '~')
			return (struct span){ NULL, 0 };
	return (struct span){ (char *)plain, len };
}

void
answer_unmark(struct span marked, struct conversation_part *part)
{
	size_t i, len;

	for (i = 0; i < N_MARKS; i++) {
		if (!span_begins(marked, marks[i].mark))
			continue;
		len = strlen(marks[i].mark);
		part->origin = marks[i].origin;
		part->redacted = marks[i].redacted;
		part->signature = (struct span){ marked.p + len,
		    marked.len - len };
		return;
	}
}

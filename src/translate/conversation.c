/*
 * conversation.c: see conversation.h.
 */
#include "translate/conversation.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "translate/document.h"

#define BLOCK_BYTES	16384
#define ID_MAX		64

struct conversation_block {
	struct conversation_block *next;
	size_t used, size;
	_Alignas(16) char data[];
};

void
conversation_init(struct conversation *conversation,
    struct json_object *document)
{
	memset(conversation, 0, sizeof(*conversation));
	conversation->turns_end = &conversation->turns;
	conversation->tools_end = &conversation->tools;
	conversation->document = document;
	conversation->owned = document_array();
	conversation->short_of_memory = conversation->owned == NULL;
}

void
conversation_free(struct conversation *conversation)
{
	struct conversation_block *block;

	while ((block = conversation->blocks) != NULL) {
		conversation->blocks = block->next;
		bytes_scrub(block->data, block->used);
		free(block);
	}
	json_object_put(conversation->owned);
	json_object_put(conversation->document);
	memset(conversation, 0, sizeof(*conversation));
}

void *
conversation_alloc(struct conversation *conversation, size_t size)
{
	struct conversation_block *block = conversation->blocks;
	size_t room;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (block == NULL || block->size - block->used < size) {
		room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
		block = calloc(1, sizeof(*block) + room);
		if (block == NULL) {
			conversation->short_of_memory = true;
			return NULL;
		}
		block->size = room;
		block->next = conversation->blocks;
		conversation->blocks = block;
	}
	p = block->data + block->used;
	block->used += size;
	return p;
}

char *
conversation_copy(struct conversation *conversation, const void *p, size_t len)
{
	char *copy = conversation_alloc(conversation, len + 1);

	if (copy != NULL && len > 0)
		memcpy(copy, p, len);
	return copy;
}

struct json_object *
conversation_keep(struct conversation *conversation, struct json_object *value)
{
	return document_push(conversation->owned, value);
}

static struct conversation_turn *
add_turn(struct conversation *conversation, enum conversation_role role)
{
	struct conversation_turn *turn;

	turn = conversation_alloc(conversation, sizeof(*turn));
	if (turn == NULL)
		return NULL;
	turn->role = role;
	turn->end = &turn->parts;
	turn->calls_end = &turn->first_call;
	*conversation->turns_end = turn;
	conversation->turns_end = &turn->next;
	conversation->last = turn;
	return turn;
}

struct conversation_part *
conversation_part(struct conversation *conversation,
    enum conversation_role role, enum conversation_kind kind)
{
	struct conversation_turn *turn = conversation->last;
	struct conversation_part *part;

	if (turn == NULL || turn->role != role)
		turn = add_turn(conversation, role);
	if (turn == NULL)
		return NULL;
	part = conversation_alloc(conversation, sizeof(*part));
	if (part == NULL)
		return NULL;
	part->kind = kind;
	*turn->end = part;
	turn->end = &part->next;
	if (kind == CONVERSATION_CALL) {
		*turn->calls_end = part;
		turn->calls_end = &part->next_call;
		turn->calls++;
	}
	return part;
}

struct conversation_tool *
conversation_tool(struct conversation *conversation)
{
	struct conversation_tool *tool;

	tool = conversation_alloc(conversation, sizeof(*tool));
	if (tool == NULL)
		return NULL;
	*conversation->tools_end = tool;
	conversation->tools_end = &tool->next;
	return tool;
}

void
conversation_url(struct conversation_part *part, struct span url)
{
	static const char mark[] = ";base64,";
	const char *comma;
	size_t head;

	part->url = url;
	if (!span_begins(url, "data:"))
		return;
	comma = memchr(url.p, ',', url.len);
	if (comma == NULL)
		return;
	head = (size_t)(comma - url.p) + 1;
	if (head < 5 + sizeof(mark) - 1 ||
	    memcmp(comma + 1 - (sizeof(mark) - 1), mark, sizeof(mark) - 1) != 0)
		return;
	part->media_type = (struct span){ url.p + 5,
	    head - 5 - (sizeof(mark) - 1) };
	part->data = (struct span){ comma + 1, url.len - head };
	part->url = (struct span){ NULL, 0 };
}

void
conversation_arguments(struct conversation *conversation,
    struct conversation_part *part, struct span text)
{
	part->arguments_text = text;
	part->arguments = text.len == 0 ? document_object() :
	    document_parse(text.p, text.len, true);
	conversation_keep(conversation, part->arguments);
}

void
conversation_free_text(struct conversation *conversation,
    struct conversation_part *part, struct span text)
{
	part->arguments = document_object();
	document_put_text(part->arguments, "input", text);
	conversation_keep(conversation, part->arguments);
}

struct json_object *
conversation_input(const struct conversation_part *part)
{
	struct json_object *input;

	if (part->arguments != NULL)
		return json_object_get(part->arguments);
	/* What a model wrote amiss is shown to it as it was. */
	input = document_object();
	document_put_text(input, "invalid_json", part->arguments_text);
	return input;
}

struct span
conversation_join(struct conversation *conversation,
    const struct conversation_part *parts)
{
	const struct conversation_part *part, *only = NULL;
	size_t len = 0, n = 0;
	char *text, *to;

	for (part = parts; part != NULL; part = part->next) {
		if (part->kind != CONVERSATION_TEXT || part->text.len == 0)
			continue;
		only = part;
		len += part->text.len + 2;
		n++;
	}
	if (n == 0)
		return SPAN("");
	if (n == 1)
		return only->text;
	to = text = conversation_alloc(conversation, len);
	if (text == NULL)
		return SPAN("");
	for (part = parts; part != NULL; part = part->next) {
		if (part->kind != CONVERSATION_TEXT || part->text.len == 0)
			continue;
		if (to != text) {
			*to++ = '\n';
			*to++ = '\n';
		}
		memcpy(to, part->text.p, part->text.len);
		to += part->text.len;
	}
	return (struct span){ text, len - 2 };
}

/* In the order of enum conversation_effort.  The budgets are what providers
 * that take both publish as equal, or near it. */
static const struct {
	const char *word;
	uint32_t budget;
} efforts[] = {
	{ NULL, 0 }, { "none", 0 }, { "minimal", 1024 }, { "low", 2048 },
	{ "medium", 8192 }, { "high", 24576 }, { "xhigh", 32768 },
	{ "max", 65536 },
};

#define N_EFFORTS (sizeof(efforts) / sizeof(efforts[0]))

int
conversation_effort_parse(struct span word)
{
	size_t i;

	for (i = 1; i < N_EFFORTS; i++)
		if (span_is(word, efforts[i].word))
			return (int)i;
	return -1;
}

const char *
conversation_effort_word(enum conversation_effort effort)
{
	return efforts[effort].word;
}

uint32_t
conversation_effort_budget(enum conversation_effort effort)
{
	return efforts[effort].budget;
}

enum conversation_effort
conversation_budget_effort(uint64_t budget)
{
	if (budget == 0)
		return CONVERSATION_EFFORT_NONE;
	if (budget < 8192)
		return CONVERSATION_EFFORT_LOW;
	return budget < 16384 ? CONVERSATION_EFFORT_MEDIUM :
	    CONVERSATION_EFFORT_HIGH;
}

static bool
is_plain_id(struct span id)
{
	size_t i;
	char c;

	if (id.len == 0 || id.len > ID_MAX)
		return false;
	for (i = 0; i < id.len; i++) {
		c = id.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return true;
}

struct span
conversation_id(struct conversation *conversation, struct span id)
{
	XXH128_canonical_t digest;
	char *plain;

	if (is_plain_id(id))
		return id;
	/* A call and its result are renamed alike, with nothing kept. */
	XXH128_canonicalFromHash(&digest, XXH3_128bits(id.p, id.len));
	plain = conversation_alloc(conversation, 5 + 2 * sizeof(digest) + 1);
	if (plain == NULL)
		return SPAN("call");
	memcpy(plain, "call_", 5);
	hex_encode(digest.digest, sizeof(digest.digest), plain + 5);
	return (struct span){ plain, 5 + 2 * sizeof(digest.digest) };
}

/*
 * conversation.h: a request in no protocol's words.
 * Layer: translate, private to it.
 * Written by: one request_from_*.c; read by one request_to_*.c.
 *
 * Spans and values are borrowed from the client's document, or live in the
 * conversation until conversation_free().
 */
#ifndef TRANSLATE_CONVERSATION_H
#define TRANSLATE_CONVERSATION_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "translate/translate.h"

/* A turn's tool calls beyond this are refused: each is searched by its id. */
#define CONVERSATION_CALLS_MAX 1024

enum conversation_role {
	CONVERSATION_SYSTEM,
	CONVERSATION_USER,	/* and what tools gave */
	CONVERSATION_ASSISTANT
};

enum conversation_kind {
	CONVERSATION_TEXT,
	CONVERSATION_IMAGE,	/* media_type and data, or url */
	CONVERSATION_FILE,	/* the same; name is the file's */
	CONVERSATION_AUDIO,	/* media_type and data */
	CONVERSATION_CALL,
	CONVERSATION_RESULT,
	CONVERSATION_THINKING
};

/* Who made a signature, and alone can read it. */
enum conversation_origin {
	CONVERSATION_NOBODY,
	CONVERSATION_ANTHROPIC,
	CONVERSATION_GEMINI
};

struct conversation_part {
	struct conversation_part *next;
	struct conversation_part *next_call; /* of the turn */
	enum conversation_kind kind;
	const char *member;		/* as the client named it; or NULL */
	struct span text;		/* and thinking */
	struct span media_type, data;	/* base64 */
	struct span url;
	struct span name;		/* of a tool, or a file */
	struct span id;			/* of a call, and of its result */
	struct json_object *arguments;	/* an object; NULL if unreadable */
	struct span arguments_text;	/* as the client's text, if it was */
	struct conversation_part *content; /* of a result: text, images */
	struct json_object *cache;	/* chat's cache_control, or NULL */
	bool is_answered;		/* a call: its result was found */
	bool is_error;			/* the tool failed */
	bool redacted;			/* thinking: signature is all of it */
	enum conversation_origin origin;
	struct span signature;		/* thinking's; Gemini's calls too */
};

struct conversation_turn {
	struct conversation_turn *next;
	enum conversation_role role;
	struct conversation_part *parts, **end;
	struct conversation_part *first_call, **calls_end;
	uint32_t calls;
};

struct conversation_tool {
	struct conversation_tool *next;
	struct span name, description;
	struct json_object *schema;	/* NULL: none given */
	bool strict;
};

enum conversation_choice {
	CONVERSATION_CHOICE_UNSAID,
	CONVERSATION_CHOICE_AUTO,
	CONVERSATION_CHOICE_NONE,
	CONVERSATION_CHOICE_ANY,
	CONVERSATION_CHOICE_ONE		/* choice_name */
};

/* What is passed on as it is, where the upstream has a word for it. */
enum conversation_param {
	CONVERSATION_NO_PARAM,
	CONVERSATION_MAX_TOKENS,
	CONVERSATION_TEMPERATURE,
	CONVERSATION_TOP_P,
	CONVERSATION_TOP_K,
	CONVERSATION_STOP,		/* a string or an array of them */
	CONVERSATION_SEED,
	CONVERSATION_FREQUENCY_PENALTY,
	CONVERSATION_PRESENCE_PENALTY,
	CONVERSATION_VERBOSITY,
	CONVERSATION_SERVICE_TIER,
	CONVERSATION_PARAMS
};

struct conversation_value {
	struct json_object *value;	/* NULL: not said */
	const char *member;
};

enum conversation_format {
	CONVERSATION_FORMAT_TEXT,
	CONVERSATION_FORMAT_JSON,
	CONVERSATION_FORMAT_SCHEMA
};

enum conversation_effort {
	CONVERSATION_EFFORT_UNSAID,
	CONVERSATION_EFFORT_NONE,
	CONVERSATION_EFFORT_MINIMAL,
	CONVERSATION_EFFORT_LOW,
	CONVERSATION_EFFORT_MEDIUM,
	CONVERSATION_EFFORT_HIGH,
	CONVERSATION_EFFORT_XHIGH,
	CONVERSATION_EFFORT_MAX
};

struct conversation_block;

struct conversation {
	struct conversation_turn *turns, **turns_end, *last;
	struct conversation_tool *tools, **tools_end;
	struct conversation_value params[CONVERSATION_PARAMS];
	enum conversation_choice choice;
	struct span choice_name;
	bool one_call;			/* no parallel tool calls */
	const char *one_call_member;
	enum conversation_format format;
	struct span format_name, format_description;
	struct json_object *format_schema;
	bool format_strict;
	const char *format_member;
	enum conversation_effort effort;
	uint64_t budget;		/* of thinking; 0: not said */
	struct translate_wish wish;

	/* Private. */
	struct json_object *document;
	struct json_object *owned;
	struct conversation_block *blocks;
	bool short_of_memory;
};

/* document is taken. */
void	conversation_init(struct conversation *conversation,
	    struct json_object *document);
void	conversation_free(struct conversation *conversation);

/* Zeroed memory that lasts as long as the conversation; NULL when short. */
void	*conversation_alloc(struct conversation *conversation, size_t size);
char	*conversation_copy(struct conversation *conversation, const void *p,
	    size_t len);
/* The value is taken and lasts as long as the conversation. */
struct json_object *conversation_keep(struct conversation *conversation,
	    struct json_object *value);

/* A part at the end of the conversation, in a turn of that role: the last one
 * if it is of that role already.  NULL when memory is short. */
struct conversation_part *conversation_part(struct conversation *conversation,
	    enum conversation_role role, enum conversation_kind kind);
struct conversation_tool *conversation_tool(
	    struct conversation *conversation);

/* "data:image/png;base64,..." into media_type and data; else url is set. */
void	conversation_url(struct conversation_part *part, struct span url);

/* The tool's arguments from their text: an object, or unreadable. */
void	conversation_arguments(struct conversation *conversation,
	    struct conversation_part *part, struct span text);
/* Free text for a tool that takes it, as arguments. */
void	conversation_free_text(struct conversation *conversation,
	    struct conversation_part *part, struct span text);
/* They as an object, whatever they are.  Caller puts. */
struct json_object *conversation_input(const struct conversation_part *part);

/* The text parts of a list, joined by a blank line; one that is alone is
 * borrowed. */
struct span conversation_join(struct conversation *conversation,
	    const struct conversation_part *parts);

/* An effort by its word ("high"), or -1; and the reverse, NULL when unsaid. */
int	conversation_effort_parse(struct span word);
const char *conversation_effort_word(enum conversation_effort effort);
/* Thinking budgets, in tokens, that stand for an effort. */
uint32_t conversation_effort_budget(enum conversation_effort effort);
enum conversation_effort conversation_budget_effort(uint64_t budget);

/* An id that every upstream takes ([A-Za-z0-9_-], 1 to 64): id itself, or one
 * that follows from it. */
struct span conversation_id(struct conversation *conversation,
	    struct span id);

#endif

/*
 * walk.h: a client's document against lists of the members that are known.
 * Layer: translate, private to it.
 * Written by: one request_from_*.c.
 *
 * Every object of a request is held against the table of its level.  A member
 * that is in no table is refused by its name, so that what a later version of
 * a protocol adds is never lost in silence.  null is as good as absent.
 */
#ifndef TRANSLATE_WALK_H
#define TRANSLATE_WALK_H

#include "translate/conversation.h"
#include "translate/document.h"

#define WALK_STRING	0x01u
#define WALK_NUMBER	0x02u
#define WALK_BOOL	0x04u
#define WALK_ARRAY	0x08u
#define WALK_OBJECT	0x10u
#define WALK_ANY	0x1fu

struct walk {
	struct conversation *conversation;
	struct translate_refusal *refusal;
	size_t path_len;		/* of refusal->member, so far */

	/* What a table's functions work on. */
	enum conversation_role role;
	struct json_object *object;	/* whose members are read */
	struct conversation_part *part;
	struct conversation_tool *tool;
	struct conversation_turn *calling; /* the last of the model's */
	uint32_t calls;			/* so far */
};

/* False: refused, and the reading ends. */
typedef bool walk_fn(struct walk *walk, struct json_object *value);

/*
 * One known member.  Neither read nor param: it has no effect, or is read by
 * name where its order matters.  No types: only null is taken.
 */
struct walk_member {
	const char *name;
	unsigned int types;
	walk_fn *read;
	enum conversation_param param;
};

#define WALK_LEN(table) (sizeof(table) / sizeof((table)[0]))

void	walk_init(struct walk *walk, struct conversation *conversation,
	    struct translate_refusal *refusal);

/* Always false. */
bool	walk_refuse(struct walk *walk, enum translate_reason reason);
bool	walk_refuse_member(struct walk *walk, const char *name,
	    enum translate_reason reason);

/* All members of object: types, then what their rows say. */
bool	walk_object(struct walk *walk, struct json_object *object,
	    const struct walk_member *members, size_t n);

/* One member, if it is there; its type is as the table said. */
bool	walk_into(struct walk *walk, struct json_object *object,
	    const char *name, walk_fn *read);

/* Each element. */
bool	walk_each(struct walk *walk, struct json_object *array,
	    unsigned int types, walk_fn *read);

/* A required string member, not empty unless may_be_empty. */
bool	walk_text(struct walk *walk, struct json_object *object,
	    const char *name, struct span *span_r);

/* The path so far, for as long as the conversation lasts. */
const char *walk_path(struct walk *walk);

/* Readers that several protocols share. */
bool	walk_false(struct walk *walk, struct json_object *value);
bool	walk_zero(struct walk *walk, struct json_object *value);
bool	walk_empty(struct walk *walk, struct json_object *value);
bool	walk_stream(struct walk *walk, struct json_object *value);
bool	walk_parallel(struct walk *walk, struct json_object *value);
bool	walk_effort(struct walk *walk, struct json_object *value);
bool	walk_thinking(struct walk *walk, struct json_object *value);
bool	walk_strings(struct walk *walk, struct json_object *value);

/* A part of the turn in walk->role: walk->part, its member noted. */
bool	walk_part(struct walk *walk, enum conversation_kind kind);
/* The content of walk->part, a result: text, images and files. */
bool	walk_result(struct walk *walk, struct json_object *object,
	    const char *name, walk_fn *read);
bool	walk_add_text(struct walk *walk, struct span text);

#endif

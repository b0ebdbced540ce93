/*
 * walk.c: see walk.h.
 */
#include "translate/walk.h"

#include <stdio.h>
#include <string.h>

void
walk_init(struct walk *walk, struct conversation *conversation,
    struct translate_refusal *refusal)
{
	memset(walk, 0, sizeof(*walk));
	walk->conversation = conversation;
	walk->refusal = refusal;
	memset(refusal, 0, sizeof(*refusal));
}

/* Names from the client: printable ASCII only, cut where the room ends. */
static void
add_name(struct walk *walk, const char *name)
{
	char *path = walk->refusal->member;

	if (walk->path_len > 0 && walk->path_len < TRANSLATE_MEMBER_BYTES - 1)
		path[walk->path_len++] = '.';
	for (; *name != '\0' && walk->path_len < TRANSLATE_MEMBER_BYTES - 1;
	    name++)
		path[walk->path_len++] =
		    *name > ' ' && *name <= '~' ? *name : '?';
	path[walk->path_len] = '\0';
}

static void
add_index(struct walk *walk, size_t i)
{
	char *path = walk->refusal->member;
	size_t room = TRANSLATE_MEMBER_BYTES - walk->path_len;
	int n = snprintf(path + walk->path_len, room, "[%zu]", i);

	walk->path_len += (size_t)n < room ? (size_t)n : room - 1;
}

static void
back_to(struct walk *walk, size_t len)
{
	walk->path_len = len;
	walk->refusal->member[len] = '\0';
}

bool
walk_refuse(struct walk *walk, enum translate_reason reason)
{
	walk->refusal->reason = reason;
	return false;
}

bool
walk_refuse_member(struct walk *walk, const char *name,
    enum translate_reason reason)
{
	add_name(walk, name);
	return walk_refuse(walk, reason);
}

const char *
walk_path(struct walk *walk)
{
	return conversation_copy(walk->conversation, walk->refusal->member,
	    walk->path_len);
}

static unsigned int
type_of(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		return WALK_STRING;
	case json_type_int:
	case json_type_double:
		return WALK_NUMBER;
	case json_type_boolean:
		return WALK_BOOL;
	case json_type_array:
		return WALK_ARRAY;
	case json_type_object:
		return WALK_OBJECT;
	case json_type_null:
		break;
	}
	return 0;
}

static const struct walk_member *
find_member(const char *name, const struct walk_member *members, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

static bool
read_member(struct walk *walk, const struct walk_member *member,
    struct json_object *value)
{
	struct conversation_value *param;

	if (member == NULL)
		return walk_refuse(walk, TRANSLATE_UNKNOWN);
	if (member->types == 0)
		return walk_refuse(walk, TRANSLATE_NO_WORD);
	if ((type_of(value) & member->types) == 0)
		return walk_refuse(walk, TRANSLATE_TYPE);
	if (member->param != CONVERSATION_NO_PARAM) {
		param = &walk->conversation->params[member->param];
		param->value = value;
		param->member = walk_path(walk);
	}
	return member->read == NULL || member->read(walk, value);
}

bool
walk_object(struct walk *walk, struct json_object *object,
    const struct walk_member *members, size_t n)
{
	struct json_object *outer = walk->object;
	size_t path_len = walk->path_len;

	json_object_object_foreach(object, name, value) {
		/* null is absent, but of an unknown member who knows? */
		if (value == NULL && find_member(name, members, n) != NULL)
			continue;
		add_name(walk, name);
		walk->object = object;
		if (!read_member(walk, find_member(name, members, n), value))
			return false;
		back_to(walk, path_len);
	}
	walk->object = outer;
	return true;
}

bool
walk_into(struct walk *walk, struct json_object *object, const char *name,
    walk_fn *read)
{
	struct json_object *value = document_get(object, name);
	size_t path_len = walk->path_len;

	if (value == NULL)
		return true;
	add_name(walk, name);
	if (!read(walk, value))
		return false;
	back_to(walk, path_len);
	return true;
}

bool
walk_each(struct walk *walk, struct json_object *array, unsigned int types,
    walk_fn *read)
{
	size_t i, path_len = walk->path_len, n = document_length(array);

	for (i = 0; i < n; i++) {
		add_index(walk, i);
		if ((type_of(document_at(array, i)) & types) == 0)
			return walk_refuse(walk, TRANSLATE_TYPE);
		if (!read(walk, document_at(array, i)))
			return false;
		back_to(walk, path_len);
	}
	return true;
}

bool
walk_text(struct walk *walk, struct json_object *object, const char *name,
    struct span *span_r)
{
	struct json_object *value = document_get(object, name);

	*span_r = document_span(value);
	if (value == NULL)
		return walk_refuse_member(walk, name, TRANSLATE_MISSING);
	if (span_r->p == NULL)
		return walk_refuse_member(walk, name, TRANSLATE_TYPE);
	return true;
}

bool
walk_false(struct walk *walk, struct json_object *value)
{
	return !json_object_get_boolean(value) ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

bool
walk_zero(struct walk *walk, struct json_object *value)
{
	return json_object_get_int64(value) == 0 ||
	    walk_refuse(walk, TRANSLATE_NO_WORD);
}

bool
walk_empty(struct walk *walk, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object) ?
	    json_object_object_length(value) == 0 :
	    document_length(value) == 0)
		return true;
	return walk_refuse(walk, TRANSLATE_NO_WORD);
}

bool
walk_stream(struct walk *walk, struct json_object *value)
{
	walk->conversation->wish.streamed = json_object_get_boolean(value);
	return true;
}

bool
walk_parallel(struct walk *walk, struct json_object *value)
{
	walk->conversation->one_call = !json_object_get_boolean(value);
	walk->conversation->one_call_member = walk_path(walk);
	return true;
}

bool
walk_effort(struct walk *walk, struct json_object *value)
{
	int effort = conversation_effort_parse(document_span(value));

	if (effort < 0)
		return walk_refuse(walk, TRANSLATE_VALUE);
	walk->conversation->effort = (enum conversation_effort)effort;
	return true;
}

bool
walk_thinking(struct walk *walk, struct json_object *value)
{
	static const struct walk_member members[] = {
		{ "type", WALK_STRING, NULL, 0 },
		{ "budget_tokens", WALK_NUMBER, NULL, 0 },
		{ "display", WALK_STRING, NULL, 0 },
	};
	struct conversation *conversation = walk->conversation;
	struct span type;

	if (!walk_text(walk, value, "type", &type))
		return false;
	if (span_is(type, "enabled")) {
		conversation->budget = document_count(value, "budget_tokens");
		conversation->effort =
		    conversation_budget_effort(conversation->budget);
	} else if (span_is(type, "disabled"))
		conversation->effort = CONVERSATION_EFFORT_NONE;
	else if (!span_is(type, "adaptive"))
		return walk_refuse_member(walk, "type", TRANSLATE_NO_WORD);
	return walk_object(walk, value, members, WALK_LEN(members));
}

static bool
any_string(struct walk *walk, struct json_object *value)
{
	(void)walk;
	(void)value;
	return true;
}

bool
walk_strings(struct walk *walk, struct json_object *value)
{
	return walk_each(walk, value, WALK_STRING, any_string);
}

bool
walk_part(struct walk *walk, enum conversation_kind kind)
{
	walk->part = conversation_part(walk->conversation, walk->role, kind);
	if (walk->part == NULL)
		return walk_refuse(walk, TRANSLATE_MEMORY);
	if (kind != CONVERSATION_TEXT)
		walk->part->member = walk_path(walk);
	if (walk->conversation->last->calls > CONVERSATION_CALLS_MAX)
		return walk_refuse(walk, TRANSLATE_VALUE);
	return true;
}

bool
walk_add_text(struct walk *walk, struct span text)
{
	if (!walk_part(walk, CONVERSATION_TEXT))
		return false;
	walk->part->text = text;
	return true;
}

/* What stands in a result is read as if it stood behind it, then moved. */
bool
walk_result(struct walk *walk, struct json_object *object, const char *name,
    walk_fn *read)
{
	struct conversation_turn *turn = walk->conversation->last;
	struct conversation_part *result = walk->part, *part;

	if (!walk_into(walk, object, name, read))
		return false;
	for (part = result->next; part != NULL; part = part->next)
		if (part->kind != CONVERSATION_TEXT &&
		    part->kind != CONVERSATION_IMAGE &&
		    part->kind != CONVERSATION_FILE)
			return walk_refuse_member(walk, name,
			    TRANSLATE_NO_WORD);
	result->content = result->next;
	result->next = NULL;
	turn->end = &result->next;
	return true;
}

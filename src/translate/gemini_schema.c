/*
 * gemini_schema.c: see gemini_schema.h.
 */
#include "translate/gemini_schema.h"

#include <stdlib.h>
#include <string.h>

#include "translate/document.h"

/* What a member of a schema holds. */
enum holds {
	HOLDS_ANYTHING,
	HOLDS_SCHEMA,
	HOLDS_SCHEMAS,		/* a list of them */
	HOLDS_NAMED,		/* an object of them */
	HOLDS_COUNT,		/* a number, maybe as a string */
	HOLDS_NOTHING		/* of meaning to others */
};

static enum holds
what_holds(const char *name)
{
	static const struct {
		const char *name;
		enum holds holds;
	} rows[] = {
		{ "items", HOLDS_SCHEMA }, { "additionalProperties",
		    HOLDS_SCHEMA },
		{ "anyOf", HOLDS_SCHEMAS }, { "oneOf", HOLDS_SCHEMAS },
		{ "allOf", HOLDS_SCHEMAS }, { "prefixItems", HOLDS_SCHEMAS },
		{ "properties", HOLDS_NAMED }, { "$defs", HOLDS_NAMED },
		{ "minItems", HOLDS_COUNT }, { "maxItems", HOLDS_COUNT },
		{ "minLength", HOLDS_COUNT }, { "maxLength", HOLDS_COUNT },
		{ "minProperties", HOLDS_COUNT },
		{ "maxProperties", HOLDS_COUNT },
		{ "propertyOrdering", HOLDS_NOTHING },
		{ "nullable", HOLDS_NOTHING },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].holds;
	return HOLDS_ANYTHING;
}

/* "STRING" is "string"; nullable adds "null". */
static struct json_object *
type_of(struct json_object *schema, struct json_object *type)
{
	struct span word = document_span(type);
	struct json_object *list, *lower;
	char text[16];
	size_t i;

	if (word.p == NULL || word.len >= sizeof(text))
		return json_object_get(type);
	for (i = 0; i < word.len; i++)
		text[i] = word.p[i] >= 'A' && word.p[i] <= 'Z' ?
		    (char)(word.p[i] - 'A' + 'a') : word.p[i];
	lower = document_string((struct span){ text, word.len });
	if (!document_true(schema, "nullable"))
		return lower;
	list = document_array();
	document_push(list, lower);
	document_push(list, document_string(SPAN("null")));
	return list;
}

static struct json_object *
list_of(struct json_object *schemas)
{
	struct json_object *list = document_array();
	size_t i;

	for (i = 0; i < document_length(schemas); i++)
		document_push(list, gemini_schema(document_at(schemas, i)));
	return list;
}

static struct json_object *
named(struct json_object *schemas)
{
	struct json_object *object = document_object();

	if (json_object_is_type(schemas, json_type_object)) {
		json_object_object_foreach(schemas, name, schema)
			document_add(object, name, gemini_schema(schema));
	}
	return object;
}

static struct json_object *
convert(const char *name, struct json_object *value)
{
	switch (what_holds(name)) {
	case HOLDS_SCHEMA:
		return gemini_schema(value);
	case HOLDS_SCHEMAS:
		return list_of(value);
	case HOLDS_NAMED:
		return named(value);
	case HOLDS_COUNT:
		if (json_object_is_type(value, json_type_string))
			return json_object_new_int64(json_object_get_int64(
			    value));
		break;
	case HOLDS_NOTHING:
		return NULL;
	case HOLDS_ANYTHING:
		break;
	}
	return json_object_get(value);
}

struct json_object *
gemini_schema(struct json_object *schema)
{
	struct json_object *object;

	if (!json_object_is_type(schema, json_type_object))
		return json_object_get(schema);
	object = document_object();
	json_object_object_foreach(schema, name, value) {
		if (strcmp(name, "type") == 0)
			document_add(object, name, type_of(schema, value));
		else
			document_add(object, name, convert(name, value));
	}
	return object;
}

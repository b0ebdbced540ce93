/*
 * document.c: see document.h.
 *
 * json-c takes more than JSON (NaN, comments, depth beyond what others read),
 * so that the gateway's own scan goes first.
 */
#include "translate/document.h"

#include <limits.h>
#include <string.h>

#include "http/json_scan.h"

struct json_object *
document_parse(const char *text, size_t len, bool utf8)
{
	struct json_tokener *tokener;
	struct json_object *document;
	struct json_extent extent;

	if (len > INT_MAX ||
	    json_scan(text, len, NULL, 0, &extent) != JSON_SCAN_OK)
		return NULL;
	tokener = json_tokener_new_ex(JSON_SCAN_DEPTH_MAX + 2);
	if (tokener == NULL)
		return NULL;
	if (utf8)
		json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	document = json_tokener_parse_ex(tokener, text + extent.start,
	    (int)(extent.end - extent.start));
	json_tokener_free(tokener);
	return document;
}

struct json_object *
document_get(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value))
		return NULL;
	return value;
}

struct json_object *
document_at(struct json_object *array, size_t i)
{
	return i < document_length(array) ?
	    json_object_array_get_idx(array, i) : NULL;
}

size_t
document_length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ?
	    json_object_array_length(array) : 0;
}

struct span
document_span(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return (struct span){ NULL, 0 };
	return (struct span){ json_object_get_string(value),
	    (size_t)json_object_get_string_len(value) };
}

struct span
document_text(struct json_object *object, const char *name)
{
	return document_span(document_get(object, name));
}

uint64_t
document_count(struct json_object *object, const char *name)
{
	struct json_object *value = document_get(object, name);
	int64_t count;

	if (!json_object_is_type(value, json_type_int))
		return 0;
	count = json_object_get_int64(value);
	return count > 0 ? (uint64_t)count : 0;
}

bool
document_is(struct json_object *value, const char *string)
{
	return span_is(document_span(value), string);
}

bool
document_true(struct json_object *object, const char *name)
{
	struct json_object *value = document_get(object, name);

	return json_object_is_type(value, json_type_boolean) &&
	    json_object_get_boolean(value);
}

bool
span_is(struct span span, const char *string)
{
	return span.p != NULL && span.len == strlen(string) &&
	    memcmp(span.p, string, span.len) == 0;
}

bool
span_begins(struct span span, const char *string)
{
	size_t len = strlen(string);

	return span.p != NULL && span.len >= len &&
	    memcmp(span.p, string, len) == 0;
}

bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

struct json_object *
document_add(struct json_object *object, const char *name,
    struct json_object *value)
{
	if (value != NULL)
		json_object_object_add(object, name, value);
	return value;
}

struct json_object *
document_push(struct json_object *array, struct json_object *value)
{
	if (value != NULL)
		json_object_array_add(array, value);
	return value;
}

struct json_object *
document_object(void)
{
	return json_object_new_object();
}

struct json_object *
document_array(void)
{
	return json_object_new_array();
}

struct json_object *
document_string(struct span span)
{
	if (span.len > INT_MAX)
		return NULL;
	return json_object_new_string_len(span.p != NULL ? span.p : "",
	    (int)span.len);
}

void
document_put_text(struct json_object *object, const char *name,
    struct span span)
{
	document_add(object, name, document_string(span));
}

void
document_put_word(struct json_object *object, const char *name,
    const char *word)
{
	document_add(object, name, json_object_new_string(word));
}

void
document_put_count(struct json_object *object, const char *name,
    uint64_t count)
{
	document_add(object, name, json_object_new_int64(
	    count > INT64_MAX ? INT64_MAX : (int64_t)count));
}

void
document_put_bool(struct json_object *object, const char *name, bool value)
{
	document_add(object, name, json_object_new_boolean(value));
}

void
document_share(struct json_object *object, const char *name,
    struct json_object *value)
{
	document_add(object, name, json_object_get(value));
}

struct span
document_print(struct json_object *document)
{
	struct span text;

	text.p = json_object_to_json_string_length(document,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
	    &text.len);
	return text;
}

/*
 * gemini_schema.h: Gemini's own kind of schema as JSON Schema.
 * Layer: translate, private to it.
 * Written by: nobody.
 */
#ifndef TRANSLATE_GEMINI_SCHEMA_H
#define TRANSLATE_GEMINI_SCHEMA_H

#include <json-c/json.h>

/*
 * The subset of OpenAPI 3.0 that Gemini's clients send (types in capitals,
 * nullable, counts as strings) as JSON Schema.  What is neither passes as it
 * is.  A new document; NULL when memory is short.  Caller puts.
 */
struct json_object *gemini_schema(struct json_object *schema);

#endif

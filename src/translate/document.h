/*
 * document.h: JSON documents with json-c: read strictly, built briefly.
 * Layer: translate, private to it.
 * Written by: the owner of each document.
 */
#ifndef TRANSLATE_DOCUMENT_H
#define TRANSLATE_DOCUMENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

/* RFC 8259 to the letter, an object at the root; else NULL.  Caller puts.
 * utf8: broken UTF-8 is refused; answers have it mended when written. */
struct json_object *document_parse(const char *text, size_t len, bool utf8);

/* A member's value; NULL when absent, null, or object is none. */
struct json_object *document_get(struct json_object *object,
	    const char *name);
struct json_object *document_at(struct json_object *array, size_t i);
size_t	document_length(struct json_object *array);

/* A string's bytes, borrowed from the value; {NULL, 0} for another type. */
struct span document_span(struct json_object *value);
struct span document_text(struct json_object *object, const char *name);
/* A count; 0 when it isn't one. */
uint64_t document_count(struct json_object *object, const char *name);
bool	document_is(struct json_object *value, const char *string);
bool	document_true(struct json_object *object, const char *name);

bool	span_is(struct span span, const char *string);
bool	span_begins(struct span span, const char *string);
bool	span_equal(struct span a, struct span b);

/*
 * Building.  Each add takes value, which it returns; NULL adds nothing.
 * Memory is not checked for one by one: Linux kills before malloc fails, but
 * for the huge, and the huge is printed last (document_print()).
 */
struct json_object *document_add(struct json_object *object,
	    const char *name, struct json_object *value);
struct json_object *document_push(struct json_object *array,
	    struct json_object *value);
struct json_object *document_object(void);
struct json_object *document_array(void);
struct json_object *document_string(struct span span);
void	document_put_text(struct json_object *object, const char *name,
	    struct span span);
void	document_put_word(struct json_object *object, const char *name,
	    const char *word);
void	document_put_count(struct json_object *object, const char *name,
	    uint64_t count);
void	document_put_bool(struct json_object *object, const char *name,
	    bool value);
/* Another reference to a value of another document. */
void	document_share(struct json_object *object, const char *name,
	    struct json_object *value);

/* Compact text of it, borrowed from the document; p is NULL when memory is
 * short. */
struct span document_print(struct json_object *document);

#endif

/*
 * json_scan.h: one pass over a complete JSON text, looking for a few members.
 * Layer: http.  No I/O, no allocation, no globals.
 * Written by: nobody after the scan; all offsets are into the caller's text.
 *
 * RFC 8259: structure, strings, escapes and numbers are validated; UTF-8 is
 * not.  A member's name matches however it is spelled, \u escapes included,
 * for the upstream's parser will read it that way too.  Names that differ in
 * letter case only are counted apart: some parsers (Go's) take them for equal.
 */
#ifndef HTTP_JSON_SCAN_H
#define HTTP_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SCAN_DEPTH_MAX	128

enum json_kind {
	JSON_ABSENT = 0,
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

enum json_scan_result {
	JSON_SCAN_OK,
	JSON_SCAN_MALFORMED,	/* not JSON, or something after it */
	JSON_SCAN_DEEP,		/* nested beyond JSON_SCAN_DEPTH_MAX */
	JSON_SCAN_NOT_OBJECT	/* JSON, but not an object */
};

/*
 * A top-level member that is asked for: set name (plain bytes, borrowed) and
 * name_len, the rest is filled in.  Offsets describe the first occurrence:
 * key_start is its opening quote; a string's value includes the quotes.
 */
struct json_want {
	const char *name;
	size_t name_len;
	enum json_kind type;		/* JSON_ABSENT when not found */
	uint32_t count;			/* occurrences */
	uint32_t folded;		/* of the name in other letter case */
	size_t key_start;
	size_t value_start;
	size_t value_end;		/* one past the value */
};

#define JSON_WANT(literal) \
	{ .name = (literal), .name_len = sizeof(literal) - 1 }

/* The object itself, for splicing. */
struct json_extent {
	size_t start;			/* of the opening brace */
	size_t end;			/* one past the closing brace */
	uint32_t members;		/* at the top level */
	size_t error_at;		/* offset of what is wrong, if so */
};

/*
 * Scan len bytes of text, a JSON object with white space around it.  wants may
 * be NULL when n_wants is 0.  Unless JSON_SCAN_OK, the wants are meaningless.
 * For a member of a nested object scan again, over the value's bytes.
 */
enum json_scan_result json_scan(const char *text, size_t len,
	    struct json_want *wants, size_t n_wants,
	    struct json_extent *extent_r)
	    __attribute__((warn_unused_result));

enum json_string_result {
	JSON_STRING_OK,
	JSON_STRING_LONG,	/* didn't fit; *len_r is what it needs */
	JSON_STRING_BAD		/* no string, a lone surrogate, or a NUL */
};

/*
 * Unescape a scanned string (value includes the quotes) to UTF-8, with a NUL
 * after it; size counts the NUL.
 */
enum json_string_result json_scan_string_copy(const char *value, size_t len,
	    char *to, size_t size, size_t *len_r)
	    __attribute__((warn_unused_result));

/*
 * A scanned number as an integer.  False when negative, beyond 2^63-1, or not
 * integral; 5.0 and 1e3 are integral, for upstreams take them.
 */
bool	json_scan_u64(const char *value, size_t len, uint64_t *number_r)
	    __attribute__((warn_unused_result));

/*
 * Write len bytes as the inside of a JSON string (no quotes): quotes,
 * backslashes and controls escaped, invalid UTF-8 replaced.  Returns the bytes
 * that this takes; nothing is written past size, and no NUL.
 */
size_t	json_escape(const char *from, size_t len, char *to, size_t size);

#endif

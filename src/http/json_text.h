/*
 * json_text.h: the text in JSON's strings, as it passes.
 * Layer: http.  No I/O, no allocation, no globals; constant memory.
 * Written by: the screening that owns the struct.
 *
 * Strings that are values are reported unescaped, bit by bit; names of members
 * are not, nor the values of members that the caller names, nor runs of
 * JSON_TEXT_RUN_BYTES and more that can be base64.  Nothing is
 * checked: what isn't JSON is reported as far as it looks like strings, for
 * whoever receives it may see strings there too.
 */
#ifndef HTTP_JSON_TEXT_H
#define HTTP_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_TEXT_NAME_BYTES 24		/* of names that can be left out */
#define JSON_TEXT_DEPTH 256
#define JSON_TEXT_RUN_BYTES 128		/* at most UINT8_MAX */

struct json_text_handlers {
	/* Some of a string's text, UTF-8; borrowed for the call. */
	void (*on_text)(void *context, const char *text, size_t len);
	/* The string ended. */
	void (*on_end)(void *context);
};

struct json_text {
	const struct json_text_handlers *handlers;
	void *context;
	const char *const *skipped;
	bool events;

	/* Private. */
	uint8_t state;
	bool is_name, name_next, skips, name_long;
	uint8_t name_len;
	bool opaque;			/* what comes is encoded */
	uint8_t held;			/* bytes of hold */
	uint8_t digits;			/* of \uXXXX, to come */
	uint16_t unit, high;		/* a surrogate that waits */
	uint16_t depth;
	uint64_t objects[JSON_TEXT_DEPTH / 64];
	char name[JSON_TEXT_NAME_BYTES];
	char hold[JSON_TEXT_RUN_BYTES];
};

/*
 * skipped: names of members whose own strings are left out, sorted by
 * strcmp(), at most JSON_TEXT_NAME_BYTES long, ended by NULL; borrowed, like
 * handlers.  events: lines of an event stream, in which every line begins
 * anew.
 */
void	json_text_init(struct json_text *j, const char *const *skipped,
	    bool events, const struct json_text_handlers *handlers,
	    void *context);
void	json_text_feed(struct json_text *j, const char *in, size_t len);

#endif

/*
 * text.h: a bounded writer of JSON text.
 * Layer: wire, private to it.  No allocation.
 * Written by: whoever renders into a caller's buffer.
 */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Names from outside are cut to this many bytes before they are escaped. */
#define WIRE_TEXT_NAME_BYTES 128

struct wire_text {
	char *buf;
	size_t size;
	size_t len;
};

/* The buffer is sized for the longest rendering: too little room is our own
 * error (assert). */
void	wire_text_raw(struct wire_text *text, const char *raw);
void	wire_text_number(struct wire_text *text, uint64_t number);

/* The inside of a JSON string: escaped, cut to WIRE_TEXT_NAME_BYTES. */
void	wire_text_name(struct wire_text *text, const char *name);

/* The same with quotes; null for NULL. */
void	wire_text_string(struct wire_text *text, const char *name);

#endif

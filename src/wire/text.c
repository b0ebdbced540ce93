/*
 * text.c: see text.h.
 */
#include "wire/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/json_scan.h"

void
wire_text_raw(struct wire_text *text, const char *raw)
{
	size_t len = strlen(raw);

	assert(len <= text->size - text->len);
	memcpy(text->buf + text->len, raw, len);
	text->len += len;
}

void
wire_text_number(struct wire_text *text, uint64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	wire_text_raw(text, digits);
}

void
wire_text_name(struct wire_text *text, const char *name)
{
	size_t len = strnlen(name, WIRE_TEXT_NAME_BYTES + 1);
	size_t room = text->size - text->len;

	/* Not in the middle of a character. */
	if (len > WIRE_TEXT_NAME_BYTES) {
		len = WIRE_TEXT_NAME_BYTES;
		while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80)
			len--;
	}
	len = json_escape(name, len, text->buf + text->len, room);
	assert(len <= room);
	text->len += len;
}

void
wire_text_string(struct wire_text *text, const char *name)
{
	if (name == NULL) {
		wire_text_raw(text, "null");
		return;
	}
	wire_text_raw(text, "\"");
	wire_text_name(text, name);
	wire_text_raw(text, "\"");
}

#include "mailer/message.h"

#include <assert.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/mail_address.h"

/* An encoded word is at most 75 characters, 12 of which are its frame. */
#define WORD_BYTES 45
/* 76 characters a line. */
#define LINE_BYTES 57

/* A word never ends inside of a character. */
static size_t
word_len(const char *p, size_t left)
{
	size_t len = left < WORD_BYTES ? left : WORD_BYTES;

	while (len < left && len > 1 && ((unsigned char)p[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static bool
write_subject(struct buf *m, const struct buf *subject)
{
	char word[BASE64_TEXT_BYTES(WORD_BYTES)];
	const char *p = subject->len > 0 ? buf_head(subject) : "";
	size_t left = subject->len, len;

	if (!buf_printf(m, "Subject:"))
		return false;
	while (left > 0) {
		len = word_len(p, left);
		base64_encode(p, len, word);
		p += len;
		left -= len;
		if (!buf_printf(m, " =?UTF-8?B?%s?=\n", word))
			return false;
	}
	return subject->len > 0 || buf_append(m, "\n", 1);
}

static bool
write_body(struct buf *m, const struct buf *text)
{
	char line[BASE64_TEXT_BYTES(LINE_BYTES)];
	const char *p = text->len > 0 ? buf_head(text) : "";
	size_t left = text->len, len;

	while (left > 0) {
		len = left < LINE_BYTES ? left : LINE_BYTES;
		base64_encode(p, len, line);
		p += len;
		left -= len;
		if (!buf_printf(m, "%s\n", line))
			return false;
	}
	return true;
}

bool
message_write(struct buf *m, const char *from, const char *to,
    const struct buf *subject, const struct buf *text)
{
	assert(mail_address_ok(from) && mail_address_ok(to));
	return buf_printf(m, "From: %s\nTo: %s\n", from, to) &&
	    write_subject(m, subject) &&
	    buf_printf(m, "Auto-Submitted: auto-generated\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: base64\n\n") && write_body(m, text);
}

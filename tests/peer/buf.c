#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/peer/buf.h"

static void
buf_reserve(struct peer_buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : 256;

	while (cap - buf->len < more + 1)
		cap *= 2;
	if (cap == buf->cap)
		return;
	buf->data = realloc(buf->data, cap);
	if (buf->data == NULL)
		abort();
	buf->cap = cap;
}

void
peer_buf_add(struct peer_buf *buf, const void *data, size_t len)
{
	buf_reserve(buf, len);
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
peer_buf_text(struct peer_buf *buf, const char *text)
{
	peer_buf_add(buf, text, strlen(text));
}

void
peer_buf_printf(struct peer_buf *buf, const char *format, ...)
{
	va_list args;
	int need;

	va_start(args, format);
	need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need < 0)
		abort();
	buf_reserve(buf, (size_t)need);
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)need + 1, format, args);
	va_end(args);
	buf->len += (size_t)need;
}

void
peer_buf_json(struct peer_buf *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			peer_buf_printf(buf, "\\%c", c);
		else if (c < 0x20)
			peer_buf_printf(buf, "\\u%04x", c);
		else
			peer_buf_add(buf, &text[i], 1);
	}
}

void
peer_buf_reset(struct peer_buf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

/*
 * A byte buffer that grows, and the JSON text escape.
 * Layer: tests/peer, a program of its own that shares no code with youyun.
 * Written by: the connection's own thread only.
 */
#ifndef PEER_BUF_H
#define PEER_BUF_H

#include <stddef.h>

/* Zero-initialise before use.  data is NUL-terminated once something is in. */
struct peer_buf {
	char *data;
	size_t len;
	size_t cap;
};

/* Memory that runs out ends the process: a test peer has nothing to save. */
void peer_buf_add(struct peer_buf *buf, const void *data, size_t len);
void peer_buf_text(struct peer_buf *buf, const char *text);
void peer_buf_printf(struct peer_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends text as the inside of a JSON string, without the quotes. */
void peer_buf_json(struct peer_buf *buf, const char *text, size_t len);

/* Frees the memory and leaves an empty buffer that may be used again. */
void peer_buf_reset(struct peer_buf *buf);

#endif

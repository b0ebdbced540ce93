/*
 * sse.h: incremental splitter of server-sent events.
 * Layer: http.  No I/O, no allocation, no globals; constant memory.
 * Written by: the meter or filter that owns the struct.
 *
 * WHATWG HTML, 9.2.6: lines end with LF, CRLF or CR, a blank line ends an
 * event, a leading byte order mark is skipped.  Data passes as spans, the
 * moment it arrives; no line or event is ever collected.
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define SSE_NAME_BYTES 64

enum sse_item {
	SSE_MORE,	/* nothing to report in the bytes taken */
	SSE_DATA,	/* *data_r: a piece of the event's data */
	SSE_END		/* a blank line; sse->name and has_data are valid */
};

struct sse {
	/* Valid from the event's field on, until the call after SSE_END. */
	char name[SSE_NAME_BYTES]; /* NUL-terminated; "" when absent or long */
	bool has_data;		/* the event had a data line */
	bool open;		/* a non-blank line began since SSE_END */

	/* Private. */
	bool after_cr;
	bool event_over;
	bool name_long;
	uint8_t state;
	uint8_t field_len;
	uint8_t name_len;
	uint8_t bom_at;
	char field[8];
};

void	sse_init(struct sse *sse);

/*
 * Take some of len bytes (*used_r, at least one when len > 0) and report at
 * most one item; call again while bytes are left.  Spans are borrowed from in,
 * but for the line feed that joins two data lines, which is static.  After a
 * CR the event ends at once; a LF that follows belongs to no event.
 */
enum sse_item sse_next(struct sse *sse, const char *in, size_t len,
	    size_t *used_r, struct span *data_r)
	    __attribute__((warn_unused_result));

#endif

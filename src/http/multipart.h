/*
 * multipart.h: incremental splitter of multipart/form-data.
 * Layer: http.  No I/O, no allocation, no globals; constant memory.
 * Written by: the form reader that owns the struct.
 *
 * RFC 7578 and RFC 2046, 5.1, strictly, for two readers of one body must see
 * the same parts: lines end with CRLF; nothing stands before the first
 * boundary, after the last one, or between a boundary and its line's end;
 * every part has one Content-Disposition with one plain name; encodings of a
 * part's content are refused.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define MULTIPART_BOUNDARY_BYTES	70	/* longest (RFC 2046) */
#define MULTIPART_NAME_BYTES		64	/* longest name kept, + 1 */
#define MULTIPART_LINE_BYTES		1024	/* longest line of a head */
#define MULTIPART_HEAD_BYTES		4096	/* a part's lines together */

enum multipart_item {
	MULTIPART_MORE,		/* nothing to report in the bytes taken */
	MULTIPART_PART,		/* a part begins: name, is_file */
	MULTIPART_DATA,		/* *data_r: a piece of its content */
	MULTIPART_END,		/* the part is over */
	MULTIPART_DONE,		/* the last boundary: all is over */
	MULTIPART_BAD
};

struct multipart {
	/* Of the present part. */
	char name[MULTIPART_NAME_BYTES]; /* "" when too long to be kept */
	bool is_file;

	/* Private. */
	uint8_t state;
	bool any_name;
	uint8_t tail_at;
	size_t delimiter_len;
	size_t matched;			/* of the delimiter */
	size_t line_len;
	size_t head_bytes;
	char delimiter[4 + MULTIPART_BOUNDARY_BYTES];	/* CRLF "--" … */
	char line[MULTIPART_LINE_BYTES];
};

/* content_type is the header's value.  False: it names no fit boundary. */
bool	multipart_init(struct multipart *multipart, struct span content_type)
	    __attribute__((warn_unused_result));

/* What the delimiter before a boundary adds to it. */
size_t	multipart_delimiter_bytes(const struct multipart *multipart);

/*
 * Take some of len bytes (*used_r, at least one when len > 0, unless something
 * is reported) and report at most one item; call again while bytes are left.
 * Spans are borrowed from in, or static.  After MULTIPART_DONE and
 * MULTIPART_BAD feed nothing more; a CRLF may follow the former.
 */
enum multipart_item multipart_next(struct multipart *multipart,
	    const char *in, size_t len, size_t *used_r, struct span *data_r)
	    __attribute__((warn_unused_result));

#endif

/*
 * json_pull.h: incremental JSON reader that reports a few paths only.
 * Layer: http.  No I/O, no allocation, no globals; constant memory.
 * Written by: the meter or filter that owns the struct.
 *
 * For answers of any size in pieces of any size.  What nobody asked for is
 * skipped at the speed of the string search.  Structure is checked; what is in
 * strings (raw controls) and numbers is not, for it is read, never passed on.
 */
#ifndef HTTP_JSON_PULL_H
#define HTTP_JSON_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/json_scan.h"

#define JSON_PULL_DEPTH_MAX	512
#define JSON_PULL_TRACKED	12	/* levels in which paths are followed */
#define JSON_PULL_TEXT_BYTES	128	/* longest string reported whole */

/*
 * The paths form a tree in a static table.  Entry 0 is the root value; the
 * children of an entry stand next to each other.  The child named "[]" stands
 * for every element of an array, never for a member of that name.  Several
 * entries may share children.
 */
struct json_node {
	const char *name;
	uint8_t name_len;
	uint8_t children;		/* how many */
	uint8_t first_child;		/* index of the first */
	uint8_t flags;
};

#define JSON_NODE(literal, first, n, node_flags) \
	{ (literal), sizeof(literal) - 1, (n), (first), (node_flags) }

/* Bytes of string values are added to text_bytes, as they pass: of this value
 * and of all below it, down to what has an entry of its own without it. */
#define JSON_NODE_COUNT_TEXT	0x01
/* Also report scalar members of this object that have no entry of their own
 * (unlisted = true, node = the object's, name given). */
#define JSON_NODE_REPORT_REST	0x02
/* A container whose beginning and end are reported too. */
#define JSON_NODE_EDGES		0x04

enum json_pull_edge {
	JSON_PULL_SCALAR,
	JSON_PULL_BEGIN,
	JSON_PULL_END
};

struct json_pull_value {
	uint8_t node;
	bool unlisted;
	enum json_pull_edge edge;
	enum json_kind type;
	/* JSON_NUMBER: the magnitude's integer part, saturated. */
	uint64_t number;
	bool negative;
	bool fraction;		/* a non-zero part behind the point was cut */
	bool absurd;		/* beyond 2^63-1, or unreadably long */
	/* JSON_STRING: unescaped; JSON_NUMBER: as it stands; borrowed for the
	 * call. */
	const char *text;
	size_t text_len;
	bool text_cut;		/* longer than JSON_PULL_TEXT_BYTES */
	/* unlisted: the member's name, cut to JSON_PULL_TEXT_BYTES. */
	const char *name;
	size_t name_len;
};

typedef void json_pull_fn(void *context, const struct json_pull_value *value);

enum json_pull_result {
	JSON_PULL_MORE,
	JSON_PULL_DONE,		/* the root value is complete */
	JSON_PULL_BAD		/* not JSON, or nested too deep */
};

struct json_pull {
	const struct json_node *nodes;
	json_pull_fn *report;
	void *context;
	uint64_t text_bytes;	/* counted by JSON_NODE_COUNT_TEXT, ever */

	/* Private. */
	uint16_t depth;
	uint8_t state;
	uint8_t literal;	/* index into "null", "false", "true" */
	uint8_t at;		/* bytes of the literal, or hex digits */
	uint8_t node;		/* of the value that is being read */
	bool stopped;
	bool is_key;
	bool keep;		/* the string or number is being collected */
	bool count;		/* the string's bytes count */
	bool unlisted;
	bool text_cut;
	bool name_cut;
	uint8_t text_len;
	uint8_t name_len;
	uint16_t code_unit;
	uint16_t high_surrogate;
	uint8_t level_node[JSON_PULL_TRACKED];
	uint64_t is_object[JSON_PULL_DEPTH_MAX / 64];
	uint64_t counted[JSON_PULL_DEPTH_MAX / 64];
	char text[JSON_PULL_TEXT_BYTES];
	char name[JSON_PULL_TEXT_BYTES];
};

/* nodes is borrowed for the reader's life.  At most 250 entries. */
void	json_pull_init(struct json_pull *pull, const struct json_node *nodes,
	    json_pull_fn *report, void *context);

/* Begin another text with the same table; text_bytes goes on. */
void	json_pull_reset(struct json_pull *pull);

/* From within report: nothing more of this text is wanted.  It is skipped and
 * the result is JSON_PULL_BAD, until json_pull_reset(). */
void	json_pull_stop(struct json_pull *pull);

/*
 * Take all len bytes.  JSON_PULL_DONE is given from the root value's last
 * byte on; anything but white space after it is JSON_PULL_BAD.  Both stay
 * until json_pull_reset().  A number at the root needs white space after it.
 */
enum json_pull_result json_pull_feed(struct json_pull *pull, const char *in,
	    size_t len);

#endif

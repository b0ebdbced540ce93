/*
 * text_match_internal.h: what building and searching share.
 * Layer: base (private to text_match*.c).
 * Written by: text_match_build.c.
 */
#ifndef BASE_TEXT_MATCH_INTERNAL_H
#define BASE_TEXT_MATCH_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text_match.h"

#define TEXT_MAGIC UINT32_C(0x31787479)	/* "ytx1" */
#define TEXT_STATES (UINT32_C(1) << 25)
#define TEXT_PATTERN_STATES 16384
/* Where a word begins or ends; no text has it, for it would be a blank. */
#define TEXT_EDGE 0x01
#define TEXT_FORM_BYTES 5		/* of a code point, at most */

enum text_class {
	TEXT_START,	/* nothing came yet */
	TEXT_SPACE,
	TEXT_WORD,
	TEXT_OTHER
};

/*
 * The block: this head, then by places.  State 0 is where nothing was found
 * yet; states stand in the order of a breadth-first walk, so that the children
 * of state s are first[s] to first[s + 1] and every state's own number says
 * which byte leads to it.
 */
struct text_match_head {
	uint32_t magic;
	uint32_t states;
	uint32_t sets;			/* sets[0] is empty */
	uint32_t pattern_states;	/* 0: there is no pattern */
	uint32_t pattern_classes;
	uint32_t reserved;
};

struct text_places {
	uint64_t sets, first, fail, out, next, pattern_out, classes, byte, end;
};

/* False: no block is as large. */
bool	text_places(const struct text_match_head *head,
	    struct text_places *places_r) __attribute__((warn_unused_result));

/* The common form of a code point, after what came before. */
size_t	text_form(uint32_t c, uint8_t *was, uint8_t out[TEXT_FORM_BYTES]);

/* UTF-8, byte by byte.  True: *c_r is the next code point, or *bad_r: what
 * came is none (*c_r below 0x80 is then good, and ended it). */
bool	text_decode(uint32_t *point, uint8_t *missing, uint8_t b,
	    uint32_t *c_r, bool *bad_r);

/* text_skip.c: at the end of text_match_open(). */
void	text_skip_prepare(struct text_match *match);
/* If match->skips and the search is in state 0, behind a whole code point:
 * from where in p it has to go on, which is len, a byte that isn't ASCII or a
 * word that may be one. */
size_t	text_skip(const struct text_match *match, struct text_search *search,
	    const uint8_t *p, size_t from, size_t len);

/* 0: none. */
uint32_t text_child(const struct text_match *match, uint32_t state, uint8_t b);

#endif

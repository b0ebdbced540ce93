/*
 * text_pattern.h: patterns into a deterministic automaton; sets of lists.
 * Layer: base (private to text_match*.c).
 * Written by: text_match_build.c.
 */
#ifndef BASE_TEXT_PATTERN_H
#define BASE_TEXT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text_match.h"

/* Elements besides bytes. */
#define TEXT_DIGIT 256		/* one of 0 to 9 */
#define TEXT_STAR 257		/* any letters and digits, or none */
#define TEXT_ACCEPT 258

/* Of an entry: each code point may have an edge before it, and one follows. */
#define TEXT_ELEMENTS (2 * TEXT_MATCH_ENTRY_BYTES + 3)

/* Sets of lists, numbered as they come. */
struct text_sets {
	uint64_t *set;
	uint32_t n;
	uint32_t *slot;		/* number + 1; 0: free */
};

bool	text_sets_begin(struct text_sets *sets);
void	text_sets_end(struct text_sets *sets);
/* False: there are too many. */
bool	text_set_number(struct text_sets *sets, uint64_t set,
	    uint16_t *number_r) __attribute__((warn_unused_result));

struct text_patterns {
	uint16_t *element;	/* of all, each ended by TEXT_ACCEPT */
	uint8_t *list;		/* of a TEXT_ACCEPT */
	uint32_t elements, room;

	/* The automaton. */
	uint32_t states;	/* 0: there is no pattern */
	uint32_t class_count;
	uint8_t classes[256];
	uint16_t *next;		/* [state][class] */
	uint64_t *out;		/* lists of a state */
};

/* False: there are too many, or memory is short. */
bool	text_patterns_add(struct text_patterns *patterns,
	    const uint16_t *element, size_t n, uint8_t list)
	    __attribute__((warn_unused_result));
/* False: it would take more than TEXT_PATTERN_STATES, or memory is short. */
bool	text_patterns_build(struct text_patterns *patterns)
	    __attribute__((warn_unused_result));
void	text_patterns_end(struct text_patterns *patterns);

#endif

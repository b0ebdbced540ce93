/*
 * text_match.h: many words and patterns searched for in one pass.
 * Layer: base.  A search allocates nothing and never goes back.
 * Written by: text_match_build(); afterwards read only.
 *
 * Words and texts are found by an Aho-Corasick automaton (A. Aho, M. Corasick,
 * Efficient String Matching, CACM 18 (1975) 333), patterns by a deterministic
 * automaton made by subset construction: either takes time in proportion to
 * the text, whatever is in it.
 *
 * Text and entries are compared in a common form: letters in lower case
 * (Latin, Greek, Cyrillic), full-width forms as their usual ones, white space
 * of any length as one blank, soft hyphens and marks of no width left out.  A
 * sign that can't be in text stands where a word begins or ends, so that whole
 * words are found by the same means.
 *
 * The built form is one block without pointers, fit to be copied into shared
 * memory; whoever reads it from there opens it with text_match_open(), which
 * checks every index that a search follows.
 */
#ifndef BASE_TEXT_MATCH_H
#define BASE_TEXT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MATCH_LISTS 64
#define TEXT_MATCH_ENTRY_BYTES 256	/* of an entry, as it is written */
#define TEXT_MATCH_ENTRIES 200000

enum text_match_kind {
	TEXT_MATCH_WORD,	/* begins and ends where a word does */
	TEXT_MATCH_TEXT,	/* anywhere, within words too */
	/* A word in which # is one digit, * any letters and digits or none,
	 * and \ takes the meaning from what follows. */
	TEXT_MATCH_PATTERN
};
#define TEXT_MATCH_KINDS 3
#define TEXT_BEGINNINGS 32768

struct text_match_entry {
	const char *text;	/* UTF-8, 0-terminated, borrowed */
	uint8_t kind;		/* enum text_match_kind */
	uint8_t list;		/* < TEXT_MATCH_LISTS */
};

enum text_match_result {
	TEXT_MATCH_OK,
	TEXT_MATCH_EMPTY,	/* nothing is left in the common form */
	TEXT_MATCH_LONG,	/* above TEXT_MATCH_ENTRY_BYTES */
	TEXT_MATCH_UTF8,	/* not UTF-8 */
	TEXT_MATCH_BARE,	/* a pattern of nothing but * */
	TEXT_MATCH_MANY,	/* above TEXT_MATCH_ENTRIES, or lists in too
				 * many combinations */
	TEXT_MATCH_COMPLEX,	/* the patterns together need too many states */
	TEXT_MATCH_MEMORY
};

/* Of one entry, by itself. */
enum text_match_result text_match_check(const struct text_match_entry *entry)
	    __attribute__((warn_unused_result));
/* "is longer than 256 bytes", for operators. */
const char *text_match_explain(enum text_match_result result);

/* *block_r, of *bytes_r, is the caller's to free().  On failure *bad_r is the
 * entry that it is about, or n. */
enum text_match_result text_match_build(const struct text_match_entry *entry,
	    size_t n, void **block_r, size_t *bytes_r, size_t *bad_r)
	    __attribute__((warn_unused_result));

struct text_match_head;

/* A block that was checked: borrowed, and not to change. */
struct text_match {
	const struct text_match_head *head;
	const uint32_t *first;		/* of a state's children */
	const uint32_t *fail;
	const uint16_t *out;
	const uint8_t *byte;		/* that leads into a state */
	const uint64_t *sets;		/* of lists */
	const uint16_t *next;		/* patterns: [state][class] */
	const uint16_t *pattern_out;
	const uint8_t *classes;		/* of bytes */
	uint32_t root[256];		/* where bytes lead from there, and */
	uint32_t edge_state;		/* from where a word begins */
	uint32_t edge[256];
	struct text_form_row {		/* ASCII, in the common form */
		uint8_t byte, class;
		bool idle;		/* begins nothing within a word */
	} ascii[128];
	bool skips;			/* there are but words, and these */
	uint64_t begins[TEXT_BEGINNINGS / 64];	/* say how they begin */
};

/* False: it is no such block, and must not be searched with. */
bool	text_match_open(const void *block, size_t bytes,
	    struct text_match *match_r) __attribute__((warn_unused_result));

/* Where in a text a search stands. */
struct text_search {
	uint32_t state;
	uint16_t pattern;
	uint8_t was;			/* enum of the .c: what came before */
	uint8_t missing;		/* bytes of a UTF-8 sequence */
	uint32_t point;			/* what came of it */
	uint64_t found;			/* lists, bit by bit */
};

void	text_search_begin(struct text_search *search);
/* UTF-8 in pieces of any size; what isn't valid separates words. */
void	text_search_feed(const struct text_match *match,
	    struct text_search *search, const char *text, size_t len);
/* The text ends here; another may begin, and nothing spans the two. */
void	text_search_break(const struct text_match *match,
	    struct text_search *search);

#endif

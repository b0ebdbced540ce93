/*
 * attest_search.h: all canaries in all forms, searched for in one pass.
 * Layer: admin.
 * Written by: its opener; a stream by who feeds it.
 *
 * Wu and Manber's algorithm (A Fast Algorithm for Multi-Pattern Searching,
 * 1994): the last bytes of a window tell how far it can move on, so that most
 * of the memory is never looked at.  Each form is searched for in two halves:
 * what was overwritten in part is found by the other one.
 */
#ifndef ADMIN_ATTEST_SEARCH_H
#define ADMIN_ATTEST_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/attest_canary.h"

struct search;

/* Half of a canary in one of its forms, ending just before `end`, counted in
 * bytes fed since search_begin(). */
struct search_hit {
	int canary;
	enum canary_form form;
	int half;		/* 0 or 1 */
	uint64_t end;
};
typedef void search_found(const struct search_hit *hit, void *arg);

/* NULL: no memory.  The canaries are copied. */
struct search *search_open(const struct canaries *canaries);
void	search_close(struct search **search);

/* What is fed belongs together, in pieces of any size. */
struct search_stream {
	const struct search *search;
	search_found *found;
	void *arg;
	uint64_t fed;
	size_t kept;		/* of what was fed last, in: */
	uint8_t keep[2 * CANARY_FORM_BYTES];
};

void	search_begin(struct search_stream *stream,
	    const struct search *search, search_found *found, void *arg);
void	search_feed(struct search_stream *stream, const void *bytes,
	    size_t len);

/* One half as it is searched for, to be searched for elsewhere; borrowed. */
struct span;
struct span search_piece(const struct search *search, int canary,
	    enum canary_form form, int half);

#endif

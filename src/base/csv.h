/*
 * csv.h: cells of comma-separated values (RFC 4180).
 * Layer: base.
 * Written by: pure functions.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdbool.h>

struct buf;

/* Appends one, in quotes where it needs them; what a spreadsheet would take for
 * a formula gets an apostrophe in front.  False: no room. */
bool	csv_cell(struct buf *out, const char *text)
	    __attribute__((warn_unused_result));

#endif

/*
 * export.h: the copy of one customer's data, as a zip, in constant memory.
 * Layer: export; the portal's and youyunctl's.
 * Written by: one thread.
 *
 * Each step reads on from where the last one ended, by the index, so that it
 * can be in one transaction or each in its own.  The transaction's setting
 * youyun.customer says whose data these are.
 */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include <stdbool.h>

struct buf;
struct db;
struct export;

enum export_result {
	EXPORT_MORE,		/* out has some of it, or nothing yet */
	EXPORT_DONE,		/* out has its end */
	EXPORT_DATABASE,	/* db_message() says why */
	EXPORT_MEMORY
};

/* NULL: no memory. */
struct export *export_open(void);
void	export_close(struct export **export);
enum export_result export_step(struct export *export, struct db *db,
	    struct buf *out) __attribute__((warn_unused_result));

#endif

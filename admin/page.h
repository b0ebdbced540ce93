/*
 * page.h: lists by page.
 * Layer: admin.
 * Written by: one command.
 *
 * A page is asked for with a row more than it shows, which tells whether there
 * is another.  Where one ends is its cursor: "next" in JSON, and a hint to
 * people.  With --all the pages follow each other, and only one is in memory
 * at a time.
 */
#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/args.h"
#include "admin/report.h"

/* Of a list's options; the hint speaks of these. */
#define PAGE_OPTIONS \
	{ "limit", "COUNT", "so many a page; default 50", false }, \
	{ "after", "CURSOR", "the next page, by what the last one ended with", \
	  false }, \
	{ "all", NULL, "all pages", false }
#define PAGE_MOST 1000000
/* A row more tells whether there is another page. */
#define PAGE_ASKED(page) ((page)->limit + 1)
#define PAGE_CURSOR_BYTES 640

struct page {
	int64_t limit;		/* rows of a page */
	bool all;
	const char *after;	/* where it begins; NULL: at the first row */
	/* The page that is being read: */
	struct report *report;
	int64_t rows;
	bool more;
	char next[PAGE_CURSOR_BYTES];
	char before[PAGE_CURSOR_BYTES];	/* what `after` is from page two on */
};

/* What a list is called, and what people read when it is empty. */
struct page_list {
	const char *name;
	const struct report_column *columns;
	const char *doing;	/* "list the keys" */
	const char *empty;
	bool newest_last;	/* and comes newest first, but with --all */
};

enum admin_exit	page_take(const struct args *args, struct page *page_r)
	    __attribute__((warn_unused_result));
/* --after as a number; 0: it wasn't given.  For each page anew. */
enum admin_exit	page_number(const struct page *page, int64_t *number_r)
	    __attribute__((warn_unused_result));
/* Customers by --after, as a page of them ends; its limit. */
struct customer_filter;
enum admin_exit	customer_page(const struct page *page,
	    struct customer_filter *filter) __attribute__((warn_unused_result));
/* Says that --after isn't one of the list's cursors. */
enum admin_exit	page_not_a_cursor(const struct page *page);

/*
 * A row has come, and the next page would begin behind this cursor.  NULL:
 * the page is full, there is more; don't go on.
 */
struct report *page_row(struct page *page, const char *cursor, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * Prints the page, or with --all all of them.  read() reads one, from
 * page->after on, by page_row(), and says itself what is wrong with a cursor;
 * a database result is for admin_database_failed().
 */
enum admin_exit	page_print(struct admin *admin, struct page *page,
	    const struct page_list *list,
	    enum admin_exit (*read)(struct admin *admin, struct page *page,
	    void *arg), void *arg) __attribute__((warn_unused_result));

#endif

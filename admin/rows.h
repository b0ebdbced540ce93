/*
 * rows.h: rows of a query as a report or a record, a column of the one a
 * column of the other.
 * Layer: admin.
 * Written by: nobody.
 *
 * The columns' kinds say the types: text, number, money (nano-units), time,
 * flag.  NULL has no value in JSON.
 */
#ifndef ADMIN_ROWS_H
#define ADMIN_ROWS_H

#include "admin/admin.h"
#include "admin/report.h"

struct db_rows;

void	report_add_rows(struct report *report,
	    const struct report_column *columns, const struct db_rows *rows);
/* The first row, titles as labels. */
void	record_add_row(struct record *record,
	    const struct report_column *columns, const struct db_rows *rows);

/*
 * What a query came to: on DB_OK *rows as a list, and they are freed;
 * else admin_database_failed().  empty: as for report_print().
 */
enum admin_exit	rows_print(struct admin *admin, enum db_result result,
	    struct db_rows **rows, const char *name,
	    const struct report_column *columns, const char *doing,
	    const char *empty) __attribute__((warn_unused_result));

/* The same as the rows of a page; the first column is the cursor. */
struct page;
enum admin_exit	rows_page(struct admin *admin, struct page *page,
	    enum db_result result, struct db_rows **rows,
	    const struct report_column *columns, const char *doing)
	    __attribute__((warn_unused_result));

/* With --json {key: value}, and what was done as a sentence without. */
void	done_print(struct admin *admin, const char *key, int64_t value,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif

/*
 * tables.h: which files a customer's export has, and what is in them.
 * Layer: export.
 * Written by: nobody; constant tables.
 */
#ifndef EXPORT_TABLES_H
#define EXPORT_TABLES_H

#include <stdbool.h>
#include <stddef.h>

struct export_table {
	const char *name;	/* NAME.json and NAME.csv */
	const char *view;	/* in schema youyun; k is what it is read by */
	bool by_time;		/* k is a time, and k2 a uuid within it */
	const char *about;
	const char *const *columns;	/* ends with NULL */
};

extern const struct export_table export_tables[];
extern const size_t export_tables_count;
/* Of the file README.txt; lines on each table are between them. */
extern const char export_readme_head[], export_readme_tail[];

#endif

/*
 * price_file.h: prices or costs as a file, CSV or JSON, there and back.
 * Layer: admin.
 * Written by: one command.
 *
 * CSV (RFC 4180): a line of names, then a row a line; an empty cell is not
 * set.  JSON: {"prices":[{…},…]} or {"costs":[…]}, or the array alone; what
 * is absent or null is not set.  The names are those of struct price's fields
 * and model, channel (costs), from, max_output_tokens (prices), free, images.
 * Amounts, multipliers and counts are decimal text; JSON takes numbers of
 * counts, but no amount that went through floating point.
 */
#ifndef ADMIN_PRICE_FILE_H
#define ADMIN_PRICE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "admin/admin.h"
#include "admin/args.h"
#include "base/price.h"
#include "shm/catalogue.h"

extern const struct opt price_import_options[];
extern const struct opt price_export_options[];
enum admin_exit	price_import_run(struct admin *admin,
	    const struct args *args);
enum admin_exit	cost_import_run(struct admin *admin, const struct args *args);
enum admin_exit	price_export_run(struct admin *admin,
	    const struct args *args);
enum admin_exit	cost_export_run(struct admin *admin, const struct args *args);

enum price_format { PRICE_FORMAT_CSV, PRICE_FORMAT_JSON };

/* By --format, else by the file's name; false: unknown, and said so. */
bool	price_format_of(const struct args *args, const char *path,
	    enum price_format *format_r) __attribute__((warn_unused_result));

/* One row of a file. */
struct price_entry {
	char model[MODEL_NAME_BYTES];
	char channel[CHANNEL_NAME_BYTES];	/* costs */
	int64_t channel_id;
	int64_t from_us;		/* 0: now */
	int64_t max_output_tokens;	/* -1: as it is */
	struct price price;
	unsigned int line;
	bool unchanged;			/* holds already */
};

/* A file being read: its rows, and its mistakes, said as they are found. */
struct price_file {
	const char *name;
	bool costs;
	struct price_entry *entry;
	size_t entries;
	size_t room;
	unsigned int mistakes;
};

void	price_mistake(struct price_file *file, unsigned int line,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A row begins; borrowed until the next.  NULL: no memory. */
struct price_entry *price_entry_add(struct price_file *file,
	    unsigned int line) __attribute__((warn_unused_result));
/* Is there a member of that name? */
bool	price_name_known(const struct price_file *file, const char *name);
/* One member of a row; "" is not set.  What is wrong is said. */
void	price_entry_read(struct price_file *file, struct price_entry *entry,
	    const char *name, const char *text);
/* Its last member has been read. */
void	price_entry_end(struct price_file *file, struct price_entry *entry);

/* text is 0-terminated and is taken apart.  False: no memory. */
bool	price_csv_read(struct price_file *file, char *text)
	    __attribute__((warn_unused_result));
bool	price_json_read(struct price_file *file, const char *text)
	    __attribute__((warn_unused_result));

/* The member names in the order of a file; NULL after the last. */
const char *price_member_name(bool costs, size_t n);
/* The member's text; "" for what isn't set. */
#define PRICE_MEMBER_BYTES 1024
void	price_member_write(const struct price_entry *entry, const char *name,
	    char text_r[PRICE_MEMBER_BYTES]);

void	price_csv_begin(FILE *out, bool costs);
void	price_csv_write(FILE *out, bool costs,
	    const struct price_entry *entry);

#endif

/*
 * report.h: what a command found out, as a table for people or as JSON.
 * Layer: admin.
 * Written by: one command; everything given is copied.
 *
 * One description of the columns serves both.  With --json a list is
 * {"<name>":[{…},…]} and a record {…}; amounts are decimal strings, times
 * "2026-11-23T17:00:00.123456Z", ids and counts numbers, what has no value
 * null.
 */
#ifndef ADMIN_REPORT_H
#define ADMIN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct admin;
struct json_object;
struct report;

enum report_kind {
	REPORT_TEXT,		/* aligned left; gives way on narrow terminals */
	REPORT_ID,		/* the same, never cut */
	REPORT_NUMBER,		/* a JSON number, aligned right */
	REPORT_MONEY,		/* aligned by the point */
	REPORT_TIME,		/* JSON in full; people see seconds */
	REPORT_FLAG		/* true, false; people see yes, no */
};

struct report_column {
	const char *key;	/* JSON member; NULL ends the columns */
	const char *title;	/* NULL: only in JSON */
	enum report_kind kind;
	bool spare;		/* left out when the terminal is narrow */
};

/*
 * A list.  columns: borrowed, as long as the report lives.  Cells are given
 * from left to right; a row is complete with its last cell.  report_print()
 * prints and frees; `empty` is what people read when there is no row.
 */
struct report *report_list(const char *name,
	    const struct report_column *columns);
void	report_text(struct report *report, const char *text);
void	report_id(struct report *report, const char *text);
void	report_number(struct report *report, int64_t number);
void	report_money(struct report *report, int64_t nano);
void	report_time(struct report *report, int64_t us);	/* 0: none */
void	report_flag(struct report *report, bool flag);
void	report_none(struct report *report);
void	report_print(struct report **report, const struct admin *admin,
	    const char *empty);
/* A page of a list: where the next one begins, NULL: there is none, is the
 * member "next" in JSON. */
void	report_print_page(struct report **report, const struct admin *admin,
	    const char *next, const char *empty);
/* A list in parts, as long as it may be; flow begins with zeros. */
#define REPORT_COLUMNS_MAX 80
struct report_flow {
	int parts;
	int64_t rows;
	size_t width[REPORT_COLUMNS_MAX], tail[REPORT_COLUMNS_MAX];
	bool hidden[REPORT_COLUMNS_MAX];
};
void	report_print_part(struct report **report, const struct admin *admin,
	    struct report_flow *flow, bool last, const char *empty);
/* The last row first. */
void	report_reverse(struct report *report);
bool	report_empty(const struct report *report);
/* When it isn't wanted after all. */
void	report_discard(struct report **report);

/* The rows as a JSON array, returned (json_object_put() it); frees the
 * report. */
struct json_object *report_take_json(struct report **report);
const char *report_name(const struct report *report);
/* Prints and releases it. */
void	json_print(struct json_object *json);
/* Leaves it. */
void	json_write(struct json_object *json, FILE *out);

/* A record: one thing, a line a member. */
struct record;
struct record *record_open(void);
void	record_text(struct record *record, const char *key, const char *label,
	    const char *text);
void	record_number(struct record *record, const char *key,
	    const char *label, int64_t number);
void	record_money(struct record *record, const char *key,
	    const char *label, int64_t nano);
void	record_time(struct record *record, const char *key,
	    const char *label, int64_t us);
void	record_flag(struct record *record, const char *key,
	    const char *label, bool flag);
void	record_none(struct record *record, const char *key, const char *label);
/* For people only: a heading, or a free line. */
void	record_line(struct record *record, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* For JSON only: a list inside the record; the report is taken. */
void	record_list(struct record *record, struct report **list);
void	record_print(struct record **record, const struct admin *admin);
/* The same elsewhere; frees it, too. */
void	record_write(struct record **record, bool json, FILE *out);
void	record_discard(struct record **record);

/* For people: "2026-11-23 17:00:00"; buf takes WALL_TEXT_BYTES. */
void	time_format_short(int64_t us, char *buf);

#endif

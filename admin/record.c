/* One thing, a line a member; the other half of report.h. */
#include "admin/report.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/terminal.h"
#include "base/clock.h"
#include "base/money.h"

#define LABEL_LEAST 12
#define LINE_BYTES 512

struct line {
	char *label;		/* NULL: a free line */
	char *text;
};

struct record {
	struct json_object *json;
	size_t lines;
	size_t room;
	struct line *line;
};

static void *
or_die(void *p)
{
	if (p == NULL) {
		complain("out of memory");
		exit(ADMIN_FAILED);
	}
	return p;
}

struct record *
record_open(void)
{
	struct record *r;

	r = or_die(calloc(1, sizeof *r));
	r->json = or_die(json_object_new_object());
	return r;
}

static void
add_line(struct record *r, const char *label, const char *text)
{
	if (r->lines == r->room) {
		r->room = r->room == 0 ? 32 : r->room * 2;
		r->line = or_die(realloc(r->line, r->room * sizeof *r->line));
	}
	r->line[r->lines].label = label != NULL ? or_die(strdup(label)) : NULL;
	r->line[r->lines].text = or_die(strdup(text));
	r->lines++;
}

/* key NULL: for people only; label NULL: for JSON only. */
static void
add(struct record *r, const char *key, const char *label, const char *text,
    struct json_object *json)
{
	if (key != NULL)
		json_object_object_add(r->json, key, json);
	else
		json_object_put(json);
	if (label != NULL)
		add_line(r, label, text);
}

void
record_text(struct record *r, const char *key, const char *label,
    const char *text)
{
	add(r, key, label, text, json_object_new_string(text));
}

void
record_number(struct record *r, const char *key, const char *label,
    int64_t number)
{
	char text[32];

	snprintf(text, sizeof text, "%" PRId64, number);
	add(r, key, label, text, json_object_new_int64(number));
}

void
record_money(struct record *r, const char *key, const char *label,
    int64_t nano)
{
	char text[MONEY_TEXT_BYTES];

	money_format(nano, 2, text);
	add(r, key, label, text, json_object_new_string(text));
}

void
record_time(struct record *r, const char *key, const char *label, int64_t us)
{
	char text[WALL_TEXT_BYTES], full[WALL_TEXT_BYTES];
	struct wall_time t;

	if (us == 0) {
		record_none(r, key, label);
		return;
	}
	t.us = us;
	wall_format(t, full);
	time_format_short(us, text);
	add(r, key, label, text, json_object_new_string(full));
}

void
record_flag(struct record *r, const char *key, const char *label, bool flag)
{
	add(r, key, label, flag ? "yes" : "no", json_object_new_boolean(flag));
}

void
record_none(struct record *r, const char *key, const char *label)
{
	add(r, key, label, "-", NULL);
}

void
record_line(struct record *r, const char *fmt, ...)
{
	char text[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add_line(r, NULL, text);
}

void
record_list(struct record *r, struct report **list)
{
	const char *name;

	name = report_name(*list);
	json_object_object_add(r->json, name, report_take_json(list));
}

/* Control characters stay away from terminals; UTF-8 passes. */
static void
print_clean(const char *text, FILE *out)
{
	for (; *text != '\0'; text++)
		putc((unsigned char)*text < 0x20 || *text == 0x7f ?
		    '?' : *text, out);
}

void
record_discard(struct record **record)
{
	struct record *r;
	size_t i;

	r = *record;
	for (i = 0; i < r->lines; i++) {
		free(r->line[i].label);
		free(r->line[i].text);
	}
	json_object_put(r->json);
	free(r->line);
	free(r);
	*record = NULL;
}

/* What follows a label that speaks of how things are is marked. */
static void
print_line(const struct line *line, size_t width, FILE *out)
{
	enum mark mark = MARK_NONE;

	if (line->label != NULL) {
		fprintf(out, "%-*s  ", (int)width, line->label);
		if (out == stdout && (strcmp(line->label, "Status") == 0 ||
		    strcmp(line->label, "State") == 0))
			mark = mark_of(line->text);
	}
	mark_begin(mark);
	print_clean(line->text, out);
	mark_end(mark);
	putc('\n', out);
}

void
record_write(struct record **record, bool json, FILE *out)
{
	struct record *r;
	size_t i, width, w;

	r = *record;
	width = LABEL_LEAST;
	for (i = 0; i < r->lines; i++)
		if (r->line[i].label != NULL &&
		    (w = text_width(r->line[i].label)) > width)
			width = w;
	for (i = 0; !json && i < r->lines; i++) {
		print_line(&r->line[i], width, out);
	}
	if (json)
		json_write(r->json, out);
	record_discard(record);
}

void
record_print(struct record **record, const struct admin *admin)
{
	record_write(record, admin->json, stdout);
}

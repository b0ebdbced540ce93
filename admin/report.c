/*
 * Cells are kept as text.  Both forms are made from the same cells, so that
 * what a script reads is what a person sees.
 */
#include "admin/report.h"

#include <assert.h>
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

#define GAP 2
#define COLUMNS_MAX REPORT_COLUMNS_MAX
#define COLUMN_SOME 16		/* a text isn't cut shorter than this while */
				/* there are spare columns, and never */
#define COLUMN_LEAST 8		/* shorter than this */

struct cell {
	char *text;		/* NULL: no value */
	int64_t us;		/* REPORT_TIME, for the full form */
};

struct report {
	const char *name;
	const struct report_column *columns;
	int width;		/* how many columns */
	size_t cells;
	size_t room;
	struct cell *cell;
	bool hidden[COLUMNS_MAX];
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

void
time_format_short(int64_t us, char *buf)
{
	struct wall_time t;

	t.us = us;
	wall_format(t, buf);
	buf[10] = ' ';
	buf[19] = '\0';
}

struct report *
report_list(const char *name, const struct report_column *columns)
{
	struct report *r;

	r = or_die(calloc(1, sizeof *r));
	r->name = name;
	r->columns = columns;
	while (columns[r->width].key != NULL)
		r->width++;
	assert(r->width > 0 && r->width <= COLUMNS_MAX);
	return r;
}

void
report_discard(struct report **report)
{
	size_t i;

	for (i = 0; i < (*report)->cells; i++)
		free((*report)->cell[i].text);
	free((*report)->cell);
	free(*report);
	*report = NULL;
}

static void
add(struct report *r, enum report_kind kind, const char *text, int64_t us)
{
	if (r->cells == r->room) {
		r->room = r->room == 0 ? 64 : r->room * 2;
		r->cell = or_die(realloc(r->cell, r->room * sizeof *r->cell));
	}
	assert(text == NULL ||
	    r->columns[r->cells % (size_t)r->width].kind == kind);
	r->cell[r->cells].text = text != NULL ? or_die(strdup(text)) : NULL;
	r->cell[r->cells].us = us;
	r->cells++;
}

void
report_text(struct report *r, const char *text)
{
	add(r, REPORT_TEXT, text, 0);
}

void
report_id(struct report *r, const char *text)
{
	add(r, REPORT_ID, text, 0);
}

void
report_number(struct report *r, int64_t number)
{
	char text[32];

	snprintf(text, sizeof text, "%" PRId64, number);
	add(r, REPORT_NUMBER, text, 0);
}

void
report_money(struct report *r, int64_t nano)
{
	char text[MONEY_TEXT_BYTES];

	money_format(nano, 2, text);
	add(r, REPORT_MONEY, text, 0);
}

void
report_time(struct report *r, int64_t us)
{
	char text[WALL_TEXT_BYTES];

	if (us == 0) {
		report_none(r);
		return;
	}
	time_format_short(us, text);
	add(r, REPORT_TIME, text, us);
}

void
report_flag(struct report *r, bool flag)
{
	add(r, REPORT_FLAG, flag ? "yes" : "no", 0);
}

void
report_none(struct report *r)
{
	add(r, REPORT_TEXT, NULL, 0);
}

static struct json_object *
cell_json(enum report_kind kind, const struct cell *cell)
{
	char text[WALL_TEXT_BYTES];
	struct wall_time t;

	if (cell->text == NULL)
		return NULL;
	switch (kind) {
	case REPORT_NUMBER:
		return json_object_new_int64(strtoll(cell->text, NULL, 10));
	case REPORT_FLAG:
		return json_object_new_boolean(strcmp(cell->text, "yes") == 0);
	case REPORT_TIME:
		t.us = cell->us;
		wall_format(t, text);
		return json_object_new_string(text);
	case REPORT_TEXT:
	case REPORT_ID:
	case REPORT_MONEY:
		break;
	}
	return json_object_new_string(cell->text);
}

static struct json_object *
report_json(const struct report *r)
{
	struct json_object *array, *row;
	size_t i;
	int c;

	array = or_die(json_object_new_array());
	for (i = 0; i + (size_t)r->width <= r->cells; i += (size_t)r->width) {
		row = or_die(json_object_new_object());
		for (c = 0; c < r->width; c++)
			json_object_object_add(row, r->columns[c].key,
			    cell_json(r->columns[c].kind,
			    &r->cell[i + (size_t)c]));
		json_object_array_add(array, row);
	}
	return array;
}

bool
report_empty(const struct report *report)
{
	return report->cells == 0;
}

const char *
report_name(const struct report *report)
{
	return report->name;
}

struct json_object *
report_take_json(struct report **report)
{
	struct json_object *array;

	array = report_json(*report);
	report_discard(report);
	return array;
}

void
json_write(struct json_object *json, FILE *out)
{
	fputs(json_object_to_json_string_ext(json,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
	    JSON_C_TO_STRING_NOSLASHESCAPE), out);
	putc('\n', out);
}

void
json_print(struct json_object *json)
{
	json_write(json, stdout);
	json_object_put(json);
}

/* Digits after the point, the point included, so that amounts line up. */
static size_t
fraction(const char *text)
{
	const char *point;

	point = strchr(text, '.');
	return point != NULL ? strlen(point) : 0;
}

static bool
visible(const struct report *r, int c)
{
	return r->columns[c].title != NULL && !r->hidden[c];
}

static const char *
cell_text(const struct report *r, size_t i)
{
	return r->cell[i].text != NULL ? r->cell[i].text : "-";
}

/* Says how things are: never cut, and marked. */
static bool
is_state(const struct report_column *column)
{
	static const char *const keys[] = { "status", "state", "severity",
		"outcome", NULL };

	for (int i = 0; keys[i] != NULL; i++)
		if (strcmp(column->key, keys[i]) == 0)
			return true;
	return false;
}

/* A step towards the limit: the widest text becomes narrower, but for those
 * that have no more than `least` columns.  False: there is none, or no need;
 * *over_r says which. */
static bool
narrow(const struct report *r, size_t *width, size_t limit, size_t least,
    bool *over_r)
{
	size_t total = 0;
	int widest = -1;

	for (int c = 0; c < r->width; c++) {
		if (!visible(r, c))
			continue;
		total += width[c] + (total > 0 ? GAP : 0);
		if (r->columns[c].kind == REPORT_TEXT &&
		    !is_state(&r->columns[c]) && width[c] > least &&
		    (widest < 0 || width[c] > width[widest]))
			widest = c;
	}
	*over_r = limit != 0 && total > limit;
	if (!*over_r || widest < 0)
		return false;
	width[widest]--;
	return true;
}

/* The text columns give way, the widest first, until the table fits; when
 * little is left of them, the spare columns, from the right, and when that
 * isn't enough, the texts once more. */
static void
fit(struct report *r, size_t *width, size_t limit)
{
	bool over;
	int spare;

	for (;;) {
		while (narrow(r, width, limit, COLUMN_SOME, &over))
			continue;
		for (spare = r->width - 1; spare >= 0 && !(visible(r, spare) &&
		    r->columns[spare].spare); spare--)
			continue;
		if (!over || spare < 0)
			break;
		r->hidden[spare] = true;
	}
	while (narrow(r, width, limit, COLUMN_LEAST, &over))
		continue;
}

/* width[]: of each column; tail[]: its longest fraction, for money.  Neither
 * becomes less. */
static void
measure(const struct report *r, size_t *width, size_t *tail)
{
	size_t i, w;
	int c;

	for (c = 0; c < r->width; c++) {
		if (r->columns[c].kind == REPORT_MONEY)
			for (i = (size_t)c; i < r->cells; i += (size_t)r->width)
				if (fraction(cell_text(r, i)) > tail[c])
					tail[c] = fraction(cell_text(r, i));
		w = visible(r, c) ? text_width(r->columns[c].title) : 0;
		if (w > width[c])
			width[c] = w;
		for (i = (size_t)c; i < r->cells; i += (size_t)r->width) {
			w = text_width(cell_text(r, i));
			if (r->cell[i].text != NULL &&
			    r->columns[c].kind == REPORT_MONEY)
				w += tail[c] - fraction(r->cell[i].text);
			if (w > width[c])
				width[c] = w;
		}
	}
}

static bool
right(enum report_kind kind)
{
	return kind == REPORT_NUMBER || kind == REPORT_MONEY;
}

static bool
last_visible(const struct report *r, int c)
{
	while (++c < r->width)
		if (visible(r, c))
			return false;
	return true;
}

static void
print_cell(const struct report *r, int c, const char *text, size_t width,
    size_t after, enum mark mark)
{
	size_t used, w;

	w = text_width(text);
	if (w > width)
		w = width;
	used = 0;
	if (right(r->columns[c].kind))
		for (; used + w + after < width; used++)
			putchar(' ');
	mark_begin(mark);
	used += text_print(text, width);
	mark_end(mark);
	if (last_visible(r, c)) {
		putchar('\n');
		return;
	}
	for (; used < width + GAP; used++)
		putchar(' ');
}

/* A call's status is a number. */
static enum mark
cell_mark(const struct report *r, int c, const char *text)
{
	if (!is_state(&r->columns[c]))
		return MARK_NONE;
	if (r->columns[c].kind != REPORT_NUMBER)
		return mark_of(text);
	return text[0] == '5' ? MARK_BAD : text[0] == '4' ? MARK_ODD :
	    MARK_NONE;
}

/* Later parts of a table keep the columns of the first, and are wider where
 * they must be. */
static void
print_rows(struct report *r, struct report_flow *flow)
{
	size_t *width = flow->width, *tail = flow->tail, i, after;
	const char *text;
	int c;

	memcpy(r->hidden, flow->hidden, sizeof r->hidden);
	measure(r, width, tail);
	fit(r, width, terminal_width());
	memcpy(flow->hidden, r->hidden, sizeof r->hidden);
	if (flow->parts++ == 0)
		for (c = 0; c < r->width; c++)
			if (visible(r, c))
				print_cell(r, c, r->columns[c].title, width[c],
				    0, MARK_HEADING);
	for (i = 0; i < r->cells; i++) {
		c = (int)(i % (size_t)r->width);
		if (!visible(r, c))
			continue;
		text = cell_text(r, i);
		after = r->cell[i].text != NULL &&
		    r->columns[c].kind == REPORT_MONEY ?
		    tail[c] - fraction(text) : 0;
		print_cell(r, c, text, width[c], after,
		    cell_mark(r, c, text));
	}
}

static void
print_table(struct report *r)
{
	struct report_flow flow = { .parts = 0 };

	print_rows(r, &flow);
}

void
report_reverse(struct report *r)
{
	size_t rows = r->cells / (size_t)r->width, n = (size_t)r->width;
	struct cell cell;

	for (size_t i = 0; i < rows / 2; i++)
		for (size_t c = 0; c < n; c++) {
			cell = r->cell[i * n + c];
			r->cell[i * n + c] = r->cell[(rows - 1 - i) * n + c];
			r->cell[(rows - 1 - i) * n + c] = cell;
		}
}

static void
print_whole(struct report **report, const struct admin *admin,
    struct json_object *more, const char *empty)
{
	struct json_object *object;

	assert((*report)->cells % (size_t)(*report)->width == 0);
	if (admin->json) {
		object = more != NULL ? more :
		    or_die(json_object_new_object());
		json_object_object_add(object, (*report)->name,
		    report_json(*report));
		json_print(object);
	} else if ((*report)->cells == 0) {
		puts(empty);
	} else {
		print_table(*report);
	}
	report_discard(report);
}

void
report_print(struct report **report, const struct admin *admin,
    const char *empty)
{
	print_whole(report, admin, NULL, empty);
}

void
report_print_page(struct report **report, const struct admin *admin,
    const char *next, const char *empty)
{
	struct json_object *object = NULL;

	if (admin->json) {
		object = or_die(json_object_new_object());
		json_object_object_add(object, "next", next == NULL ? NULL :
		    or_die(json_object_new_string(next)));
	}
	print_whole(report, admin, object, empty);
}

/* As report_print_page() would have it, were all of it one page. */
static void
print_json_part(struct report *r, struct report_flow *flow, bool last)
{
	struct json_object *rows = report_json(r);
	size_t n = json_object_array_length(rows);

	if (flow->parts++ == 0)
		printf("{\n  \"next\":null,\n  \"%s\":[", r->name);
	for (size_t i = 0; i < n; i++)
		printf("%s\n    %s", flow->rows++ > 0 ? "," : "",
		    json_object_to_json_string_ext(
		    json_object_array_get_idx(rows, i),
		    JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	if (last)
		printf("%s]\n}\n", flow->rows > 0 ? "\n  " : "");
	json_object_put(rows);
}

void
report_print_part(struct report **report, const struct admin *admin,
    struct report_flow *flow, bool last, const char *empty)
{
	if (admin->json)
		print_json_part(*report, flow, last);
	else if ((*report)->cells > 0)
		print_rows(*report, flow);
	else if (flow->parts == 0)
		puts(empty);
	report_discard(report);
}
